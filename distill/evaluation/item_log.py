"""Results of items on disk: one JSON object a line, written as they arrive.

Owns: the JSONL format. A line that was cut off by a kill is the last one and is left out on
reading with a warning; a broken line elsewhere is an error.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from .errors import EvaluationError
from .types import ItemResult


class ItemLog:
    """Appends results to a JSONL file; use as a context manager, `write` as `on_result`."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: IO[str] | None = None

    def __enter__(self) -> Self:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._file = self._path.open("a", encoding="utf-8")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None

    def write(self, result: ItemResult) -> None:
        """Append one result and flush, so a kill loses at most the line being written."""
        assert self._file is not None, "ItemLog.write outside its with block"
        self._file.write(json.dumps(asdict(result), ensure_ascii=False) + "\n")
        self._file.flush()


def write_items(path: Path, results: Iterable[ItemResult]) -> None:
    """Write a whole log at once; an existing file is continued."""
    with ItemLog(path) as log:
        for result in results:
            log.write(result)


def read_items(path: Path) -> tuple[ItemResult, ...]:
    """Read a log back.

    Raises:
        EvaluationError: a line that is no result, unless it is the last one and was cut off.
    """
    lines = path.read_text(encoding="utf-8").split("\n")
    results: list[ItemResult] = []
    for number, line in enumerate(lines, start=1):
        if not line:
            continue
        try:
            results.append(ItemResult(**json.loads(line)))
        except (ValueError, TypeError) as err:
            if number == len(lines):  # no newline behind it: the writer was killed
                warnings.warn(f"{path}: the last line was cut off and is left out", stacklevel=2)
                break
            raise EvaluationError(
                f"{path}, line {number} is no result of an item ({err}); expected one JSON "
                "object a line as ItemLog writes it. Remove the line or run again"
            ) from err
    return tuple(results)
