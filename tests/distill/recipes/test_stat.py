"""STAT from a planted student to a verdict, against a server whose adapters can do a known part.

What each adapter gets right is set by hand, function by function; so profile, correlation and
verdict are known beforehand. Draws, teacher, training, store and arms are real.
"""

import json
import re
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from skillweave.adapters.store.store import Store
from skillweave.distill.evaluation import Budget, BudgetExceeded, RecipeVerdict
from skillweave.distill.learning.sft import SftSettings
from skillweave.distill.recipes import RecipeContext, verdict_of
from skillweave.distill.recipes.planting import functions_skills
from skillweave.distill.recipes.stat import CRITERION, RECIPE, RHO, Stat, fit
from skillweave.distill.serving import Served, ServePlan
from skillweave.distill.worlds.fg import NAMES, spec_of, worked_answer
from skillweave.distill.worlds.string_skills import Operation

from ..followers import NO_IDEA, turns
from ..scripted_teacher import Answer, Body, Raw, Reply, ScriptedTeacher

SMALL = Stat(
    taught=(1, 4, 4),
    num_requests=16,
    num_validation=6,
    num_samples=2,
    num_new=8,
    num_items=8,
    sft=SftSettings(rank=1, epochs=1, batch_rows=16, dev_share=0.0),
)
TABLE = {
    name: operation
    for skill in functions_skills(4, 3, seed=1)
    for name, operation in spec_of(skill).functions
}
WEAK = tuple(spec_of(skill).functions[0][0] for skill in functions_skills(4, 3, seed=1))


def call_of(request: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The chain and the list of a request in any notation."""
    words = re.findall(r"[a-z]+", request)
    names = tuple(word for word in words if word in NAMES)
    items = tuple(word for word in words if len(word) == 1)
    return (names if "after" in words else names[::-1]), items


@dataclass(frozen=True)
class Lacks:
    """Functions that go wrong in so many quarters of the requests, by the list's first letter."""

    functions: tuple[str, ...] = ()
    quarters: int = 4

    def go_wrong(self, name: str, items: tuple[str, ...]) -> bool:
        return name in self.functions and ord(items[0]) % 4 < self.quarters


def solve(request: str, lacks: Lacks) -> Answer:
    """The worked answer, wrong from the first function on that the student lacks."""
    chain, items = call_of(request)
    given = items
    states, operations = [], list[Operation]()
    for name in chain:
        operations.append(TABLE[name])
        wrong = lacks.go_wrong(name, given)
        items = ("z", "z", "z", "z", "z") if wrong else TABLE[name](items)
        states.append(items)
    return Answer(worked_answer(chain, operations, states))


class Students:
    """A `Launch`; `lacks`: by arm, what its adapter does wrong."""

    def __init__(self, lacks: Mapping[str, Lacks]) -> None:
        self.lacks = lacks
        self.published: list[str] = []
        self.slots = 0

    @contextmanager
    def __call__(self, plan: ServePlan) -> Iterator[Served]:
        self.slots = plan.slots
        with ScriptedTeacher(self._answer, admin=self._admin) as running:
            yield running

    def _answer(self, body: Body) -> Reply:
        assert not any(turn["role"] == "system" for turn in turns(body))
        if body["model"] == "base":
            return NO_IDEA
        ref = str(body["model"]).removesuffix(":adapter")
        if ref not in self.published:
            return Raw(404, json.dumps({"error": {"message": f"unknown model {ref}"}}))
        arm = ref.partition("@")[0].rpartition("stat-")[2]
        return solve(turns(body)[-1]["content"], self.lacks[arm])

    def _admin(self, verb: str, body: Body) -> Reply:
        assert verb == "publish"
        self.published.append(str(body["ref"]))
        return Raw(body="{}")


def run(
    base: Path, tmp_path: Path, lacks: Mapping[str, Lacks], *, full: bool = False
) -> RecipeVerdict:
    students, store = Students(lacks), Store(tmp_path / "store")
    context = RecipeContext(base, store, tmp_path / "work", 1, students, world="fg", full=full)
    verdict = verdict_of("stat", RECIPE, SMALL, context)
    assert students.slots == len(students.published) == len(lacks)
    return verdict


def test_the_settings_and_the_shipped_file_agree(repository: Path) -> None:
    text = (repository / "configs" / "recipes" / "stat.toml").read_text()
    assert Stat.model_validate(tomllib.loads(text)) == Stat()


def test_the_bars_are_those_of_the_cards() -> None:
    said = [str(clause) for clause in (*CRITERION.preconditions, *CRITERION.clauses)]
    assert said == [
        f"{RHO} > 0.7",
        "oracle minus student > 0.05",
        "sel minus uniform > 0.05",
        "sel minus shuffled > 0",
        "shuffled minus uniform < 0.02",
    ]


def test_a_budget_buys_as_many_validation_requests_as_it_pays_for() -> None:
    # 4 samples x 4 skills x 2 depths = 32 rollouts for one request of each
    assert fit(Stat(), Budget()).num_validation == 12
    assert fit(Stat(), Budget({"rollouts": 100})).num_validation == 3
    assert fit(Stat(), Budget({"rollouts": 10_000})).num_validation == 12
    with pytest.raises(BudgetExceeded, match="at least 32"):
        fit(Stat(), Budget({"rollouts": 31}))


@pytest.mark.slow
def test_rows_that_repair_what_is_missing_meet_the_criterion(
    small_base_dir: Path, tmp_path: Path
) -> None:
    verdict = run(
        small_base_dir,
        tmp_path,
        {
            "student": Lacks(WEAK),
            "uniform": Lacks(WEAK, 2),
            "shuffled": Lacks(WEAK, 3),
            "sel": Lacks(),
        },
    )
    assert verdict.status == "works"
    means = {name: arm.mean for name, arm in verdict.arms.items()}
    assert (means["none"], means["oracle"], means["sel"]) == (0.0, 1.0, 1.0)
    assert means["student"] < means["shuffled"] < means["uniform"] < 1.0
    assert {arm.n for arm in verdict.arms.values()} == {4 * 2 * 8}
    assert verdict.rollouts == 2 * 4 * 2 * 6  # samples, skills, depths, validation requests
    assert verdict.budget is not None
    # one call of the teacher for each failed answer, and the student fails both samples or none
    hard = int(verdict.notes[-1].split()[2])
    assert verdict.budget.spent["teacher_calls"] == 2 * hard
    assert sum(note.endswith("tokens") and ": 8 new rows" in note for note in verdict.notes) == 3
    rho = verdict.criterion.preconditions[0]
    assert rho.seen is not None
    assert rho.seen > 0.9


@pytest.mark.slow
def test_an_arm_that_gains_as_much_by_chance_is_no_win(
    small_base_dir: Path, tmp_path: Path
) -> None:
    same = dict.fromkeys(("uniform", "shuffled", "sel", "hardest"), Lacks(WEAK, 1))
    verdict = run(small_base_dir, tmp_path, {"student": Lacks(WEAK), **same}, full=True)
    assert (verdict.status, verdict.scope) == ("not-shown", "full")
    assert verdict.arms["hardest"].mean == verdict.arms["sel"].mean
    assert [clause.holds for clause in verdict.criterion.clauses] == [False, False, True]


@pytest.mark.slow
def test_a_student_that_lacks_something_else_is_not_the_experiment(
    small_base_dir: Path, tmp_path: Path
) -> None:
    strong = tuple(name for name in TABLE if name not in WEAK)[:3]
    same = dict.fromkeys(("student", "uniform", "shuffled"), Lacks(strong))
    verdict = run(small_base_dir, tmp_path, {**same, "sel": Lacks()})
    assert verdict.status == "absent-phenomenon"
    assert not verdict.criterion.preconditions[0].holds
