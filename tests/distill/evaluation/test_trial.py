"""An experiment as it is asked: frozen, reused where known, logged."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from skillweave.distill.evaluation import (
    CONTROLS,
    Above,
    Absent,
    Answer,
    Arm,
    ArmCache,
    Criterion,
    EvaluationError,
    Item,
    ItemResult,
    Known,
    NotAsFrozen,
    Trial,
    arm_fingerprint,
    code_digest,
    mean,
)
from skillweave.distill.evaluation.arm_cache import way_of
from skillweave.distill.worlds.string_skills import SkillSpec, draw_tasks

CONTROLS_OF = {**dict.fromkeys(CONTROLS, Absent("not needed here")), "none": "none"}
CRITERION = Criterion(statement="the oracle passes", clauses=(Above(what=mean(arm="none"), bar=0),))
KNOWN = Known("base-digest", {"base": "", "a@1": "weights-a"}, {"temperature": 0.0})
ARMS = [Arm("none"), Arm("method", model="a@1"), Arm("auto", model="auto")]


@dataclass
class Counted:
    """Answers nothing right and counts by arm."""

    asked: dict[str, int] = field(default_factory=dict)
    broken: str = ""

    async def __call__(self, arm: Arm, item: Item, /) -> Answer:
        self.asked[arm.name] = self.asked.get(arm.name, 0) + 1
        if arm.name == self.broken and self.asked[arm.name] == 1:
            raise ConnectionResetError("hung up")
        return Answer("final: x", 3, 2)


@dataclass
class Countdown(Counted):
    """Asks in another way, which depends on a setting."""

    turns: int = 3

    @property
    def fingerprint(self) -> str:
        return str(self.turns)


@pytest.fixture
def items(spec: SkillSpec) -> Sequence[Item]:
    return draw_tasks(spec, family="f", split="test", num_tasks=60, seed=0)


def run(
    trial: Trial, items: Sequence[Item], *, arms: Sequence[Arm] = ARMS, known: Known = KNOWN,
    criterion: Criterion = CRITERION, ask: Counted | None = None,
) -> tuple[tuple[ItemResult, ...], dict[str, int]]:  # fmt: skip
    ask = ask or Counted()
    asked = trial.ask(arms, items, criterion=criterion, controls=CONTROLS_OF, ask=ask, known=known)
    return asyncio.run(asked), ask.asked


def test_an_arm_that_was_asked_before_is_reused_under_its_new_name(
    tmp_path: Path, items: Sequence[Item]
) -> None:
    first, asked = run(Trial(cache=ArmCache(tmp_path)), items)
    assert asked == {"none": 60, "method": 60, "auto": 60}
    trial = Trial(cache=ArmCache(tmp_path))
    renamed = [Arm("none"), Arm("theirs", model="a@1"), Arm("auto", model="auto")]
    again, asked = run(trial, items, arms=renamed)
    assert asked == {"auto": 60}  # nobody can say which weights answer there
    assert set(trial.reused) == {"none", "theirs"}
    assert [replace(row, arm="method") for row in again[60:120]] == list(first[60:120])


def test_whatever_decides_the_answers_decides_the_fingerprint(items: Sequence[Item]) -> None:
    def of(arm: Arm = ARMS[1], rows: Sequence[Item] = items, **other: object) -> str | None:
        known = replace(KNOWN, **other)  # type: ignore[arg-type]
        return arm_fingerprint(
            arm, rows, base=known.base, weights=known.weights, sampling=known.sampling
        )

    found = [
        of(),
        of(base="another"),
        of(weights={"a@1": "other weights"}),
        of(sampling={"temperature": 0.0, "max_tokens": 9}),
        of(sampling={"temperature": 1.0, "seed": 3}),
        of(arm=Arm("method", model="a@1", system="a text")),
        of(rows=items[:-1]),
    ]
    assert len(set(found)) == len(found)
    assert None not in found
    assert of(arm=Arm("another name", model="a@1")) == of()
    assert of(weights={"b@1": "x"}) is None
    assert of(sampling={"temperature": 1.0, "seed": None}) is None


def test_another_way_of_asking_never_gets_the_answers_of_this_one(
    tmp_path: Path, items: Sequence[Item]
) -> None:
    """An episode's plan and the answer to its first message are asked with equal settings."""
    run(Trial(cache=ArmCache(tmp_path)), items)
    every = {"none": 60, "method": 60, "auto": 60}
    assert run(Trial(cache=ArmCache(tmp_path)), items, ask=Countdown())[1] == every
    assert run(Trial(cache=ArmCache(tmp_path)), items, ask=Countdown(turns=9))[1] == every
    for known in (Counted(), Countdown(), Countdown(turns=9)):
        assert run(Trial(cache=ArmCache(tmp_path)), items, ask=known)[1] == {"auto": 60}


def test_a_way_of_asking_is_its_name_unless_it_may_hold_anything() -> None:
    async def inner(arm: Arm, item: Item, /) -> Answer:
        return Answer("", 0, 0)

    assert way_of(inner) is None
    assert str(way_of(Counted())).endswith("test_trial.Counted")
    assert str(way_of(Countdown())).endswith("test_trial.Countdown 3")


def test_kept_answers_are_verified_anew(tmp_path: Path, items: Sequence[Item]) -> None:
    run(Trial(cache=ArmCache(tmp_path)), items)
    for file in tmp_path.rglob("*.jsonl"):
        file.write_text(file.read_text().replace('"passed": false', '"passed": true'))
    again, asked = run(Trial(cache=ArmCache(tmp_path)), items)
    assert asked == {"auto": 60}
    assert not any(row.passed for row in again)


@pytest.mark.parametrize("damage", ["", "{", "[1]\n", '{"item_id": "x"}\n', "\x00"])
def test_damaged_answers_are_asked_for_again(
    tmp_path: Path, items: Sequence[Item], damage: str
) -> None:
    run(Trial(cache=ArmCache(tmp_path)), items)
    for file in tmp_path.rglob("*.jsonl"):
        file.write_text(damage)
    _, asked = run(Trial(cache=ArmCache(tmp_path)), items)
    assert asked == {"none": 60, "method": 60, "auto": 60}


def test_an_arm_with_a_failed_request_is_not_kept(tmp_path: Path, items: Sequence[Item]) -> None:
    run(Trial(cache=ArmCache(tmp_path)), items, ask=Counted(broken="method"))
    _, asked = run(Trial(cache=ArmCache(tmp_path)), items)
    assert set(asked) == {"method", "auto"}


def test_a_run_that_differs_from_the_frozen_one_is_refused_before_it_asks(
    tmp_path: Path, items: Sequence[Item]
) -> None:
    file = tmp_path / "deep" / "freeze.json"
    run(Trial(freeze_file=file, code="c1"), items)
    run(Trial(freeze_file=file, code="c1"), items)
    looser = Criterion(statement="x", clauses=(Above(what=mean(arm="none"), bar=-1),))
    ask = Counted()
    with pytest.raises(NotAsFrozen, match=r"items .* then.*criterion .* changed"):
        run(Trial(freeze_file=file, code="c1"), items[:-1], criterion=looser, ask=ask)
    with pytest.raises(NotAsFrozen, match=r": arms \("):
        run(Trial(freeze_file=file, code="c1"), items, arms=ARMS[:-1], ask=ask)
    with pytest.raises(NotAsFrozen, match=r": code \(c1 then, c2 now\) changed"):
        run(Trial(freeze_file=file, code="c2"), items, ask=ask)
    cold = replace(KNOWN, sampling={"temperature": 0.0, "max_tokens": 3})
    for known in (cold, replace(KNOWN, base="another")):
        with pytest.raises(NotAsFrozen, match=r": asking \("):
            run(Trial(freeze_file=file, code="c1"), items, known=known, ask=ask)
    with pytest.raises(NotAsFrozen, match=r": asking \("):
        run(Trial(freeze_file=file, code="c1"), items, ask=Countdown())
    retrained = replace(KNOWN, weights={"base": "", "a@1": "trained again"})
    assert run(Trial(freeze_file=file, code="c1"), items, known=retrained)[1]
    assert ask.asked == {}
    file.write_text("{}")
    with pytest.raises(EvaluationError, match="holds no frozen experiment"):
        run(Trial(freeze_file=file), items)


def test_a_control_or_an_arm_that_is_missing_is_refused_before_it_asks(
    items: Sequence[Item],
) -> None:
    ask = Counted()
    with pytest.raises(EvaluationError, match="control 'none' is said to be arm 'none'"):
        run(Trial(), items, arms=ARMS[1:], ask=ask)
    wanting = Criterion(statement="x", clauses=(Above(what=mean(arm="gone"), bar=0),))
    with pytest.raises(EvaluationError, match="no arm named 'gone'"):
        run(Trial(), items, criterion=wanting, ask=ask)
    assert ask.asked == {}


def test_every_item_is_logged_also_where_it_was_reused(
    tmp_path: Path, items: Sequence[Item]
) -> None:
    cache = ArmCache(tmp_path / "cache")
    run(Trial(cache=cache, log_file=tmp_path / "one.jsonl"), items)
    results, _ = run(Trial(cache=cache, log_file=tmp_path / "two.jsonl"), items)
    rows = [json.loads(line) for line in (tmp_path / "two.jsonl").read_text().splitlines()]
    assert {(row["arm"], row["item_id"]) for row in rows} == {(r.arm, r.item_id) for r in results}


def test_the_code_digest_sees_every_file_and_not_where_it_lies(tmp_path: Path) -> None:
    for place in ("one", "two"):
        (tmp_path / place / "sub").mkdir(parents=True)
        (tmp_path / place / "a.py").write_text("a = 1")
        (tmp_path / place / "sub" / "b.py").write_text("b = 1")
    one = code_digest([tmp_path / "one"])
    assert one == code_digest([tmp_path / "two"])
    (tmp_path / "two" / "sub" / "b.py").write_text("b = 2")
    assert one != code_digest([tmp_path / "two"])
    with pytest.raises(EvaluationError, match="no code at"):
        code_digest([tmp_path / "three"])


@pytest.mark.parametrize("text", ["final: \udcff", "final: a\u2028b", "final: a\x85b\x1cc"])
def test_any_answer_is_one_line_of_the_log(
    tmp_path: Path, items: Sequence[Item], text: str
) -> None:
    class Hostile(Counted):
        async def __call__(self, arm: Arm, item: Item, /) -> Answer:
            return Answer(text, 3, 2)

    cache = ArmCache(tmp_path / "cache")
    for file in (tmp_path / "one.jsonl", tmp_path / "two.jsonl"):
        results, _ = run(Trial(cache=cache, log_file=file), items, ask=Hostile())
        rows = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
        assert [row["answer"] for row in rows] == [text] * 180 == [r.answer for r in results]
