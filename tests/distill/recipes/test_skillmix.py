"""Skill-mix against a server that knows which arm can do which size: the verdict is known.

Rows, training, store, sums by model string and slices are real; only the answers are a script.
"""

import tomllib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from skillweave.adapters.store.store import Store
from skillweave.distill.evaluation import Budget, BudgetExceeded, RecipeVerdict
from skillweave.distill.learning.sft import SftSettings
from skillweave.distill.recipes import RecipeContext, verdict_of
from skillweave.distill.recipes.skillmix import (
    CRITERION,
    RECIPE,
    Skillmix,
    fit,
    judged_items,
)
from skillweave.distill.serving import Served, ServePlan
from skillweave.distill.worlds.constraints.mixing import categories_of, key_of
from skillweave.distill.worlds.constraints.tasks import ConstraintTask

from ..followers import NO_IDEA, turns
from ..scripted_teacher import Answer, Body, Raw, Reply, ScriptedTeacher

SMALL = Skillmix(
    num_tokens=2400,
    num_sets=6,
    num_other_sets=3,
    items_a_set=1,
    sft=SftSettings(rank=2, epochs=1, dev_share=0.0, batch_rows=16),
)
Can = Callable[[str, int], bool]
"""Whether an arm, by its model string, can do so many constraints."""


@dataclass
class MixServer:
    """A `Launch`: answers by the expert where the arm can, and remembers what was asked."""

    can: Can
    items: dict[str, ConstraintTask]
    plans: list[ServePlan] = field(default_factory=list)
    asked: list[tuple[str, ConstraintTask]] = field(default_factory=list)

    @contextmanager
    def __call__(self, plan: ServePlan) -> Iterator[Served]:
        self.plans.append(plan)
        with ScriptedTeacher(self._answer, admin=lambda verb, body: Raw(body="{}")) as running:
            yield running

    def _answer(self, body: Body) -> Reply:
        model, task = str(body["model"]), self.items[turns(body)[-1]["content"]]
        self.asked.append((model, task))
        return Answer(task.worked) if self.can(model, len(task.spec.constraints)) else NO_IDEA


def run(
    base: Path, tmp_path: Path, can: Can, *, full: bool = False
) -> tuple[RecipeVerdict, MixServer, Store]:
    items = {item.request: item for item in judged_items(SMALL, seed=1)}
    server, store = MixServer(can, items), Store(tmp_path / "store")
    context = RecipeContext(
        base, store, tmp_path / "work", 1, server, world="constraints", full=full
    )  # fmt: skip
    return verdict_of("skillmix", RECIPE, SMALL, context), server, store


def up_to_five(model: str, size: int) -> bool:
    """Arms tuned on k do 2 k, so the third does all; sums do three, the base nothing."""
    if "upto" in model:
        return size <= 2 * int(model.partition("upto")[2][0])
    return "+" in model and size <= 3


def test_the_settings_and_the_shipped_file_agree(repository: Path) -> None:
    text = (repository / "configs" / "recipes" / "skillmix.toml").read_text()
    assert Skillmix.model_validate(tomllib.loads(text)) == Skillmix()
    with pytest.raises(ValueError, match="held_out"):
        Skillmix(held_out="positional")  # type: ignore[arg-type]


def test_the_criterion_asks_for_more_than_single_skills_and_more_than_the_base() -> None:
    assert [str(clause) for clause in CRITERION.clauses] == [
        "upto3 minus upto1 > 0",
        "upto3 minus none > 0",
    ]
    assert [str(clause) for clause in CRITERION.preconditions] == ["none < 0.8"]


def test_slices_are_distinct_sets_and_only_one_has_the_held_out_category() -> None:
    items = judged_items(SMALL, seed=3)
    assert [item.id for item in judged_items(SMALL, seed=3)] == [item.id for item in items]
    assert len({item.id for item in items}) == len(items) == 6 + 3 * 3
    sizes = {"k3": 3, "k4": 4, "k5": 5, "held-out": 4}
    for item in items:
        name = item.family.rpartition("-")[0]
        assert len(item.spec.constraints) == sizes[name]
        assert ("repetition" in categories_of(item.spec)) == (name == "held-out")
    assert len({key_of(item.spec) for item in items}) == len(items)


def test_a_budget_of_tokens_is_shared_by_the_arms() -> None:
    assert fit(SMALL, Budget()) == SMALL
    assert fit(Skillmix(), Budget({"tokens": 9001})).num_tokens == 3000
    assert fit(SMALL, Budget({"tokens": 90_000})).num_tokens == SMALL.num_tokens
    with pytest.raises(BudgetExceeded, match="expected at least 6000"):
        fit(SMALL, Budget({"tokens": 5999}))


@pytest.mark.slow
def test_rows_of_three_that_reach_four_meet_the_criterion(
    small_base_dir: Path, tmp_path: Path
) -> None:
    verdict, server, store = run(small_base_dir, tmp_path, up_to_five)
    assert verdict.status == "works"
    means = {name: arm.mean for name, arm in verdict.arms.items()}
    assert means == {
        "none": 0.0, "upto1": 0.0, "upto2": 1.0, "upto3": 1.0, "summed": 0.0, "averaged": 0.0,
        "oracle": 1.0,
    }  # fmt: skip
    assert {arm.n for arm in verdict.arms.values()} == {6}
    three, five, held_out, majority = verdict.notes
    assert three.startswith("k3 (3 items): none 0.000, upto1 0.000, upto2 1.000, upto3 1.000, sum")
    assert five.startswith("k5 (3 items): none 0.000, upto1 0.000, upto2 0.000, upto3 1.000, sum")
    assert held_out.startswith("held-out (3 items): ")
    assert all("upto3 minus upto1 +1.000" in note for note in verdict.notes[:3])
    assert majority.endswith("of 6 judged items")
    assert [(c.a, c.b) for c in verdict.comparisons if c.b == "upto1"][1:] == [
        ("upto2", "upto1"),
        ("summed", "upto1"),
        ("averaged", "upto1"),
    ]
    assert verdict.budget is not None
    assert verdict.budget.spent["tokens"] == 3 * SMALL.num_tokens
    assert verdict.rollouts == 0
    (plan,) = server.plans
    assert plan.rank == 4 * SMALL.sft.rank  # so a sum of all parts is exact
    _check_rows(store, server)


def _check_rows(store: Store, server: MixServer) -> None:
    """Arms hold rows of their sizes, and the parts together exactly those of the first arm."""
    requests: dict[str, list[str]] = {}
    for version in store.list():
        assert version.card.data_digest is not None
        rows = store.get_rows(version.card.data_digest)
        requests[version.ref] = [str(row["messages"][0]["content"]) for row in rows]  # type: ignore[index]
        sizes = {str(row["messages"][1]["content"]).split("\n")[0].count(", ") + 1 for row in rows}  # type: ignore[index]
        expected = int(version.ref[len("skillmix-upto")]) if "upto" in version.ref else 1
        assert sizes == {*range(1, expected + 1)}
    parts = [text for ref, rows in requests.items() if "upto" not in ref for text in rows]
    assert sorted(parts) == sorted(requests["skillmix-upto1@1"])
    assert len(requests) == 3 + 4
    assert not {*server.items} & {text for rows in requests.values() for text in rows}
    summed = {model for model, _ in server.asked if "+" in model and "*" not in model}
    for model, task in server.asked:
        if model in summed:
            needs = {name for name in categories_of(task.spec) if name != "repetition"}
            assert {term.partition("@")[0] for term in model.split("+")} == {
                f"skillmix-{name}" for name in needs
            }


@pytest.mark.slow
def test_arms_that_are_alike_show_nothing_and_a_base_that_can_leaves_no_question(
    small_base_dir: Path, tmp_path: Path
) -> None:
    alike, *_ = run(small_base_dir, tmp_path / "alike", lambda model, size: model != "base")
    assert alike.status == "not-shown"
    assert [clause.holds for clause in alike.criterion.clauses] == [False, True]
    able, *_ = run(small_base_dir, tmp_path / "able", lambda model, size: True)
    assert able.status == "absent-phenomenon"


@pytest.mark.slow
def test_the_full_set_asks_up_to_sixteen_answers_of_two_arms(
    small_base_dir: Path, tmp_path: Path
) -> None:
    verdict, server, _ = run(small_base_dir, tmp_path, up_to_five, full=True)
    assert (verdict.status, verdict.scope) == ("works", "full")
    assert verdict.arms["upto1_best"].mean == 0.0
    assert verdict.arms["upto3_best"].mean == 1.0
    asked = [task.id for model, task in server.asked if "upto1" in model]
    assert len(asked) == 15 * (1 + 16)
