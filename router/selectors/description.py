"""Similarity to what a skill says of itself: one row a skill, its name and description. Pure."""

from __future__ import annotations

from ..features import Features
from ..fit_types import RoutedSkill
from ..scores import Floats


def rows_of(skill: RoutedSkill, features: Features, *, seed: int) -> Floats:
    """The features of name and description, shape (1, D). `seed` is not used."""
    del seed
    return features.vector(f"{skill.name.replace('-', ' ')}. {skill.description}")[None, :]
