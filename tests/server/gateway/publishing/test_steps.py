"""Which steps of a run are kept, by hand, and where they lie."""

import json
from pathlib import Path

import pytest
from skillweave.adapters.errors import Conflict
from skillweave.adapters.expr import parse_term
from skillweave.server.gateway.errors import NoRoom, row_of
from skillweave.server.gateway.publishing.declared import FILE, Declared, Document
from skillweave.server.gateway.publishing.scratch import Scratch, noted, remove_scratch
from skillweave.server.gateway.publishing.steps import MAX_RUNS, Step, Steps
from skillweave.server.gateway.residency.servable import Servable
from skillweave.server.memory_folders import sweep


def step(number: int, *, run: str = "rl", digest: str = "") -> Step:
    name = f"run--{run}--{number}"
    what = Servable(name, Path(name), "f" * 64, digest or name, f"{run}@{number}", str(number))
    return Step(run, number, what)


def numbers(left: list[Step]) -> list[int]:
    return [each.number for each in left]


def test_the_window_follows_the_staleness_said_last() -> None:
    steps = Steps()
    assert numbers(steps.add(step(1), staleness=1)) == []
    assert numbers(steps.add(step(2), staleness=1)) == []
    assert numbers(steps.add(step(3), staleness=1)) == []
    assert numbers(steps.add(step(4), staleness=1)) == [1]
    assert numbers(steps.add(step(5), staleness=0)) == [2, 3]
    assert numbers(steps.add(step(9), staleness=3)) == []
    assert steps.kept("rl") == (4, 5, 9)
    assert numbers(steps.end("rl")) == [4, 5, 9]
    assert steps.end("rl") == []


def test_a_number_means_one_policy() -> None:
    steps = Steps()
    first = step(3, digest="a")
    assert steps.admit("rl", 3, digest="a", staleness=0) is None
    steps.add(first, staleness=0)
    assert steps.admit("rl", 3, digest="a", staleness=0) is first
    with pytest.raises(Conflict, match="other weights"):
        steps.admit("rl", 3, digest="b", staleness=0)
    assert steps.admit("rl", 2, digest="b", staleness=0) is None  # late, but inside the window
    steps.add(step(4), staleness=0)
    with pytest.raises(Conflict, match=r"\[3, 4\]"):
        steps.admit("rl", 2, digest="b", staleness=0)
    assert steps.admit("rl", 2, digest="b", staleness=1) is None


def test_runs_are_bounded() -> None:
    steps = Steps()
    for number in range(MAX_RUNS):
        steps.add(step(1, run=f"r{number}"), staleness=0)
    with pytest.raises(Conflict, match="end one of them"):
        steps.admit("one-more", 1, digest="a", staleness=0)
    assert steps.admit("r0", 2, digest="a", staleness=0) is None


@pytest.mark.parametrize(
    ("text", "number"),
    [
        *(("rl@2", 2), ("rl@3", 3), ("rl", 3), ("rl@latest", 3), ("rl:adapter", 3)),
        *((text, None) for text in ("rl@4", "rl@prod", "rl:text", "other", "team/rl@2")),
    ],
)
def test_what_a_term_means(text: str, number: int | None) -> None:
    steps = Steps()
    for each in (2, 3):
        steps.add(step(each), staleness=0)
    found = steps.find(parse_term(text))
    assert (found and found.number) == number


def test_a_folder_in_memory_is_found_again_and_removed(tmp_path: Path) -> None:
    run_dir, memory = tmp_path / "run", tmp_path / "memory"
    for folder in (run_dir, memory):
        folder.mkdir()
    assert Scratch(run_dir, memory=memory).found is None
    made = Scratch(run_dir, memory=memory).folder()
    assert made.parent == memory
    assert made.stat().st_mode & 0o777 == 0o700
    assert Scratch(run_dir, memory=memory).folder() == made == noted(run_dir)
    assert sweep("steps", memory) == []  # whose it is still runs
    remove_scratch(run_dir)
    assert not made.exists()


def test_without_memory_the_steps_lie_in_the_run_s_own_folder(tmp_path: Path) -> None:
    assert Scratch(tmp_path, memory=tmp_path / "nope").folder().parent == tmp_path


def test_a_note_that_is_not_ours_removes_nothing(tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.mkdir()
    (tmp_path / "steps-path").write_text(str(precious))
    remove_scratch(tmp_path)
    assert precious.is_dir()


def test_what_would_fill_the_memory_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NoRoom, match="fewer steps") as caught:
        Scratch(tmp_path, memory=tmp_path).require_room(1 << 60)
    assert row_of(caught.value).status == 507


def test_a_file_of_the_declared_that_cannot_be_read_declares_nothing(tmp_path: Path) -> None:
    declared = Declared(tmp_path, now=Document)
    assert declared.read() == Document()
    (tmp_path / FILE).write_text(json.dumps({"names": 3}))
    assert declared.read() == Document()
