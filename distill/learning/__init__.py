"""How weights are learned: pure losses and advantages, and the steps that apply them.

Owns everything between rows of ids and an adapter's folder. Refuses to own where rows come from
(teachers, rollouts, worlds) and what is kept of the result (the store). Nothing is re-exported
here, so that what needs no torch pays for none.
"""
