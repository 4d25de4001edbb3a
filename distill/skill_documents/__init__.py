"""Skill documents as atomic facts: layouts, a reader, and what a trajectory shows of reading."""

from .document import Fact, Section, SkillDocument, fact_digest, misdealt
from .layers import Layers, layers_of
from .layouts import (
    Rendering,
    chunked,
    facts_in,
    flat,
    pointers_in,
    progressive,
    read_back,
    rendering_of,
    require_same_facts,
    section_text,
)
from .reader import ROOT, Count, Reading, read
from .uptake import WINDOW, Action, touched, uptakes

__all__ = [
    "ROOT",
    "WINDOW",
    "Action",
    "Count",
    "Fact",
    "Layers",
    "Reading",
    "Rendering",
    "Section",
    "SkillDocument",
    "chunked",
    "fact_digest",
    "facts_in",
    "flat",
    "layers_of",
    "misdealt",
    "pointers_in",
    "progressive",
    "read",
    "read_back",
    "rendering_of",
    "require_same_facts",
    "section_text",
    "touched",
    "uptakes",
]
