"""Sums of adapters, made when they are asked for."""
