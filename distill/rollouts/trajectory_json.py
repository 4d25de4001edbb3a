"""Trajectories as lines of JSON, exactly: what is read back equals what was written. Pure.

Owns the format, version 1. Floats keep every bit (JSON's shortest form that reads back the same),
text keeps every code point, lone surrogates included. Refuses to own files (`replay.py`).
"""

import json

from pydantic import TypeAdapter, ValidationError

from .trajectory import Trajectory

VERSION = 1
_TRAJECTORY = TypeAdapter(Trajectory)


def to_json_line(trajectory: Trajectory) -> str:
    """One line without its end.

    Raises:
        ValueError: a number in it is not finite.
    """
    document = {"trajectory_version": VERSION, **_TRAJECTORY.dump_python(trajectory)}
    return json.dumps(document, separators=(",", ":"), allow_nan=False)


def from_json_line(line: str) -> Trajectory:
    """Read one line.

    Raises:
        ValueError: no JSON, another version, a field that is missing, unknown or no such value.
    """
    document = json.loads(line)
    version = document.pop("trajectory_version", None) if isinstance(document, dict) else None
    if version != VERSION:
        raise ValueError(
            f"a line of trajectory version {version!r}: expected {VERSION}; it begins {line[:60]!r}"
        )
    try:
        return _TRAJECTORY.validate_python(document)
    except ValidationError as err:
        raise ValueError(f"a line that is no trajectory: {err}") from err
