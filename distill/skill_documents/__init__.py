"""Skill documents as atomic facts: layouts, a reader, and what a trajectory shows of reading."""

from .document import Fact, Section, SkillDocument, fact_digest, misdealt
from .layers import Layers, Trail, layers_of, wanted_facts
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
from .matched import LAYOUTS, Matched, layout_arms, matched
from .reader import ROOT, Count, Reading, read, reader_of, to_be_read
from .report import by_kind, layers_by_arm
from .uptake import WINDOW, Action, touched, uptakes

__all__ = [
    "LAYOUTS",
    "ROOT",
    "WINDOW",
    "Action",
    "Count",
    "Fact",
    "Layers",
    "Matched",
    "Reading",
    "Rendering",
    "Section",
    "SkillDocument",
    "Trail",
    "by_kind",
    "chunked",
    "fact_digest",
    "facts_in",
    "flat",
    "layers_by_arm",
    "layers_of",
    "layout_arms",
    "matched",
    "misdealt",
    "pointers_in",
    "progressive",
    "read",
    "read_back",
    "reader_of",
    "rendering_of",
    "require_same_facts",
    "section_text",
    "to_be_read",
    "touched",
    "uptakes",
    "wanted_facts",
]
