"""A child that cannot be started leaves nothing open."""

import asyncio
import os
from pathlib import Path

import pytest
from skillweave.server.supervision.process import Child


@pytest.mark.parametrize("fault", ["no such command", "no such folder"])
def test_what_cannot_be_started_closes_its_pipe(tmp_path: Path, fault: str) -> None:
    command = ["./nothing"] if fault == "no such command" else ["true"]
    log = tmp_path / ("log" if fault == "no such command" else "nowhere/log")

    async def test() -> None:
        lifeline = os.pipe()
        with pytest.raises(OSError, match="No such file"):
            Child.start("child", command, lifeline=lifeline, log=log, env={})
        for fd in lifeline:
            with pytest.raises(OSError, match="Bad file descriptor"):
                os.fstat(fd)

    asyncio.run(test())


def test_a_child_that_ends_is_noticed_with_its_last_words(tmp_path: Path) -> None:
    async def test() -> None:
        command = ["sh", "-c", "echo first; echo last; exit 4"]
        child = Child.start(
            "child", command, lifeline=os.pipe(), log=tmp_path / "log", env=os.environ
        )
        await asyncio.wait_for(child.exited.wait(), 20)
        assert child.popen.returncode == 4
        assert child.last_lines(1) == "last"
        child.close()

    asyncio.run(test())
