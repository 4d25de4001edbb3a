"""A bank's operations: what each does, and that a refusal changes nothing."""

import re
from pathlib import Path

import pytest
from skillweave.adapters.errors import Conflict, NotFound, SkillError, StoreError
from skillweave.adapters.skills import Skill
from skillweave.distill.bank import (
    Edit,
    Observation,
    SkillBank,
    SkillOp,
    seeded,
    text_digest,
    to_skill,
)

from .samples import FAILED, PASSED, WHY, create, text


def bank_of(*names: str) -> SkillBank:
    bank = SkillBank()
    for name in names:
        bank.apply(create(name))
    return bank


def test_a_created_skill_is_active_and_its_version_is_named_by_content() -> None:
    bank = bank_of("a")
    assert bank.names == ("a",)
    assert bank.state.heads["a"] == text_digest(text("a"))
    assert bank.skill("a").body == text("a").body


def test_improve_by_edits_keeps_the_name_and_the_old_version() -> None:
    bank = bank_of("a")
    old = bank.state.heads["a"]
    edit = Edit(find="at blanks", replace="at blanks and tabs")
    bank.apply(SkillOp(kind="improve", targets=("a",), edits=(edit,), gate=PASSED))
    assert bank.text("a").body == "1. Split the text at blanks and tabs."
    assert bank.state.versions[old].body == "1. Split the text at blanks."


def test_merge_retires_what_it_merged_and_may_keep_one_of_the_names() -> None:
    bank = bank_of("a", "b", "c")
    both = text("a", "1. Do both.")
    bank.apply(SkillOp(kind="merge", targets=("a", "b"), new=(both,), gate=PASSED))
    assert bank.names == ("a", "c")
    assert bank.text("a").body == "1. Do both."


def test_split_retires_the_whole_and_leaves_the_parts() -> None:
    bank = bank_of("a")
    parts = (text("a-left", "1. Left."), text("a-right", "1. Right."))
    bank.apply(SkillOp(kind="split", targets=("a",), new=parts, gate=PASSED))
    assert bank.names == ("a-left", "a-right")


def test_a_retired_name_can_be_created_again() -> None:
    bank = bank_of("a", "b")
    bank.apply(SkillOp(kind="retire", targets=("a", "b"), gate=WHY))
    assert len(bank) == 0
    bank.apply(create("a"))
    assert bank.names == ("a",)


def test_compress_must_shorten() -> None:
    bank = bank_of("a")
    longer = SkillOp(kind="compress", targets=("a",), new=(text("a", "x" * 40),), gate=PASSED)
    with pytest.raises(SkillError, match=r"40 characters, expected fewer than the 28"):
        bank.apply(longer)
    bank.apply(SkillOp(kind="compress", targets=("a",), new=(text("a", "1. Split."),), gate=PASSED))
    assert bank.text("a").body == "1. Split."


@pytest.mark.parametrize(
    ("op", "error", "says"),
    [
        (create("a"), Conflict, "is active already"),
        (SkillOp(kind="retire", targets=("zzz",), gate=WHY), NotFound, "no active skill zzz"),
        (
            SkillOp(kind="retire", gate=WHY),
            SkillError,
            r"retire needs 1 or more target\(s\), got 0",
        ),
        (
            SkillOp(kind="merge", targets=("a",), new=(text("m"),), gate=WHY),
            SkillError,
            "2 or more",
        ),
        (
            SkillOp(kind="merge", targets=("a", "a"), new=(text("m"),), gate=WHY),
            SkillError,
            "target named twice: a",
        ),
        (
            SkillOp(kind="split", targets=("a",), new=(text("x"), text("b")), gate=WHY),
            Conflict,
            "b is active already",
        ),
        (
            SkillOp(kind="improve", targets=("a",), new=(text("c"),), gate=WHY),
            SkillError,
            "keeps the name 'a', got 'c'",
        ),
        (
            SkillOp(kind="improve", targets=("a",), new=(text("a"),), gate=WHY),
            Conflict,
            "active already",
        ),
        (
            SkillOp(kind="improve", targets=("a",), edits=(Edit(find="t", replace=""),), gate=WHY),
            SkillError,
            "expected once; quote more",
        ),
        (
            SkillOp(kind="retire", targets=("a",), edits=(Edit(find="1", replace=""),), gate=WHY),
            SkillError,
            "edits belong to compress and improve",
        ),
        (create("c", ""), SkillError, "the body is empty"),
        (create("c", "  1. Blanks."), SkillError, "blanks at its ends"),
        (create("c", "Read references/no.md first."), SkillError, "references/no.md"),
        (SkillOp(kind="create", new=(text("c"),), gate=FAILED), SkillError, "record it with"),
    ],
)
def test_what_makes_no_sense_is_refused_and_changes_nothing(
    op: SkillOp, error: type[Exception], says: str
) -> None:
    bank = bank_of("a", "b")
    before = (bank.events, bank.state)
    with pytest.raises(error, match=says):
        bank.apply(op)
    assert (bank.events, bank.state) == before


def test_every_reason_is_named_at_once() -> None:
    bad = text("c", "").model_copy(update={"description": "use <b> when asked"})
    with pytest.raises(SkillError) as caught:
        SkillBank().apply(SkillOp(kind="create", targets=("x",), new=(bad,), gate=WHY))
    told = str(caught.value)
    assert "needs 0 target" in told
    assert "angle brackets" in told
    assert "body is empty" in told


def test_other_advice_is_noted_in_the_event() -> None:
    terse = text("a").model_copy(update={"description": "Counts words.", "license": None})
    event = SkillBank().apply(SkillOp(kind="create", new=(terse,), gate=WHY))
    assert event.body.type == "applied"
    assert set(event.body.advice) == {"no_use_when", "description_short", "no_license"}


def test_a_refused_proposal_is_remembered_without_effect() -> None:
    bank = bank_of("a")
    worse = SkillOp(kind="improve", targets=("a",), new=(text("a", "1. No."),), gate=FAILED)
    event = bank.refuse(worse)
    assert event.body.type == "refused"
    assert bank.text("a") == text("a")
    with pytest.raises(Conflict, match="was not turned away"):
        bank.refuse(create("b"))


def test_a_fork_and_its_origin_do_not_see_each_other() -> None:
    bank = bank_of("a")
    fork = bank.fork()
    assert fork.events is bank.events
    assert fork.state is bank.state
    fork.apply(create("b"))
    bank.apply(create("c"))
    assert fork.names == ("a", "b")
    assert bank.names == ("a", "c")


def test_a_fork_that_won_is_adopted_unless_the_origin_moved_on() -> None:
    bank = bank_of("a")
    fork, late = bank.fork(), bank.fork()
    fork.apply(create("b"))
    late.apply(create("c"))
    assert bank.adopt(fork) == 1
    assert bank.events == fork.events
    with pytest.raises(Conflict, match="fork again"):
        bank.adopt(late)


def test_rollback_restores_heads_and_keeps_what_was_observed() -> None:
    bank = bank_of("a")
    snapshot = bank.snapshot()
    bank.observe("a", Observation(uses=3, utility=0.4))
    bank.apply(SkillOp(kind="improve", targets=("a",), new=(text("a", "1. New."),), gate=PASSED))
    assert bank.stats("a").utility is None
    bank.apply(create("b"))
    bank.rollback(snapshot, why="worse on dev")
    assert bank.names == ("a",)
    assert bank.text("a") == text("a")
    assert bank.stats("a").utility == 0.4
    bank.apply(create("b"))
    assert bank.names == ("a", "b")


def test_a_snapshot_that_is_not_there_is_refused() -> None:
    bank = bank_of("a")
    for name in ("", "zz"):
        with pytest.raises(NotFound, match="snapshot"):
            bank.rollback(name)
    assert len(bank.events) == 2


def test_a_log_with_a_changed_or_missing_event_is_refused() -> None:
    events = bank_of("a", "b").events
    with pytest.raises(StoreError, match="does not follow"):
        SkillBank((events[0], events[2]))
    changed = events[1].model_copy(update={"body": events[2].body})
    with pytest.raises(StoreError, match="does not follow"):
        SkillBank((events[0], changed))
    with pytest.raises(StoreError, match="does not follow"):
        SkillBank(events[1:])


def test_a_bank_seeded_with_skills_says_that_nobody_measured_them() -> None:
    skill = Skill("a", "Count. Use when asked how many.", body="1. Count.", license="MIT")
    bank = seeded([skill])
    op = bank.events[1].body
    assert op.type == "applied"
    assert op.op.gate.type == "ungated"
    assert to_skill(bank.text("a")) == skill


def test_the_example_of_the_page_runs(repository: Path) -> None:
    page = (repository / "distill" / "bank" / "README.md").read_text()
    (block,) = re.findall(r"```python\n(.*?)```", page, re.S)
    exec(compile(block, "README.md", "exec"), {})
