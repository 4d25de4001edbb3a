"""The YAML block at the head of a README.md, as far as a hub needs it.

Nested values are dropped, so that no document, however it was built, grows when it is repeated in a
listing. Nothing is rendered.
"""

import yaml
from pydantic import JsonValue

from .errors import Refusal

MAX_README_BYTES = 1 << 20
_MAX_BLOCK_CHARS = 64_000  # the reader of YAML takes seconds for a megabyte
# What the reader lets through where a value is not what its tag says (`!!int ""`, `!!bool x`).
_READER_ERRORS = (ValueError, KeyError, IndexError, AttributeError, TypeError, OverflowError)
_MAX_ITEMS = 200
_MAX_CHARS = 500


def front_matter(text: str) -> dict[str, JsonValue]:
    """Texts, numbers and lists of texts of the YAML block; empty where there is none.

    Raises:
        Refusal: 400; the block is no YAML, or no mapping.
    """
    lines = text.removeprefix("\ufeff").splitlines()
    if not lines or lines[0].rstrip() != "---":
        return {}
    ends = [place for place, line in enumerate(lines[1:], 1) if line.rstrip() == "---"]
    if not ends:
        return {}
    block = "\n".join(lines[1 : ends[0]])
    if len(block) > _MAX_BLOCK_CHARS:
        raise Refusal(400, f"README.md: its YAML block has more than {_MAX_BLOCK_CHARS} characters")
    try:
        found = yaml.safe_load(block)
    except (yaml.YAMLError, RecursionError, *_READER_ERRORS) as err:
        raise Refusal(400, f"README.md: its YAML block cannot be read: {err}") from err
    if found is None:
        return {}
    if not isinstance(found, dict):
        raise Refusal(400, "README.md: its YAML block: expected 'key: value' lines")
    pairs = list(found.items())[:_MAX_ITEMS]
    flat = {key[:_MAX_CHARS]: _flat(value) for key, value in pairs if isinstance(key, str)}
    return {key: value for key, value in flat.items() if value is not None}


def tags_of(card: dict[str, JsonValue]) -> list[str]:
    """What a repository is found by: its tags, library, licence, base and task."""
    tags = [str(tag) for tag in _listed(card.get("tags"))]
    for key in ("library_name", "pipeline_tag"):
        tags += [str(value) for value in _listed(card.get(key))]
    tags += [f"license:{value}" for value in _listed(card.get("license"))]
    relation = card.get("base_model_relation")
    for base in _listed(card.get("base_model")):
        tags.append(f"base_model:{base}")
        if isinstance(relation, str):
            tags.append(f"base_model:{relation}:{base}")
    return list(dict.fromkeys(tags))


def _listed(value: JsonValue) -> list[JsonValue]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def _flat(value: object) -> JsonValue:
    if isinstance(value, str):
        return value[:_MAX_CHARS]
    if isinstance(value, bool | int | float) and abs(value) < 2**53:  # no nan, no infinity
        return value
    if isinstance(value, list):
        return [item[:_MAX_CHARS] for item in value[:_MAX_ITEMS] if isinstance(item, str)]
    return None
