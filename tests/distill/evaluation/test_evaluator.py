"""Every arm answers every item; failures are data, too many are an error."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pytest
from skillweave.adapters.errors import BudgetExceeded, MissingAbility
from skillweave.distill.evaluation import (
    Answer,
    Arm,
    EvaluationError,
    Item,
    ItemResult,
    TooManyFailures,
    evaluate,
)


@dataclass(frozen=True)
class Said:
    passed: bool
    reward: float
    reason: str


@dataclass(frozen=True)
class Echo:
    """An item that wants its own id back."""

    id: str
    family: str = "echo"
    messages: Sequence[Mapping[str, object]] = ()
    split: str = "test"
    meta: Mapping[str, object] = field(default_factory=dict)

    def verify(self, text: str) -> Said:
        return Said(text == self.id, float(text == self.id), f"said {text!r}")


@dataclass
class Engine:
    """Answers with the item's id under model `good`, fails on the ids it is told to."""

    broken: frozenset[str] = frozenset()
    in_flight: int = 0
    most_in_flight: int = 0
    asked: int = 0

    async def __call__(self, arm: Arm, item: Item, /) -> Answer:
        self.in_flight += 1
        self.asked += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        await asyncio.sleep(0.001 if item.id.endswith("1") else 0)
        self.in_flight -= 1
        if item.id in self.broken:
            raise ConnectionResetError("the engine hung up")
        model = arm.model_for(str(item.meta.get("skill", item.family)))
        headers = {"x-skillweave-adapter": model, "x-skillweave-form": "adapter"}
        return Answer(item.id if model == "good" else "?", 7, 2, headers, 0.01, 0.02)


ITEMS = [Echo(f"i{n:02d}") for n in range(60)]
ARMS = [Arm("with", model="good"), Arm("without")]


def run(engine: Engine, **options: object) -> tuple[ItemResult, ...]:
    return asyncio.run(evaluate(ARMS, ITEMS, ask=engine, **options))  # type: ignore[arg-type]


def test_every_arm_answers_every_item_in_order() -> None:
    got = run(Engine(), concurrency=7)
    assert [r.item_id for r in got] == [item.id for item in ITEMS] * 2
    assert [r.arm for r in got] == ["with"] * 60 + ["without"] * 60
    assert all(r.passed for r in got[:60])
    assert not any(r.passed for r in got[60:])


def test_a_result_carries_price_route_and_reason() -> None:
    first = run(Engine())[0]
    assert (first.prompt_tokens, first.completion_tokens) == (7, 2)
    assert (first.route, first.form, first.cluster) == ("good", "adapter", "echo")
    assert (first.reason, first.ttft_s, first.wall_s) == ("said 'i00'", 0.01, 0.02)


def test_the_cluster_is_the_skill_where_an_item_names_one() -> None:
    item = Echo("x", meta={"skill": "tidy"})
    arm = Arm("by-name", models={"tidy": "good"})
    (got,) = asyncio.run(evaluate([arm], [item], ask=Engine()))
    assert got.cluster == "tidy"
    assert got.passed


def test_concurrency_is_bounded() -> None:
    engine = Engine()
    run(engine, concurrency=4)
    assert 1 < engine.most_in_flight <= 4


def test_a_failed_request_is_recorded_as_not_passed() -> None:
    got = run(Engine(broken=frozenset({"i05"})))
    assert len(got) == 120
    failed = [r for r in got if r.error]
    assert [(r.item_id, r.arm, r.passed) for r in failed] == [
        ("i05", "with", False),
        ("i05", "without", False),
    ]
    assert failed[0].error == "ConnectionResetError: the engine hung up"


def test_more_than_two_percent_of_failures_end_the_run_with_the_reason() -> None:
    engine = Engine(broken=frozenset({"i05", "i06"}))
    with pytest.raises(TooManyFailures, match=r"arm 'with': 2 of 60 .*hung up") as caught:
        run(engine, concurrency=2)
    assert {r.item_id for r in caught.value.failures} == {"i05", "i06"}
    assert engine.asked < 60


def test_a_verifier_that_raises_is_a_bug_and_not_a_failed_request() -> None:
    class Broken(Echo):
        def verify(self, text: str) -> Said:
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        asyncio.run(evaluate(ARMS, [Broken("i")], ask=Engine()))


def test_progress_sees_every_result_once() -> None:
    seen: list[ItemResult] = []
    got = run(Engine(), on_result=seen.append)
    assert sorted(seen, key=lambda r: (r.arm, r.item_id)) == list(got)


def test_cancelling_leaves_no_request_behind() -> None:
    class Slow(Engine):
        async def __call__(self, arm: Arm, item: Item, /) -> Answer:
            self.in_flight += 1
            try:
                await asyncio.sleep(60)
            finally:
                self.in_flight -= 1
            raise AssertionError("not reached")

    engine = Slow()

    async def interrupted() -> None:
        running = asyncio.create_task(evaluate(ARMS, ITEMS, ask=engine, concurrency=5))
        while engine.in_flight < 5:
            await asyncio.sleep(0)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running

    asyncio.run(interrupted())
    assert engine.in_flight == 0


@pytest.mark.parametrize(
    ("arms", "items", "said"),
    [
        ([], ITEMS, "no arms"),
        (ARMS, [], "no items"),
        ([ARMS[0], ARMS[0]], ITEMS, "arm 'with' is given twice"),
        (ARMS, [ITEMS[0], ITEMS[0]], "item 'i00' is given twice"),
    ],
)
def test_arms_and_items_must_be_distinct(arms: list[Arm], items: list[Item], said: str) -> None:
    with pytest.raises(EvaluationError, match=said):
        asyncio.run(evaluate(arms, items, ask=Engine()))


def test_no_concurrency_is_refused() -> None:
    with pytest.raises(EvaluationError, match="concurrency is 0"):
        run(Engine(), concurrency=0)


@pytest.mark.parametrize("kind", [BudgetExceeded, MissingAbility])
def test_what_is_wrong_with_the_run_ends_it_and_is_no_failed_item(kind: type[Exception]) -> None:
    """One such error in a hundred items would pass the bound on failures unseen."""

    async def ask(arm: Arm, item: Item, /) -> Answer:
        if item.id == "i07":
            raise kind("nothing left")
        return Answer(item.id, 1, 1)

    with pytest.raises(kind, match="nothing left"):
        asyncio.run(evaluate(ARMS, ITEMS, ask=ask))
