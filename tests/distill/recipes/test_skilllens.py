"""SkillLens against a server that follows texts, also where they do not apply, and writes drafts.

The server is a script, so the verdict is known beforehand: it works through the text in the system
message whatever is asked, through the request itself where there is no text, and as an author it
writes what the examples show, or a vague text in a share of its drafts.
"""

import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from skillweave.adapters.store.store import Store
from skillweave.distill.evaluation import Budget, BudgetExceeded, RecipeVerdict
from skillweave.distill.recipes import RecipeContext, verdict_of
from skillweave.distill.recipes.skilllens import CRITERION, RECIPE, SkillLens, fit
from skillweave.distill.serving import Served, ServePlan
from skillweave.distill.teachers.induction import induced
from skillweave.distill.worlds.string_skills import SkillSpec, worked_answer
from skillweave.distill.worlds.string_skills.teaching import authored_body

from ..followers import NO_IDEA, follow, system_of, turns
from ..reading import operations_in
from ..scripted_teacher import Answer, Body, Reply, ScriptedTeacher

SMALL = SkillLens(domains={"string_skills": (1,) * 12}, num_items=5, num_plain=1, num_drafts=5)
FEW = SMALL.model_copy(update={"domains": {"string_skills": (1,) * 8}, "num_items": 2})
VAGUE = "You may change some items.\nThe answer should be good."


def author(body: Body, *, vague: bool) -> Answer:
    """What the examples show; two in five drafts are vague where it is careless."""
    if vague and int(str(body["seed"])) % 5 < 2:
        return Answer(VAGUE)
    parts = turns(body)[-1]["content"].split("\n\n")[:-1]
    rows = [part.partition("\n")[2].partition("\nanswer\n") for part in parts]
    spec = induced([{"request": request, "answer": answer} for request, _, answer in rows])
    return Answer(authored_body(spec)) if spec else Answer(VAGUE)


def solve(request: str) -> Answer:
    """Do what the request says itself; one that says nothing cannot be answered."""
    operations = operations_in(request)
    if len(operations) != 1:
        return NO_IDEA
    items = request.replace("?", ":").rsplit(":", 1)[1].splitlines()[0].split()
    return Answer(worked_answer(SkillSpec(operations, "plain", "picnic"), tuple(items)))


def script(body: Body, *, distracted: bool, vague: bool) -> Reply:
    request = turns(body)[-1]["content"]
    if request.startswith("example 1"):
        return author(body, vague=vague)
    if not distracted and operations_in(request):
        return solve(request)
    if not system_of(body):
        return solve(request)
    try:
        return follow(system_of(body), body)
    except ValueError:  # the procedure leaves nothing of a list that it was not made for
        return NO_IDEA


def run(
    small_base_dir: Path,
    tmp_path: Path,
    *,
    distracted: bool = True,
    vague: bool = True,
    config: SkillLens = SMALL,
) -> RecipeVerdict:
    @contextmanager
    def launch(plan: ServePlan) -> Iterator[Served]:
        def answer(body: Body) -> Reply:
            return script(body, distracted=distracted, vague=vague)

        with ScriptedTeacher(answer) as running:
            yield running

    context = RecipeContext(small_base_dir, Store(tmp_path / "store"), tmp_path / "work", 1, launch)
    return verdict_of("skilllens", RECIPE, config, context)


def test_the_settings_and_the_shipped_file_agree(repository: Path) -> None:
    text = (repository / "configs" / "recipes" / "skilllens.toml").read_text()
    assert SkillLens.model_validate(tomllib.loads(text)) == SkillLens()


def test_the_criterion_holds_machinery_as_preconditions_and_effects_as_clauses() -> None:
    assert CRITERION.arms == ("draft", "faithful", "none", "wrong")
    assert str(CRITERION.clauses[0]) == "draft minus none > 0"
    assert len(CRITERION.preconditions) == 4


def test_a_budget_buys_fewer_drafts_and_never_fewer_than_two() -> None:
    assert fit(SMALL, Budget.parse("rollouts=24")).num_drafts == 2
    assert fit(SMALL, Budget.parse("rollouts=1000")).num_drafts == 5
    with pytest.raises(BudgetExceeded, match="at least 24"):
        fit(SMALL, Budget.parse("rollouts=23"))


@pytest.mark.slow
def test_planted_harm_is_found_and_the_meta_skill_lowers_it(
    small_base_dir: Path, tmp_path: Path
) -> None:
    verdict = run(small_base_dir, tmp_path)
    means = {name: arm.mean for name, arm in verdict.arms.items()}
    plain = pytest.approx(1 / 6)
    assert (means["oracle"], means["none"]) == (1.0, plain)
    assert means["faithful"] == means["guided"] > 0.6
    assert means["wrong"] < means["none"]
    assert means["vague"] == means["over_specific"] == 0.0
    assert means["vague"] < means["draft"] < means["guided"]
    assert verdict.rollouts == 12 * 5
    assert all(clause.holds for clause in verdict.criterion.preconditions)
    assert verdict.status == "works", verdict.criterion.clauses
    assert any(note.startswith("extractor vague: gain -0.167") for note in verdict.notes)


@pytest.mark.slow
def test_an_author_without_bad_drafts_leaves_the_meta_skill_nothing_to_do(
    small_base_dir: Path, tmp_path: Path
) -> None:
    verdict = run(small_base_dir, tmp_path, vague=False, config=FEW)
    assert verdict.status == "not-shown"
    assert [clause.holds for clause in verdict.criterion.clauses] == [True, False, True]


@pytest.mark.slow
def test_where_no_text_can_hurt_there_is_nothing_to_show(
    small_base_dir: Path, tmp_path: Path
) -> None:
    verdict = run(small_base_dir, tmp_path, distracted=False, config=FEW)
    assert verdict.status == "absent-phenomenon"
    assert [clause.holds for clause in verdict.criterion.preconditions] == [
        True, False, False, False,
    ]  # fmt: skip
