"""Progress for people, on stderr: bars on a terminal, a few lines everywhere else.

A piece of work is announced when it is first heard of and summed up when it ends, so that a log
has two lines for each. Owns how that looks. Refuses to own what is reported
(`distill.workbench.Report`) and to write to stdout, which belongs to results.
"""

import contextlib
import sys
import time
from collections.abc import Callable, Iterator

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from ..distill.workbench import Report, quiet


@contextlib.contextmanager
def progress_bars(*, enabled: bool = True) -> Iterator[Report]:
    """A `Report` that draws bars on a terminal and prints lines where stderr is none."""
    if not enabled:
        yield quiet
    elif sys.stderr.isatty():
        with _bars() as report:
            yield report
    else:
        yield progress_lines(_to_stderr)


def progress_lines(write: Callable[[str], None]) -> Report:
    """A `Report` of two lines for each piece of work: when it starts and when it is done.

    Work that is over before it was heard of gets the second line only; work under the name of an
    earlier one that has ended is announced anew.
    """
    started: dict[str, float] = {}
    ended: set[str] = set()

    def report(what: str, done: int, of: int) -> None:
        if done < of and what not in started:
            ended.discard(what)
            started[what] = time.monotonic()
            write(f"{what} ..." if of == 1 else f"{what}: {of} ...")
        elif done >= of and what not in ended:
            ended.add(what)
            write(_summary(what, of, started.pop(what, None)))

    return report


def _summary(what: str, of: int, started: float | None) -> str:
    count = "" if of == 1 else f" {of}"
    took = "" if started is None else f", {time.monotonic() - started:.1f} s"
    return f"{what}:{count} done{took}"


@contextlib.contextmanager
def _bars() -> Iterator[Report]:
    """The bar of what is being done; a finished one becomes a line above it."""
    bars = Progress(
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("left:"),
        TimeRemainingColumn(),
        console=Console(stderr=True),
    )
    ids: dict[str, TaskID] = {}
    lines = progress_lines(
        lambda line: None if line.endswith("...") else bars.console.print(line, markup=False)
    )

    def report(what: str, done: int, of: int) -> None:
        lines(what, done, of)
        if done < of:
            if what not in ids:
                ids[what] = bars.add_task(what, total=of)
            bars.update(ids[what], completed=done, total=of)
        elif what in ids:
            bars.remove_task(ids.pop(what))

    with bars:
        yield report


def _to_stderr(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
