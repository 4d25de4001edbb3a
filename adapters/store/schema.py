"""`store.json`: which layout a store has, and how much it may hold; the way from schema 1 to 2.

    {"schema": 2, "quotas": {"bytes": 50000000000, "namespaces": {"team": 2000000000, "": 100000}}}

People may edit the quotas by hand; the empty namespace means names without one. Schema 1 had no
such file and no `blobs/`. A newer schema is refused, for reading too: its files may mean something
else. To change the layout: raise `SCHEMA` and add a step to `migrate`, each step repeatable, the
new `store.json` last.
"""

import json
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, PositiveInt, ValidationError, field_validator

from ..digests import canonical_json
from ..errors import StoreError
from ..file_ops import FileOps
from ..names import validate_name
from ..peft_folder.header import WEIGHTS_FILE
from . import blobs as store_blobs
from .layout import Layout, children
from .writes import replace_file

SCHEMA = 2


class Quotas(BaseModel):
    """How many bytes may be kept."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    bytes: PositiveInt | None = None
    """Objects, blobs and training rows together, as they lie on the disk; None for no limit."""
    namespaces: dict[str, PositiveInt] = Field(default_factory=dict)
    """Per namespace ("": names without one) the objects that its versions mean, each whole."""

    @field_validator("namespaces")
    @classmethod
    def _known_names(cls, namespaces: dict[str, int]) -> dict[str, int]:
        for name in namespaces:
            if name:
                validate_name(name, what="namespace")
        return namespaces


class StoreConfig(BaseModel):
    """The document."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, use_attribute_docstrings=True, serialize_by_alias=True
    )

    schema_version: Literal[2] = Field(alias="schema", default=2)
    """Layout of the store."""
    quotas: Quotas = Quotas()
    """How much it may hold."""


def read_config(layout: Layout) -> StoreConfig | None:
    """The document; None where there is none (a new store, or one of schema 1).

    Raises:
        StoreError: a newer schema, or no such document.
    """
    try:
        raw = layout.config.read_bytes()
    except FileNotFoundError:
        return None
    try:
        document = json.loads(raw)
        schema = document.get("schema") if isinstance(document, dict) else None
        if isinstance(schema, int) and schema > SCHEMA:
            raise StoreError(
                f"{layout.root} has schema {schema}, this skillweave knows schemas up to {SCHEMA}: "
                "a newer one wrote it; upgrade skillweave, or use another store"
            )
        if schema is None:
            raise ValueError("it names no schema")
        return StoreConfig.model_validate(document)
    except (ValueError, ValidationError, RecursionError) as err:
        raise StoreError(
            f"{layout.config} is no description of a store: {err}; expected such as "
            f'{{"schema": {SCHEMA}}}'
        ) from err


def write_config(layout: Layout, ops: FileOps, config: StoreConfig) -> None:
    """Replace the document in one step."""
    data = canonical_json(config.model_dump(mode="json")) + b"\n"
    replace_file(layout, ops, layout.config, data)


def migrate(layout: Layout, ops: FileOps) -> StoreConfig:
    """Bring a store without `store.json` to this schema; the caller has it alone.

    Each step may be cut short and repeated; until the last, the store is one of schema 1.
    """
    for digest in children(layout.root / "objects"):
        folder = layout.object(digest)
        weights = folder / WEIGHTS_FILE
        if weights.is_file() and not weights.is_symlink():
            store_blobs.share_old(layout, ops, weights)
    config = StoreConfig()
    write_config(layout, ops, config)
    return config
