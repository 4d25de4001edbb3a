"""Served features: static functions of a text, so that routing never runs a model.

A feature is a frozen value with `name`, `vector(text)` and the arrays it needs to be saved. To add
one: a file here with a class that meets `Features` and a `fit`, and its lines in
`router/fit.py` (fitting) and `router/packing.py` (reading it back).
"""

from .embedding import EmbeddingFeatures
from .ngrams import NgramFeatures
from .protocol import Features

__all__ = ["EmbeddingFeatures", "Features", "NgramFeatures"]
