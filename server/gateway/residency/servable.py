"""What an engine can load: a folder under a name of its own, for good. Pure values.

Every version, composition and policy of a training run gets an engine-side name and a path that
are never used for anything else: overwriting a path or re-using a name serves old weights or old
KV cache without a word. Owns that identity. Refuses to own loading (`residency.py`).
"""

from dataclasses import dataclass
from pathlib import Path

from ....adapters.store.types import Version


@dataclass(frozen=True)
class Servable:
    """One immutable adapter folder.

    `name` is engine-side and unique for the content; `ref` is for people and `label` for the reply
    header; `base` is the family digest, `digest` names the content. `error` is the relative error
    of a composition, 0 where nothing was cut.
    """

    name: str
    path: Path
    base: str
    digest: str
    ref: str
    label: str
    error: float = 0.0


def of_version(version: Version) -> Servable:
    """A stored version; the name is readable in an engine's log."""
    digest = version.version_digest
    return Servable(
        name=f"{version.id.folder}--v{version.number}--{digest[:12]}",
        path=version.path,
        base=version.base,
        digest=digest,
        ref=version.ref,
        label=str(version.number),
    )
