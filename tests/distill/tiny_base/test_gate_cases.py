"""What the gates ask: held-out skills, drawn by a seed, answerable from what is shown."""

import pytest
from skillweave.distill.tiny_base.author_cases import AUTHORS, NUM_REQUESTS, AuthorGate
from skillweave.distill.tiny_base.gate_cases import (
    WORLDS,
    string_cases,
    string_solver_cases,
    told_cases,
    world_cases,
)
from skillweave.distill.tiny_base.mixture import MIXTURE
from skillweave.distill.worlds.household import HouseholdTask
from skillweave.distill.worlds.string_skills import SkillSpec, is_held_out
from skillweave.distill.worlds.world import World

from ..reading import formats_in, operations_in


@pytest.mark.parametrize("num_steps", [1, 2, 3])
def test_cases_are_drawn_by_seed(num_steps: int) -> None:
    cases = string_cases(num_steps, 30, seed=1)
    assert cases == string_cases(num_steps, 30, seed=1)
    assert cases[:10] == string_cases(num_steps, 10, seed=1)
    assert cases != string_cases(num_steps, 30, seed=2)
    assert len({case.system for case in cases}) > 25


@pytest.mark.parametrize("num_steps", [1, 2, 3])
def test_string_cases_are_held_out_and_complete(num_steps: int) -> None:
    for case in string_cases(num_steps, 60, seed=1):
        assert case.system is not None
        (form,) = formats_in(case.system)
        spec = SkillSpec(operations_in(case.system), form, "picnic")
        assert len(spec.operations) == num_steps
        assert is_held_out(spec)
        request = case.task.messages[-1]["content"]
        items = tuple(request.replace("?", ":").rsplit(":", 1)[1].split())
        assert case.task.verify(f"final: {spec.final(items)}").passed


@pytest.mark.parametrize("world", WORLDS.values(), ids=WORLDS.keys())
def test_an_expert_passes_every_case_of_a_world(world: World) -> None:
    for level in world.spec.levels:
        cases = world_cases(world, level, 6, seed=1)
        assert cases == world_cases(world, level, 6, seed=1)
        assert len({case.system for case in cases}) == 6
        for case in cases:
            episode = case.task.environment()
            episode.reset(0)
            for _ in range(world.spec.max_turns):
                action = episode.expert()
                assert action is not None
                step = episode.step(action)
                if step.terminated or step.truncated:
                    break
            assert episode.verdict().passed


@pytest.mark.parametrize("gate", AUTHORS.values(), ids=AUTHORS.keys())
def test_an_authors_examples_are_not_what_its_text_is_tried_on(gate: AuthorGate) -> None:
    cases = gate.cases(8, seed=1)
    assert cases == gate.cases(8, seed=1)
    assert cases[:4] == gate.cases(4, seed=1)
    for case in cases:
        assert case.request.count("example ") == 3
        assert len(case.tasks) == NUM_REQUESTS
        for task in case.tasks:
            request = task.messages[-1]["content"].split("\n")[0]
            if gate.max_turns == 1:
                assert request not in case.request


def test_a_household_author_is_shown_every_thing_that_is_asked_for() -> None:
    for case in AUTHORS["household"].cases(9, seed=2):
        for task in case.tasks:
            assert isinstance(task, HouseholdTask)
            assert f"take {task.start.goal.thing} from" in case.request


def test_a_solvers_requests_need_no_text() -> None:
    for case in string_solver_cases(20, seed=1):
        assert case.system is None
        assert len(operations_in(case.task.messages[-1]["content"])) >= 1


def test_every_world_of_the_mixture_is_asked_at_every_level_in_range() -> None:
    asked = {gate.split(".")[0] for gate in told_cases(1, seed=0)}
    assert asked == {part.split(".")[0] for part in MIXTURE}
    for name, world in WORLDS.items():
        for level in world.spec.levels:
            outside = level in world.spec.out_of_range
            assert (f"{name}.text_{level}" in told_cases(1, seed=0)) != outside
