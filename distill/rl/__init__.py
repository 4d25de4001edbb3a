"""Reinforcement learning on the served policy: the engine hosts it, adapters are all that moves.

Owns what lies between trajectories and one optimiser step, and the loop around them. Refuses to
own how trajectories come about (`rollouts/`), the formulas (`learning/losses.py`, `advantages.py`)
and which skill is learned. Nothing is re-exported here: settings and seams need no torch.
"""
