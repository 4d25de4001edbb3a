"""The string world's teacher in every role: honest answers hold, wrong ones are wrong."""

import asyncio
from typing import TypeVar

import pytest
from pydantic import BaseModel
from skillweave.adapters.errors import UsageError
from skillweave.distill.bank import SkillBank, SkillOp, Ungated
from skillweave.distill.teachers import (
    PRIVILEGED,
    ROLES,
    TRUTH,
    Cause,
    Challenges,
    Draft,
    Drafts,
    Judgement,
    Labels,
    Lessons,
    Payload,
    Proposal,
    Rates,
    drafted,
    string_teacher,
)
from skillweave.distill.teachers.induction import induced
from skillweave.distill.teachers.string_world import CRAFTS
from skillweave.distill.worlds.string_skills.spec import Operation, SkillSpec
from skillweave.distill.worlds.string_skills.tasks import draw_tasks

Form = TypeVar("Form", bound=BaseModel)
SPEC = SkillSpec((Operation("reverse"), Operation("swap-ends")), "commas", "harbour")
WRONG, JUNK = Rates(error=1.0), Rates(junk=1.0)


def examples(spec: SkillSpec = SPEC, num: int = 4, family: str = "x") -> list[dict[str, str]]:
    tasks = draw_tasks(spec, family=family, split="train", num_tasks=num, seed=5)
    return [{"request": t.request, "answer": t.worked, "family": family} for t in tasks]


def ask(
    role: str, payload: Payload, schema: type[Form], *, rates: Rates | None = None, seed: int = 0
) -> Form:
    teacher = string_teacher(
        rates={role: rates} if rates else None,  # type: ignore[dict-item]
        privileged={*PRIVILEGED, "write", "rewrite"},
    )
    return asyncio.run(teacher.ask(role, payload, schema=schema, seed=seed))


def test_every_role_is_answered() -> None:
    assert CRAFTS.keys() == ROLES.keys()


def test_examples_give_back_the_procedure_behind_them() -> None:
    assert induced(examples()) == SPEC
    longer = SkillSpec((Operation("sort", ("up",)), Operation("append", ("b",))), "stars", "market")
    found = induced(examples(longer, 8))
    assert found is not None
    assert [found.final(tuple(x)) for x in ("dcb", "kmlp")] == [
        longer.final(tuple(x)) for x in ("dcb", "kmlp")
    ]


def test_examples_that_no_procedure_explains_give_none() -> None:
    mixed = [*examples(), *examples(SkillSpec((Operation("mirror"),), "plain", "market"))]
    odd = [{"request": "for the harbour: b c d", "answer": "1: q q q q\nfinal: q q q q"}]
    assert induced(mixed) is None
    assert induced(odd) is None
    assert induced([]) is None
    assert induced([{"request": "", "answer": ""}]) is None


def test_a_written_skill_enters_a_bank() -> None:
    draft = ask("write", {"examples": examples(), "name": "harbour-routine"}, Draft)
    bank = SkillBank()
    text = drafted(draft, license="MIT")
    bank.apply(SkillOp(kind="create", new=(text,), gate=Ungated(why="a test")))
    assert bank.names == ("harbour-routine",)
    told = ask("write", {"examples": [], TRUTH: SPEC.to_json()}, Draft)
    assert told.name == "harbour-routine"


def test_seeds_vary_the_wording_and_repeat_it() -> None:
    bodies = [ask("write", {"examples": examples()}, Draft, seed=s).body for s in (0, 0, 1, 2, 3)]
    assert bodies[0] == bodies[1]
    assert len(set(bodies)) > 2


def test_wrong_and_junk_skills_are_well_formed_and_say_something_else() -> None:
    honest = ask("write", {"examples": examples()}, Draft)
    wrong = ask("write", {"examples": examples()}, Draft, rates=WRONG)
    junk = ask("write", {"examples": examples()}, Draft, rates=JUNK)
    assert len({honest.body, wrong.body, junk.body}) == 3
    assert "nothing else to read" in junk.description


def test_traces_that_passed_become_one_skill_a_family() -> None:
    other = SkillSpec((Operation("mirror"),), "plain", "market")
    failed = {"request": "x: b", "answer": "1: q\nfinal: q", "family": "a", "passed": False}
    traces = [*examples(family="a"), failed, *examples(other, family="b")]
    found = ask("extract", {"traces": traces}, Drafts)
    assert [draft.name for draft in found.skills] == ["a", "b"]


def test_merging_keeps_every_line_once_and_wrongly_only_one_skill() -> None:
    rows = [{"name": n, "description": n, "body": f"Same.\nOnly {n}."} for n in ("a", "b")]
    assert ask("merge", {"skills": rows}, Draft).body == "Same.\nOnly a.\nOnly b."
    assert ask("merge", {"skills": rows}, Draft, rates=WRONG).body.count("Only") == 1


def test_rewriting_drops_ornaments_and_wrongly_a_line() -> None:
    skill = {"name": "a", "description": "d", "body": "# Head\nOne.\nTwo."}
    told = {"skill": skill, "instruction": "shorter"}
    assert ask("rewrite", told, Draft).body == "One.\nTwo."
    assert len(ask("rewrite", told, Draft, rates=WRONG).body.splitlines()) == 2
    exact = ask("rewrite", {**told, TRUTH: SPEC.to_json()}, Draft)
    assert exact.name == "a"
    assert exact.body != skill["body"]


@pytest.mark.parametrize(("answer", "right"), [("final: b, c", True), ("final: c, b", False)])
def test_a_judge_told_the_truth_is_right_and_an_erring_one_is_wrong(
    answer: str, right: bool
) -> None:
    told = {"request": "x: c b", "answer": answer, TRUTH: "b, c"}
    assert ask("judge", told, Judgement).passed is right
    assert ask("judge", told, Judgement, rates=WRONG).passed is not right


def test_a_judge_without_the_truth_sees_only_the_form() -> None:
    assert ask("judge", {"request": "x", "answer": "final: wrong"}, Judgement).passed
    assert not ask("judge", {"request": "x", "answer": "wrong"}, Judgement).passed


def test_challenges_are_solvable_and_wrong_ones_have_other_answers() -> None:
    told = {"count": 3, TRUTH: SPEC.to_json()}
    found = ask("challenge", told, Challenges).challenges
    assert len(found) == 3
    assert induced([{"request": c.request, "answer": str(c.answer)} for c in found]) == SPEC
    wrong = ask("challenge", told, Challenges, rates=WRONG).challenges
    assert induced([{"request": c.request, "answer": str(c.answer)} for c in wrong]) != SPEC


@pytest.mark.parametrize(
    ("answer", "cause"),
    [
        ("1: d c b\n2: b c d\nfinal: b, c, d", ("", None)),
        ("1: c d b\n2: b d c\nfinal: b, d, c", ("wrong-step", 1)),
        ("1: d c b\nfinal: d, c, b", ("missing-step", 2)),
        ("1: d c b\n2: b c d\nfinal: b c d", ("wrong-format", None)),
        ("", ("missing-step", 1)),
    ],
)
def test_the_first_step_that_differs_is_to_blame(
    answer: str, cause: tuple[str, int | None]
) -> None:
    truth = "1: d c b\n2: b c d\nfinal: b, c, d"
    told = {"request": "for the harbour: b c d", "answer": answer, TRUTH: truth}
    found = ask("attribute", told, Cause)
    assert (found.failure_mode, found.step) == cause
    assert ask("attribute", told, Cause, rates=WRONG) != found


def test_the_family_that_fails_most_is_improved_or_created() -> None:
    failures = [{"family": "a"}, {"family": "b"}, {"family": "b"}]
    known = ask("propose", {"failures": failures, "skills": [{"name": "b"}]}, Proposal)
    assert (known.action, known.targets) == ("improve", ("b",))
    assert ask("propose", {"failures": failures, "skills": []}, Proposal).action == "create"
    assert ask("propose", {"failures": [], "skills": []}, Proposal).action == "none"


def test_labels_are_the_operations_and_wrong_ones_are_not() -> None:
    told = {"request": "x", TRUTH: SPEC.to_json()}
    assert ask("label_skills", told, Labels).skills == ("reverse", "swap-ends")
    assert set(ask("label_skills", told, Labels, rates=WRONG).skills) != {"reverse", "swap-ends"}


def test_reflection_names_the_steps_of_a_solution() -> None:
    row = {key: value for key, value in examples()[0].items() if key != "family"}
    assert len(ask("reflect", row, Lessons).lessons) == len(SPEC.operations)
    assert ask("reflect", {"request": "x", "answer": "no idea"}, Lessons).lessons == ()


@pytest.mark.parametrize(
    ("role", "payload", "schema"),
    [
        ("challenge", {"count": 2}, Challenges),
        ("label_skills", {"request": "x"}, Labels),
        ("attribute", {"request": "x", "answer": "y"}, Cause),
        ("write", {"examples": "nothing"}, Draft),
        ("challenge", {"count": 2, TRUTH: "no checker"}, Challenges),
    ],
)
def test_what_a_role_cannot_answer_is_refused_with_the_reason(
    role: str, payload: Payload, schema: type[BaseModel]
) -> None:
    with pytest.raises(UsageError):
        ask(role, payload, schema)
