"""What every body of an admin request or reply has in common, and reading one by hand.

Owns that. Refuses to own any one body: each stands beside its route.
"""

import json
from collections.abc import Mapping
from typing import TypeVar

from fastapi import Request
from pydantic import BaseModel, ConfigDict, ValidationError

from ..errors import RequestRefused


class Strict(BaseModel):
    """A body in which an unknown field is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)


M = TypeVar("M", bound=Strict)
MAX_JSON_BYTES = 1 << 20


async def read_json(request: Request, kind: type[M]) -> M:
    """The JSON body of a route that takes other bodies, too.

    Raises:
        RequestRefused: without a length, too large, or not of this kind.
    """
    length = length_of(request)
    if length is None or length > MAX_JSON_BYTES:
        raise RequestRefused(
            f"the body has {length} bytes: expected a length of at most {MAX_JSON_BYTES}",
            status=411 if length is None else 413,
        )
    try:
        fields = json.loads(await request.body())
    except (ValueError, RecursionError) as err:
        raise RequestRefused(f"the body is not JSON: {str(err)[:200]}") from err
    if not isinstance(fields, dict):
        raise RequestRefused(f"the body is a JSON {type(fields).__name__}: expected an object")
    return checked(fields, kind)


def checked(fields: Mapping[str, object], kind: type[M]) -> M:
    """Fields, held against what is expected.

    Raises:
        RequestRefused: naming the first field at fault.
    """
    try:
        return kind.model_validate(fields)
    except ValidationError as err:
        first = err.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        message = first["msg"].removeprefix("Value error, ")
        raise RequestRefused(f"{where or 'body'}: {message}", param=where or None) from err


def length_of(request: Request) -> int | None:
    """How many bytes the client says it sends; None where it does not say."""
    text = request.headers.get("content-length", "")
    return int(text) if text.isdigit() else None


def is_json(request: Request) -> bool:
    """Whether the body is said to be JSON."""
    kind = request.headers.get("content-type", "")
    return kind.partition(";")[0].strip().lower() == "application/json"
