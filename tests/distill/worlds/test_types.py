"""A task of one turn as an episode."""

from skillweave.distill.worlds.string_skills import draw_tasks, held_out_specs
from skillweave.distill.worlds.types import OneTurn, Task, Verdict


def one_task() -> Task:
    return draw_tasks(held_out_specs(0)[0], family="f", split="dev", num_tasks=1, seed=0)[0]


def test_one_turn_shows_the_request_and_ends_with_the_verdict() -> None:
    task = one_task()
    episode = task.environment()
    assert episode.reset(0).messages == task.messages
    assert episode.verdict() == Verdict(False, 0.0, "no answer was given")
    worked = episode.expert()
    assert worked is not None
    step = episode.step(worked)
    assert step.terminated
    assert not step.truncated
    assert step.observation.messages == ()
    assert episode.verdict().passed
    assert not episode.step("final: nothing").reward
    assert episode.reset(1).messages == task.messages
    assert not episode.verdict().passed


def test_a_task_without_a_reference_has_no_expert() -> None:
    task = one_task()
    assert OneTurn(task).expert() is None
    assert task.messages[0]["content"] in OneTurn(task).describe()
