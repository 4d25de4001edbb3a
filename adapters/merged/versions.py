"""Merging a stored version: the base must be its own, and the folder says what it was made of.

Owns that check and the note. Refuses to own the writing (`export.py`) and which elements a graft
keeps (`algebra.element_graft`).
"""

from collections.abc import Callable
from pathlib import Path

from ..algebra import element_graft
from ..base.files import read_model_config
from ..base.identity import base_problems, identify_base
from ..errors import AdapterRefused, Problem, UsageError
from ..new_folder import check_free
from ..peft_folder.deltas import read_peft
from ..store.store import Store
from ..store.types import Version
from .export import Merged, export_merged, quantised


def merge_version(
    store: Store,
    version: Version,
    base: Path,
    out: Path,
    *,
    keep: float | None = None,
    accept_base: bool = False,
    say: Callable[[str], None] | None = None,
) -> Merged:
    """Write `base + version` as a model folder.

    Args:
        base: folder of the base that the version was made for.
        out: made; must not exist.
        keep: only this share of every module's elements, the largest; None for all. Such an element
            graft is no low-rank update any more: this is its only form.
        accept_base: take another precision (or family) of the same shapes.
        say: told of every shard.

    Raises:
        AdapterRefused, Conflict, UsageError, StoreError: as `export_merged`; and another base.
    """
    check_free(out)
    problems = quantised(read_model_config(base))
    identity = None
    if not problems:
        identity = identify_base(base)
        problems += base_problems(
            version.card.base,
            identity,
            verified=store.verified_precisions(version.version_digest),
            accept_base=accept_base,
        )
    if problems or identity is None:
        raise AdapterRefused(problems, f"merging {version.ref} into {base}")
    delta = read_peft(version.path)
    note = {
        "adapter": version.ref,
        "version_digest": version.version_digest,
        "weights_digest": version.weights_digest,
        "base_family_digest": identity.family_digest,
        "base_precision": identity.precision,
        "licence": version.card.licence,
        "elements_kept": keep,
    }
    if keep is None:
        return export_merged(base, delta, out, note=note, say=say)
    if not 0 < keep <= 1:
        raise UsageError(f"--keep {keep}: expected a share of the elements, above 0 and at most 1")
    try:
        graft = element_graft(delta, keep_fraction=keep)
    except ValueError as err:
        problem = Problem("overflow", str(err), "merge it whole, without --keep, or train it again")
        raise AdapterRefused([problem], f"merging {version.ref} into {base}") from err
    return export_merged(base, graft, out, note=note, say=say)
