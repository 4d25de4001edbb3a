"""Events cross the pipe unchanged, and errors arrive as what they were."""

import pytest
from skillweave.adapters.errors import AdapterRefused, EngineError, PortInUse, Problem
from skillweave.server.events import Event, Failed, Line, Ready, dump_event, parse_event


@pytest.mark.parametrize(
    "event",
    [Line("héllo\n"), Ready("http://x/v1", "key", (1, 2), 0.5), Failed("PortInUse", "port 1")],
)
def test_round_trip(event: Event) -> None:
    line = dump_event(event)
    assert "\n" not in line
    assert parse_event(line) == event


def test_an_error_keeps_its_class() -> None:
    assert type(Failed.of(PortInUse("taken")).exception()) is PortInUse


def test_an_error_with_parts_becomes_an_engine_error() -> None:
    err = Failed.of(AdapterRefused([Problem("code", "message")])).exception()
    assert type(err) is EngineError
    assert "message" in str(err)


def test_an_unknown_class_becomes_an_engine_error() -> None:
    assert type(Failed("Path", "x").exception()) is EngineError
