"""`skillweave route`: the decision as a table and as JSON, and what is said without a router."""

import json
from pathlib import Path

import pytest
from skillweave.adapters.errors import UsageError
from skillweave.router import DevState, Message, RoutedSkill, Router, State
from skillweave.scripts.commands.route import route


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """A store that does not exist yet, with a router beside it."""
    skills = [
        RoutedSkill("picnic-routine", "Use for the picnic.", ("for the picnic: a",), "adapter"),
        RoutedSkill("harbour-routine", "Use for the harbour.", ("for the harbour: b",)),
    ]
    states = [
        ("picnic list: c", "picnic-routine"),
        ("harbour", "harbour-routine"),
        ("good day", None),
    ]
    dev = [DevState(State((Message("user", text),)), skill) for text, skill in states]
    Router.fit(skills, dev, base="b" * 64).save(tmp_path / "router")
    return tmp_path / "store"


def test_json_holds_the_decision_and_the_best_scores(
    store: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert route("a picnic: d", top=1, store=store, json=True) == 0
    got = json.loads(capsys.readouterr().out)
    assert (got["skill"], got["form"]) == ("picnic-routine", "adapter")
    assert list(got["scores"]) == ["picnic-routine"]
    assert got["scores"]["picnic-routine"] >= got["threshold"]


def test_an_abstention_has_no_skill(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert route("[red]nothing here", store=store, json=True) == 0
    got = json.loads(capsys.readouterr().out)
    assert (got["skill"], got["form"]) == (None, "none")
    assert got["reason"].startswith("abstained")


def test_the_table_shows_every_skill_and_marks_the_chosen_one(
    store: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert route("to the harbour", router=store.parent / "router") == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[1:3]] == ["harbour-routine", "picnic-routine"]
    assert "chosen" in lines[1]
    assert "chosen" not in lines[2]


def test_without_a_router_the_error_says_where_it_looked_and_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"no router in .*router: expected .*--router"):
        route("x", store=tmp_path / "store")
