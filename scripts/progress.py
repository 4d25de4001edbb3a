"""Progress on a terminal only: one bar at a time, that says what is done and how long it takes."""

import contextlib
import sys
from collections.abc import Iterator

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
)

from ..distill.workbench import Report, quiet


@contextlib.contextmanager
def progress_bars(*, enabled: bool = True) -> Iterator[Report]:
    """A `Report` that draws bars on stderr; silent where stderr is no terminal."""
    if not (enabled and sys.stderr.isatty()):
        yield quiet
        return
    bars = Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
    )
    ids: dict[str, TaskID] = {}

    def report(what: str, done: int, of: int) -> None:
        if what not in ids:
            ids[what] = bars.add_task(what, total=of)
        bars.update(ids[what], completed=done, total=of)

    with bars:
        yield report
