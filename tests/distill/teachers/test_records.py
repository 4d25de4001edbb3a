"""Recorded answers: an offline run says the same, spends the same, and invents nothing."""

import asyncio
from pathlib import Path

import pytest
from skillweave.adapters.errors import StoreError
from skillweave.distill.evaluation.budget import Budget
from skillweave.distill.teachers import (
    AskedTeacher,
    Judgement,
    MalformedAnswer,
    Records,
    ReplayMiss,
)

from .scripted import ASKED, YES, Script


def ask(teacher: AskedTeacher, seed: int = 0) -> Judgement:
    return asyncio.run(teacher.ask("judge", ASKED, schema=Judgement, seed=seed))


def offline(folder: Path, *, budget: Budget | None = None) -> AskedTeacher:
    return AskedTeacher(None, records=Records(folder), label="script", budget=budget)


def test_what_was_recorded_is_answered_offline_at_the_same_price(tmp_path: Path) -> None:
    spent, again = Budget(), Budget()
    live = AskedTeacher(Script("no", YES), records=Records(tmp_path), budget=spent)
    said = ask(live)
    replayed = offline(tmp_path, budget=again)
    assert ask(replayed) == said
    assert again.spent == spent.spent
    assert {**replayed.counts.to_row(), "replayed": 0} == live.counts.to_row()
    assert replayed.counts.replayed == 1


def test_a_rejection_is_replayed_as_a_rejection(tmp_path: Path) -> None:
    for live in (True, False):
        source = Script("no", "no") if live else None
        teacher = AskedTeacher(source, attempts=2, records=Records(tmp_path), label="script")
        with pytest.raises(MalformedAnswer, match="in 2 attempts"):
            ask(teacher)
        assert (teacher.counts.rejected, teacher.counts.malformed) == (1, 2)


def test_a_miss_names_the_key(tmp_path: Path) -> None:
    teacher = offline(tmp_path)
    with pytest.raises(ReplayMiss, match=r"key [0-9a-f]{64}; record again"):
        ask(teacher)
    assert not list(tmp_path.iterdir())


def test_a_source_is_asked_once_for_the_same_question(tmp_path: Path) -> None:
    script = Script(YES)

    async def many() -> list[Judgement]:
        teacher = AskedTeacher(script, records=Records(tmp_path))
        asked = [teacher.ask("judge", ASKED, schema=Judgement) for _ in range(5)]
        return await asyncio.gather(*asked)

    assert len(set(asyncio.run(many()))) == 1
    assert len(script.heard) == 1


def test_another_seed_or_backend_is_another_question(tmp_path: Path) -> None:
    ask(AskedTeacher(Script(YES), records=Records(tmp_path)))
    with pytest.raises(ReplayMiss):
        ask(offline(tmp_path), seed=1)
    with pytest.raises(ReplayMiss):
        ask(AskedTeacher(None, records=Records(tmp_path), label="somebody else"))


def test_nothing_is_recorded_of_a_teacher_that_did_not_answer(tmp_path: Path) -> None:
    teacher = AskedTeacher(Script("no", None), records=Records(tmp_path))
    with pytest.raises(Exception, match="nobody is there"):
        ask(teacher)
    assert len(Records(tmp_path)) == 0


def test_a_torn_last_line_is_recorded_again(tmp_path: Path) -> None:
    ask(AskedTeacher(Script(YES), records=Records(tmp_path)), seed=1)
    file = tmp_path / "answers.jsonl"
    whole = file.read_bytes()
    file.write_bytes(whole + whole[:50])
    records = Records(tmp_path)
    assert len(records) == 1
    ask(AskedTeacher(Script(YES), records=records), seed=2)
    assert len(Records(tmp_path)) == 2


@pytest.mark.parametrize("line", [b"{}\n", b'{"backend": 1}\n', b"\xff\xfe\n"])
def test_a_line_that_is_no_record_is_an_error_that_names_it(tmp_path: Path, line: bytes) -> None:
    ask(AskedTeacher(Script(YES), records=Records(tmp_path)))
    file = tmp_path / "answers.jsonl"
    file.write_bytes(file.read_bytes() + line)
    with pytest.raises(StoreError, match="line 2 of"):
        Records(tmp_path)


def test_a_record_whose_question_was_changed_answers_nothing(tmp_path: Path) -> None:
    ask(AskedTeacher(Script(YES), records=Records(tmp_path)))
    file = tmp_path / "answers.jsonl"
    file.write_bytes(file.read_bytes().replace(b"what is it?", b"what was it?"))
    with pytest.raises(ReplayMiss):
        ask(offline(tmp_path))
