"""IDF-weighted mean of rows of the base's input embedding, read from its file by mmap.

Letters: V vocabulary, D embedding width. The vector of a text is sum(idf * row) / sum(idf) over its
tokens, minus the mean of that over the texts of the fit (what all texts share says nothing), at
length 1; the idf is that of `rarity.py`, a skill is a document. Only the rows of the tokens are
touched: no model is loaded, and no torch is imported.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from ...adapters.base.files import weight_files
from ..errors import RouterError
from ..scores import Floats, unit
from .clip import clip
from .rarity import skill_rarity

_ENDINGS = ("embed_tokens.weight", "tok_embeddings.weight", "wte.weight", "word_embeddings.weight")
_STORED = {"F32": np.float32, "F16": np.float16, "BF16": np.uint16}


@dataclass(frozen=True)
class EmbeddingTable:
    """The input embedding of a base on disk; `rows` copies the asked rows as float32."""

    base_dir: Path

    @cached_property
    def _table_VD(self) -> tuple[NDArray[np.generic], str]:
        for path in weight_files(self.base_dir):
            found = _find(path)
            if found is not None:
                return found
        raise RouterError(
            f"{self.base_dir} holds no input embedding: expected a tensor whose name ends in one "
            f"of {', '.join(_ENDINGS)}, as {', '.join(_STORED)}"
        )

    @property
    def width(self) -> int:
        """D."""
        return int(self._table_VD[0].shape[1])

    @property
    def num_tokens(self) -> int:
        """V."""
        return int(self._table_VD[0].shape[0])

    def rows(self, ids: Sequence[int]) -> Floats:
        """The rows of these tokens, shape (n, D)."""
        table, dtype = self._table_VD
        picked = table[np.asarray(ids, dtype=np.intp)]
        if dtype == "BF16":  # the upper half of a float32
            return (picked.astype(np.uint32) << 16).view(np.float32)
        return picked.astype(np.float32)


@dataclass(frozen=True, eq=False)
class EmbeddingFeatures:
    """Mean of embedding rows, rare tokens first; needs the base's folder to be read back."""

    table: EmbeddingTable
    tokenizer: Tokenizer
    idf_V: Floats
    centre_D: Floats

    name: ClassVar[str] = "embedding"

    @classmethod
    def fit(cls, texts_by_skill: Sequence[Sequence[str]], *, base_dir: Path) -> Self:
        """Count in how many texts of each skill each token occurs, and what all texts share.

        Raises:
            RouterError: the base has no tokenizer.json or no input embedding.
            UsageError: `base_dir` holds no weights.
        """
        table, tokenizer = EmbeddingTable(base_dir), read_tokenizer(base_dir)
        counts_SV = np.zeros((len(texts_by_skill), table.num_tokens), dtype=np.float32)
        for counts_V, texts in zip(counts_SV, texts_by_skill, strict=True):
            for text in texts:
                counts_V[sorted(set(_ids(tokenizer, text)))] += 1
        no_centre_D = np.zeros(table.width, dtype=np.float32)
        bare = cls(table, tokenizer, skill_rarity(counts_SV), no_centre_D)
        means = [bare.mean(text) for texts in texts_by_skill for text in texts]
        return replace(bare, centre_D=np.mean(means, axis=0, dtype=np.float32))

    def mean(self, text: str) -> Floats:
        """IDF-weighted mean of the rows of a text, shape (D,); zeros for no token."""
        ids = _ids(self.tokenizer, text)
        if not ids:
            return np.zeros(self.table.width, dtype=np.float32)
        weights = self.idf_V[ids]
        mean_D: Floats = weights @ self.table.rows(ids) / weights.sum()
        return mean_D

    def vector(self, text: str) -> Floats:
        """Shape (D,), length 1."""
        return unit(self.mean(text) - self.centre_D)

    def arrays(self) -> Mapping[str, Floats]:
        """The idf of every token and the mean of the fit's texts; not the embedding itself."""
        return {"idf": self.idf_V, "centre": self.centre_D}


def read_tokenizer(base_dir: Path) -> Tokenizer:
    """The base's fast tokenizer.

    Raises:
        RouterError: there is no `tokenizer.json`.
    """
    path = base_dir / "tokenizer.json"
    if not path.is_file():
        raise RouterError(f"{path} does not exist: embedding features need a fast tokenizer")
    return Tokenizer.from_file(str(path))


def _ids(tokenizer: Tokenizer, text: str) -> list[int]:
    ids: list[int] = tokenizer.encode(clip(text), add_special_tokens=False).ids
    return ids


def _find(path: Path) -> tuple[NDArray[np.generic], str] | None:
    """The embedding inside one safetensors file as a read-only map, and its dtype's name."""
    with path.open("rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        header = json.loads(file.read(length))
    for name, entry in header.items():
        if name.endswith(_ENDINGS) and entry["dtype"] in _STORED:
            start = 8 + length + entry["data_offsets"][0]
            dtype, shape = entry["dtype"], tuple(entry["shape"])
            return np.memmap(path, _STORED[dtype], mode="r", offset=start, shape=shape), dtype
    return None
