"""Between a router's parts and what is written to disk.

Owns the names of arrays inside the `.npz` and how features come back from them. The embedding
itself is never written: it is read from the base again, after checking that it is the same base.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from ..adapters.base.identity import identify_base
from .errors import RouterError, StaleRouter
from .features import EmbeddingFeatures, Features, NgramFeatures
from .features.embedding import EmbeddingTable, read_tokenizer
from .fit_types import DevFigures
from .saved import SavedCandidate, SavedRouter
from .scores import Floats
from .selectors import NearestRows
from .types import Form


def pack_candidates(
    candidates: Mapping[str, NearestRows], dev: Mapping[str, DevFigures]
) -> tuple[dict[str, SavedCandidate], dict[str, Floats]]:
    """What `router.json` says of the candidates, and their arrays by name."""
    rows = {
        f"rows/{name}/{skill}": block
        for name, candidate in candidates.items()
        for skill, block in candidate.rows.items()
    }
    features = {
        f"feature/{candidate.features.name}/{key}": array
        for candidate in candidates.values()
        for key, array in candidate.features.arrays().items()
    }
    documents = {
        name: SavedCandidate.model_validate(
            {
                "rule": name.split("/")[0],
                "feature": candidate.features.name,
                "threshold": candidate.threshold,
                "right": dev[name].right,
                "abstained": dev[name].abstained,
            }
        )
        for name, candidate in candidates.items()
    }
    return documents, {**features, **rows}


def unpack_candidates(
    saved: SavedRouter, arrays: Mapping[str, Floats], *, base_dir: Path | None
) -> dict[str, NearestRows]:
    """The candidates again, those on the embedding only where `auto` is one of them.

    Raises:
        RouterError: an array is missing, or `auto` needs the embedding and no base is there.
        StaleRouter: the base in `base_dir` is another one.
    """
    needed = saved.candidates[saved.auto].feature
    forms: dict[str, Form] = {skill.name: skill.form for skill in saved.skills}
    features: dict[str, Features] = {}
    try:
        features["ngrams"] = NgramFeatures(arrays["feature/ngrams/idf"])
        if needed == "embedding":
            features["embedding"] = _embedding(saved, arrays, base_dir=base_dir)
        return {
            name: NearestRows(
                features=features[candidate.feature],
                rows={skill.name: arrays[f"rows/{name}/{skill.name}"] for skill in saved.skills},
                threshold=candidate.threshold,
                forms=forms,
            )
            for name, candidate in saved.candidates.items()
            if candidate.feature in features
        }
    except KeyError as err:
        raise RouterError(f"the saved router lacks the array {err}: fit it again") from err


def _embedding(
    saved: SavedRouter, arrays: Mapping[str, Floats], *, base_dir: Path | None
) -> EmbeddingFeatures:
    folder = base_dir or (Path(saved.base_dir) if saved.base_dir is not None else None)
    if folder is None or not folder.is_dir():
        raise RouterError(
            f"this router reads the base's embedding, and {folder} is no folder: pass base_dir, "
            f"the folder of base {saved.base}"
        )
    found = identify_base(folder).family_digest
    if found != saved.base:
        raise StaleRouter(
            f"{folder} holds base {found}, this router was fitted for {saved.base}: fit it again"
        )
    return EmbeddingFeatures(
        table=EmbeddingTable(folder),
        tokenizer=read_tokenizer(folder),
        idf_V=arrays["feature/embedding/idf"],
        centre_D=arrays["feature/embedding/centre"],
    )
