"""An alias that several versions answer for: so many parts to this one, so many to that.

A session always meets the same version, and when the parts change as few sessions as possible meet
another. A split stands beside the alias, which goes on pointing at one stored version: where that
has moved, by whomever, the split is over. Kept in a small file of the server's run, like the
router that was set last: a gateway that is started again finds it; a server that is started again
goes by the store alone.
Owns the choice and the file. Refuses to own loading and aliases (`publisher.py`).
"""

import hashlib
import os
import random
from collections.abc import Mapping
from pathlib import Path

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from ....adapters.errors import UsageError
from ....adapters.names import DEFAULT_ALIAS, validate_version

FILE = "splits.json"
MAX_VERSIONS = 16
MAX_WEIGHT = 1_000_000
Key = tuple[str, str]
"""Id and alias."""


class Split(BaseModel):
    """Parts by version number. `at` is the version that the alias means in the store."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    at: int
    parts: tuple[tuple[int, int], ...]

    @property
    def numbers(self) -> frozenset[int]:
        """The versions that answer."""
        return frozenset(number for number, weight in self.parts if weight)

    def pick(self, point: float) -> int:
        """The version at a point of [0, 1), each with a stretch as long as its part."""
        left = point * sum(weight for _, weight in self.parts)
        for number, weight in self.parts:
            left -= weight
            if left < 0:
                return number
        return max(self.numbers)


def make_split(at: int, weights: Mapping[int, int]) -> Split:
    """A split in order of version.

    Raises:
        UsageError: no versions, too many, or parts that are no share of anything.
        InvalidName: no version has such a number.
    """
    if not 1 <= len(weights) <= MAX_VERSIONS:
        raise UsageError(f"{len(weights)} versions share the traffic: expected 1 to {MAX_VERSIONS}")
    for number, weight in weights.items():
        validate_version(number)
        if not 0 <= weight <= MAX_WEIGHT:
            raise UsageError(f"version {number} gets {weight} parts: expected 0 to {MAX_WEIGHT}")
    if not sum(weights.values()):
        raise UsageError("every version gets 0 parts: give at least one of them more")
    return Split(at=at, parts=tuple(sorted(weights.items())))


def point_of(key: Key, session: str) -> float:
    """Where a session stands in [0, 1) for an alias; the same in every process."""
    text = "\0".join((*key, session)).encode("utf-8", "surrogatepass")
    digest = hashlib.blake2b(text, digest_size=8).digest()
    return (int.from_bytes(digest) >> 11) / (1 << 53)


class Splits:
    """All splits of a server.

    Args:
        run_dir: where the file lies; None keeps nothing (tests).
    """

    def __init__(self, run_dir: Path | None) -> None:
        self._path = run_dir / FILE if run_dir is not None else None
        self._table = _read(self._path)

    @property
    def table(self) -> Mapping[Key, Split]:
        """What is split now."""
        return self._table

    def pick(self, name: str, alias: str | None, number: int, *, session: str | None) -> int:
        """The version that answers, where the alias means `number`.

        Args:
            alias: None for a bare name.
            session: without one, every request is drawn anew.
        """
        if not self._table:
            return number
        key = (name, alias or DEFAULT_ALIAS)
        split = self._table.get(key)
        if split is None or split.at != number:
            return number
        return split.pick(random.random() if session is None else point_of(key, session))

    def of(self, name: str) -> dict[str, dict[str, int]]:
        """The splits of one name, as people read them: alias -> version -> parts."""
        return {
            alias: {str(number): weight for number, weight in split.parts}
            for (each, alias), split in sorted(self._table.items())
            if each == name
        }

    def hold(self, name: str, number: int) -> bool:
        """Whether a version answers for any alias of a name."""
        return any(key[0] == name and number in s.numbers for key, s in self._table.items())

    def set(self, key: Key, split: Split | None) -> Split | None:
        """Put a split in place of the one before, which is returned; None ends it. Blocks.

        Raises:
            OSError: it could not be kept; nothing changed.
        """
        before = self._table.get(key)
        if before == split:
            return before
        table = {k: s for k, s in self._table.items() if k != key}
        if split is not None:
            table[key] = split
        if self._path is not None:
            part = self._path.with_suffix(".part")
            part.write_bytes(_FILE.dump_json([(*k, s) for k, s in table.items()]))
            os.replace(part, self._path)
        self._table = table
        return before


_FILE = TypeAdapter(list[tuple[str, str, Split]])


def _read(path: Path | None) -> dict[Key, Split]:
    try:
        entries = [] if path is None else _FILE.validate_json(path.read_bytes())
    except (FileNotFoundError, ValidationError):  # a file that we did not write means nothing
        return {}
    return {(name, alias): split for name, alias, split in entries}
