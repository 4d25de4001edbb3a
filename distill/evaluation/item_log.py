"""Results of items on disk: one JSON object a line, written as they arrive.

Owns: the JSONL format, in ASCII, so that any answer can be written (lone surrogates too) and no
line breaks inside one. Only the last line can be cut off, by a kill.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import IO, Self

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
        self._file.write(json.dumps(asdict(result), ensure_ascii=True) + "\n")
        self._file.flush()
