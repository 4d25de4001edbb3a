"""Logs without the text of a request: an exception is told by its class and places alone.

What an exception says may be anything, a piece of a prompt too (`invalid literal ... 'text'`); so
its message is left out of every log line, whoever wrote it: ours, uvicorn's or asyncio's. Owns the
format of `gateway.log`. Refuses to own what is logged.
"""

import asyncio
import logging
import traceback
from types import TracebackType

FORMAT = "%(asctime)s %(levelname)s %(name)s %(message)s"
MAX_LINE_CHARS = 4000
MAX_FRAMES = 40
log = logging.getLogger(__name__)

ExcInfo = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]


class QuietFormatter(logging.Formatter):
    """One line per record; of an exception the classes and the places, never the words."""

    def __init__(self) -> None:
        super().__init__(FORMAT)

    def formatException(self, ei: ExcInfo) -> str:
        """The places of an exception and of those that caused it."""
        return told(ei[1]) if ei[1] is not None else ""

    def format(self, record: logging.LogRecord) -> str:
        """The record in one line, so that no text of a request can look like another record."""
        record.exc_text = None  # another formatter may have left the words here
        line = super().format(record)
        return "".join(c if c.isprintable() else " | " for c in line)[:MAX_LINE_CHARS]


def told(err: BaseException) -> str:
    """Classes and places of an exception and its causes, innermost first."""
    parts: list[str] = []
    seen: BaseException | None = err
    while seen is not None and len(parts) < MAX_FRAMES:
        frames = traceback.extract_tb(seen.__traceback__)
        places = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames[-MAX_FRAMES:]]
        parts.append(f"{type(seen).__module__}.{type(seen).__name__} at {' < '.join(places[::-1])}")
        seen = seen.__cause__ or (None if seen.__suppress_context__ else seen.__context__)
    return "; caused by ".join(parts)


def quiet_logging(level: str) -> None:
    """Let every logger of this process write so, to stderr."""
    handler = logging.StreamHandler()
    handler.setFormatter(QuietFormatter())
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    logging.getLogger("asyncio").setLevel(max(logging.INFO, logging.getLogger().level))


def quiet_loop(loop: asyncio.AbstractEventLoop, context: dict[str, object]) -> None:
    """For `set_exception_handler`: asyncio's own would print the exception's words."""
    err = context.get("exception")
    where = told(err) if isinstance(err, BaseException) else "without an exception"
    log.error("%s: %s", context.get("message", "unhandled"), where)
