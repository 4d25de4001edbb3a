"""Configurations as TOML: read from a file with errors that name it, and written for people.

Owns the text. Refuses to own the fields, which describe themselves (`config.py`): what is written
carries each field's own sentence, and what is not set stands there as a comment.
"""

import difflib
import json
import tomllib
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from ..adapters.errors import UsageError
from .config import ServeConfig

SECRET_FIELDS = frozenset({"admin_key", "metrics_key", "engine_key"})
"""Never written; in the environment they are SKILLWEAVE_ADMIN_KEY and so on."""


def read_toml(file: Path) -> dict[str, object]:
    """The fields that a file sets.

    Raises:
        UsageError: it cannot be read, or is no TOML.
    """
    try:
        return tomllib.loads(file.read_text())
    except (OSError, ValueError) as err:
        raise UsageError(f"--config {file}: {err}; expected a TOML file") from err


def make_config(
    fields: Mapping[str, object],
    *,
    file: Path | None = None,
    from_file: Collection[str] = (),
) -> ServeConfig:
    """A checked configuration.

    Args:
        fields: everything that was said, by name of the field.
        file: the file that some of it came from.
        from_file: the names that it set; a fault in one of them is told with the file's name.

    Raises:
        UsageError: a field is unknown, has a wrong value, or does not go with another.
    """
    try:
        return ServeConfig.model_validate(fields)
    except ValidationError as err:
        faults = err.errors(include_url=False)
        lines = [_fault(f, file if _top(f["loc"]) in from_file else None) for f in faults]
        raise UsageError("; ".join(lines)) from err


def to_toml(config: ServeConfig) -> str:
    """The whole configuration with each field's meaning; keys are left out.

    What is read back from it is the same configuration, but for the keys.
    """
    return "\n".join(_lines(config, prefix="")) + "\n"


def readable_secrets(file: Path, fields: Mapping[str, object]) -> str | None:
    """A warning where a file with keys in it may be read by everybody on this machine."""
    found = sorted(SECRET_FIELDS.intersection(fields))
    if not found or not file.stat().st_mode & 0o004:
        return None
    return (
        f"warning: {file} holds {found[0]} and may be read by every user of this machine: "
        f"chmod 600 {file}, or say it in the environment (SKILLWEAVE_{found[0].upper()})"
    )


def _lines(config: BaseModel, *, prefix: str) -> Iterator[str]:
    tables: list[tuple[str, BaseModel]] = []
    for name, field in type(config).model_fields.items():
        value = getattr(config, name)
        if isinstance(value, BaseModel):
            tables.append((name, value))
            continue
        yield f"# {' '.join((field.description or '').split())}"
        if name in SECRET_FIELDS:
            yield f"# {name} is {'set' if value else 'not set'}; it is not shown"
        elif value is None:
            yield f"# {name} ="
        else:
            yield f"{name} = {_value(value)}"
    for name, table in tables:
        about = type(config).model_fields[name].description or ""
        yield ""
        yield f"# {' '.join(about.split())}"
        yield f"[{prefix}{name}]"
        yield from _lines(table, prefix=f"{prefix}{name}.")


def _value(value: object) -> str:
    if isinstance(value, bool | int | float):
        return json.dumps(value)
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_value(each) for each in value) + "]"
    return json.dumps(str(value), ensure_ascii=False)


def _top(where: tuple[int | str, ...]) -> str:
    return str(where[0]) if where else ""


def _fault(fault: ErrorDetails, file: Path | None) -> str:
    where = fault["loc"]
    name = ".".join(map(str, where)) or "serve"
    said = str(fault["msg"]).removeprefix("Value error, ")
    if fault["type"] == "extra_forbidden":
        said = f"there is no such field{_near(where)}; `skillweave serve --print-config` lists all"
    elif where and _top(where) not in SECRET_FIELDS:
        shown = f"{fault['input']!r}"
        said += f" (it is {shown[:80]})"
    return f"{file}: {name}: {said}" if file is not None else f"{name}: {said}"


def _near(where: tuple[int | str, ...]) -> str:
    model: type[BaseModel] = ServeConfig
    for part in where[:-1]:
        inner = (
            model.model_fields[str(part)].annotation if str(part) in model.model_fields else None
        )
        if not (isinstance(inner, type) and issubclass(inner, BaseModel)):
            return ""
        model = inner
    close = difflib.get_close_matches(str(where[-1]), list(model.model_fields), n=1)
    return f"; did you mean {close[0]!r}" if close else ""
