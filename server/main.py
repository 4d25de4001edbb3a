"""Running a server in this process: in the foreground for people, or for a parent behind a pipe.

`python -m skillweave.server.main` is the second way: the parent writes the configuration as one
line of JSON to stdin and keeps stdin open for as long as the server shall live; events come back
as lines of JSON on stdout. Owns these two rims. Refuses to own the work (`supervision/`).
"""

import asyncio
import contextlib
import os
import sys
from collections.abc import Callable

from ..adapters.errors import SkillweaveError
from .config import ServeConfig
from .events import Event, Failed, Line, Ready, dump_event
from .supervision.supervisor import Supervisor


def _print_now(text: str) -> None:
    print(text, flush=True)  # somebody may be reading a file or a pipe


def run_serve(config: ServeConfig, *, say: Callable[[str], None] = _print_now) -> int:
    """Serve in the foreground until Ctrl-C or SIGTERM; returns 0.

    Args:
        say: gets each line for people.

    Raises:
        PortInUse, EngineMissing, UsageError: before anything was started.
        EngineError: an engine did not start, or kept dying; its last lines are in the message.
    """

    given = config.admin_key is not None

    async def serve() -> None:
        await Supervisor(config, on_event=lambda event: _say(event, say, key_given=given)).run()

    asyncio.run(serve())
    return 0


def _say(event: Event, say: Callable[[str], None], *, key_given: bool) -> None:
    """Tell an event; a key that somebody chose is not written into what may be a log."""
    match event:
        case Line(text):
            say(text)
        case Ready(url, admin_key, _, start_s):
            say(f"ready after {start_s:g} s: {url}")
            say("admin key: the one that was given" if key_given else f"admin key: {admin_key}")
            say("Ctrl-C ends the server and everything it started.")
        case Failed(_, message):
            say(message)


def main() -> int:
    """Entry point for a parent process; 0 after a clean end, 1 where the server failed."""
    config = ServeConfig.model_validate_json(sys.stdin.readline())
    try:
        asyncio.run(_serve_for_parent(config))
    except SkillweaveError as err:
        _tell_parent(Failed.of(err))
        return 1
    return 0


async def _serve_for_parent(config: ServeConfig) -> None:
    supervisor = Supervisor(config, on_event=_tell_parent, lines_fd=2)
    loop = asyncio.get_running_loop()
    stdin_fd = sys.stdin.fileno()

    def heard() -> None:
        if not os.read(stdin_fd, 4096):
            loop.remove_reader(stdin_fd)
            supervisor.stop()

    loop.add_reader(stdin_fd, heard)
    await supervisor.run()


def _tell_parent(event: Event) -> None:
    with contextlib.suppress(BrokenPipeError):  # the parent is gone; stdin says so, too
        print(dump_event(event), flush=True)


if __name__ == "__main__":
    sys.exit(main())
