"""Playing: conversations by ids, forced prefixes, deadlines, failures as data, seeds."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from skillweave.adapters.card import Frame
from skillweave.adapters.errors import (
    BudgetExceeded,
    EngineError,
    MissingAbility,
    NotFound,
    StoreError,
    UsageError,
)
from skillweave.distill.policy import ServedPolicy
from skillweave.distill.rendering import token_row
from skillweave.distill.rollouts import (
    OFF_POLICY,
    Sampling,
    Trajectory,
    derived_seed,
    rows_of,
)
from skillweave.distill.rollouts.chat import ChatRenderer
from skillweave.distill.rollouts.local import LocalPolicy
from skillweave.distill.rollouts.play import play, play_all
from skillweave.distill.rollouts.policy import TokenPolicy
from skillweave.distill.rollouts.prefixes import Forced, demo_prefix, expert_turns, text_prefix
from skillweave.distill.rollouts.replay import (
    ReplayPolicy,
    append_trajectories,
    read_trajectories,
)
from skillweave.distill.rollouts.text_only import TextOnlyPolicy
from skillweave.distill.worlds.string_skills import SkillSpec, draw_tasks
from skillweave.distill.worlds.types import Message, Task
from transformers import PreTrainedTokenizerBase

from ..scripted_teacher import Answer, ScriptedTeacher
from .counting import CountTask
from .scripted_policy import END, ScriptedPolicy

HOW = Sampling(temperature=1.0, max_tokens=16)
Make = Callable[..., ScriptedPolicy]


@pytest.fixture
def make(tokenizer: PreTrainedTokenizerBase) -> Make:
    def scripted(script: Callable[[str], str] = lambda seen: "less", **how: Any) -> ScriptedPolicy:
        return ScriptedPolicy(ChatRenderer(tokenizer), script, **how)

    return scripted


def played(policy: TokenPolicy, task: Task, **how: Any) -> Trajectory:
    return asyncio.run(play(policy, task, **{"model": "m", "sampling": HOW, **how}))


def conversation(seen: Trajectory) -> list[Message]:
    """What was said, as messages."""
    out: list[Message] = []
    for turn in seen.turns:
        out += [*turn.messages, {"role": "assistant", "content": turn.text}]
    return out


def test_an_episode_is_one_growing_sequence(make: Make) -> None:
    policy = make()
    seen = played(policy, CountTask(3), seed=9, group=4, sample=1)
    assert (seen.verdict.passed, seen.reward, seen.error) == (True, 1.0, "")
    assert [turn.text for turn in seen.turns] == ["less"] * 3
    assert [turn.reward for turn in seen.turns] == [0.0, 0.0, 0.5]
    assert [turn.info["left"] for turn in seen.turns] == ["2", "1", "0"]
    assert {turn.legal_actions for turn in seen.turns} == {("less", "wait")}
    assert (seen.task_id, seen.family, seen.split) == ("count-3", "counting", "train")
    assert (seen.group, seen.sample, seen.policy_version) == (4, 1, "3")
    prompts = [ids for _, ids, _ in policy.asked]
    for turn, prompt in zip(seen.turns, prompts, strict=True):
        assert (turn.tokens_in, turn.tokens_out) == (len(prompt), 2)
    assert prompts[1][: len(prompts[0]) + 2] == prompts[0] + seen.turns[0].ids_of("policy")
    assert seen.ids == prompts[2] + seen.turns[2].ids_of("policy")
    assert [seed for _, _, seed in policy.asked] == [derived_seed(9, turn) for turn in range(3)]


FRAMES = [Frame(), Frame(system="count", template_args={"enable_thinking": False})]


@pytest.mark.parametrize("frame", FRAMES)
@pytest.mark.parametrize("cut", [False, True])
def test_running_ids_are_the_templates_rendering_of_the_whole_conversation(
    make: Make, tokenizer: PreTrainedTokenizerBase, frame: Frame, cut: bool
) -> None:
    seen = played(make(cut=cut), CountTask(4), frame=frame)
    whole = token_row(tokenizer, conversation(seen), frame)
    rest = whole.ids[len(seen.ids) :]
    assert seen.ids == whole.ids[: len(seen.ids)]
    assert tokenizer.decode(list(rest)) == ("<|im_end|>\n" if cut else "\n")
    (row,) = rows_of(seen)
    for own, template, one in zip(row.learn, whole.learn, row.ids, strict=False):
        assert own == (template and not (cut and one == END))


def test_answers_are_kept_as_drawn_and_never_tokenised_again(
    make: Make, tokenizer: PreTrainedTokenizerBase
) -> None:
    seen = played(make(spelled=True), CountTask(2))
    plain = played(make(), CountTask(2))
    assert tokenizer.decode(list(seen.ids)) == tokenizer.decode(list(plain.ids))
    assert len(seen.turns[0].ids_of("policy")) == 5
    assert len(plain.turns[0].ids_of("policy")) == 2
    assert len(seen.ids) == len(plain.ids) + 6


def test_the_skills_text_stands_in_for_the_frames(make: Make) -> None:
    policy = make()
    one = played(policy, CountTask(1), frame=Frame(system="be brief"), system="count down")
    two = played(policy, CountTask(1), frame=Frame(system="be brief"))
    first, second = (policy.renderer.decode(ids) for _, ids, _ in policy.asked)
    assert "count down" in first
    assert "be brief" not in first
    assert "be brief" in second
    assert one.policy.context_digest != two.policy.context_digest
    assert one.policy.model == "m"
    assert one.policy.base_digest == "d" * 64


def test_one_turn_tasks_are_judged_by_their_verifier(make: Make, spec: SkillSpec) -> None:
    (task,) = draw_tasks(spec, family="f", split="dev", num_tasks=1, seed=0)
    right = played(make(lambda seen: task.worked), task)
    wrong = played(make(lambda seen: "final: no idea"), task)
    assert (right.verdict.passed, wrong.verdict.passed) == (True, False)
    assert len(right.turns) == len(wrong.turns) == 1
    assert right.turns[0].messages == task.messages
    half = demo_prefix(0.5)
    policy = make(lambda seen: "")
    forced = played(policy, task, prefix=half)
    ids = policy.renderer.encode(task.worked)
    assert forced.turns[0].ids_of("demo_prefix") == ids[: len(ids) // 2]
    assert forced.turns[0].text == policy.renderer.decode(ids[: len(ids) // 2])


def test_a_prefix_is_seen_by_policy_and_world_and_marked(make: Make) -> None:
    policy = make(lambda seen: "less"[len(seen.rsplit("assistant\n")[-1]) :])
    seen = played(policy, CountTask(2), prefix=text_prefix("le", "naive"))
    assert [turn.text for turn in seen.turns] == ["less", "less"]
    assert seen.turns[0].ids_of("naive") == policy.renderer.encode("le")
    assert seen.turns[1].ids_of("naive") == ()
    (row,) = rows_of(seen, OFF_POLICY)
    marked = [p for p, learn in zip(row.provenance, row.learn, strict=True) if learn]
    assert set(marked) == {"policy"}
    assert row.provenance.count("naive") == len(policy.renderer.encode("le"))


def test_an_expert_takes_whole_turns_with_their_ends(
    make: Make, tokenizer: PreTrainedTokenizerBase
) -> None:
    policy = make(lambda seen: "wait")
    seen = played(policy, CountTask(2), prefix=expert_turns(1), max_turns=3)
    assert [turn.text for turn in seen.turns] == ["less", "wait", "wait"]
    assert seen.turns[0].ids_of("expert") == (*policy.renderer.encode("less"), END)
    assert (seen.turns[0].tokens_out, seen.turns[0].finish_reason) == (0, "forced")
    assert len(policy.asked) == 2
    assert not seen.verdict.passed
    assert seen.ids == token_row(tokenizer, conversation(seen), Frame()).ids[:-1]
    done = played(policy, CountTask(2), prefix=expert_turns(9))
    assert done.verdict.passed
    assert done.tokens_out == 0


def test_forced_tokens_are_some_and_not_the_policys_own() -> None:
    with pytest.raises(ValueError, match="0 forced tokens"):
        Forced((), "hint")
    for own in ("prompt", "policy"):
        with pytest.raises(ValueError, match="expected demo_prefix"):
            Forced((1,), own)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="share of 1"):
        demo_prefix(1.0)


def stumble(seen: str) -> str:
    if "is 1" in seen:
        raise EngineError("the engine is gone")
    return "less"


def test_a_failure_of_the_policy_is_data_with_the_turns_before_it(make: Make) -> None:
    seen = played(make(stumble), CountTask(3))
    assert seen.error == "EngineError: the engine is gone"
    assert (seen.verdict.passed, seen.reward) == (False, 0.0)
    assert [turn.text for turn in seen.turns] == ["less", "less"]
    assert rows_of(seen)


def test_a_failure_of_the_world_is_data_too(make: Make) -> None:
    seen = played(make(), CountTask(3, wrecked_at=1))
    assert seen.error == "RuntimeError: the world broke"
    assert len(seen.turns) == 1
    assert not seen.verdict.passed


def test_a_deadline_ends_an_episode_and_keeps_what_came_before(make: Make) -> None:
    seen = played(make(hangs_at="is 6"), CountTask(8), deadline_s=0.5)
    assert seen.error == "DeadlinePassed: 0.5 s were over after 2 turn(s)"
    assert len(seen.turns) == 2
    assert not seen.verdict.passed


def test_who_gives_up_is_cancelled_and_not_recorded(make: Make) -> None:
    async def go() -> None:
        task = asyncio.create_task(play(make(delay_s=9.0), CountTask(1), model="m", sampling=HOW))
        await asyncio.sleep(0)
        task.cancel()
        await task

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(go())


def test_an_episode_without_end_is_given_up(make: Make) -> None:
    idle = make(lambda seen: "wait")
    by_us = played(idle, CountTask(1), max_turns=2)
    by_world = played(idle, CountTask(1))
    assert (len(by_us.turns), len(by_world.turns)) == (2, 8)
    assert not by_us.verdict.passed
    assert not by_world.verdict.passed
    assert by_us.error == by_world.error == ""


def test_many_are_played_in_order_within_the_bound(make: Make) -> None:
    policy = make(stumble, delay_s=0.001)
    tasks = [CountTask(start, family=f"f{start}") for start in (3, 1, 2)]

    def go(run: str, **how: Any) -> list[Trajectory]:
        every = {"model": lambda task: f"{task.family}@1", "sampling": HOW, "samples": 2, **how}
        return asyncio.run(play_all(policy, tasks, run=run, **every))

    seen = go("r", concurrency=3)
    places = [(one.group, one.sample) for one in seen]
    assert places == [(0, 0), (0, 1), (1, 0), (1, 1), (2, 0), (2, 1)]
    assert [one.task_id for one in seen[::2]] == ["count-3", "count-1", "count-2"]
    assert [one.policy.model for one in seen[::2]] == ["f3@1", "f1@1", "f2@1"]
    assert policy.most_at_once == 3
    assert all(one.error for one in seen), "every one stumbles, and every one is there"
    seeds = [one.seed for one in seen]
    assert seeds == [derived_seed("r", 0, f"count-{n}", s) for n in (3, 1, 2) for s in (0, 1)]
    assert seeds == [one.seed for one in go("r", concurrency=1)]
    assert not set(seeds) & {one.seed for one in go("r", step=1) + go("other")}


def test_texts_may_differ_from_task_to_task(make: Make) -> None:
    policy = make()
    how = {"model": "m", "sampling": HOW, "system": lambda task: f"start {task.start}"}
    asyncio.run(play_all(policy, [CountTask(1), CountTask(2)], run="r", **how))  # type: ignore[arg-type]
    told = [policy.renderer.decode(ids) for _, ids, _ in policy.asked]
    assert sorted("start 1" in text for text in told) == [False, False, True]


def test_a_policy_without_ids_plays_by_messages_and_says_what_it_lacks() -> None:
    with ScriptedTeacher(lambda body: Answer("less", {"x-skillweave-version": "7"})) as teacher:

        async def go(**how: Any) -> Trajectory:
            async with ServedPolicy(teacher.url) as served:
                policy = TextOnlyPolicy(served)
                every = {"model": "m", "sampling": HOW, "system": "count", **how}
                return await play(policy, CountTask(2), **every)

        seen = asyncio.run(go(route="messages"))
        with pytest.raises(MissingAbility, match="has no token_ids"):
            asyncio.run(go())
        with pytest.raises(UsageError, match="a prefix by the route 'messages'"):
            asyncio.run(go(route="messages", prefix=expert_turns(1)))
    assert (seen.verdict.passed, seen.policy_version) == (True, "7")
    assert [turn.text for turn in seen.turns] == ["less", "less"]
    first, second = teacher.requests
    assert [m["role"] for m in second["messages"]] == ["system", "user", "assistant", "user"]  # type: ignore[attr-defined]
    assert first["seed"] != second["seed"]
    assert seen.tokens_out == 2
    with pytest.raises(ValueError, match="holds no token ids"):
        rows_of(seen)


def test_by_messages_ids_are_one_sequence_only_where_they_are(make: Make) -> None:
    whole = played(make(), CountTask(2), route="messages")
    drifted = played(make(spelled=True), CountTask(2), route="messages")
    assert whole.ids == played(make(), CountTask(2)).ids
    assert [turn.continues for turn in drifted.turns] == [True, False]
    assert len(rows_of(drifted)) == 2


def test_several_answers_are_samples_not_n(make: Make) -> None:
    with pytest.raises(UsageError, match="`samples`"):
        played(make(), CountTask(1), sampling=replace(HOW, n=2))


def test_a_recorded_run_plays_again_exactly(
    local: LocalPolicy, spec: SkillSpec, tmp_path: Path
) -> None:
    """Sampled answers of two adapters, episodes and failures; from the file alone."""
    tasks: list[Task] = [*draw_tasks(spec, family="f", split="dev", num_tasks=2, seed=0)]
    tasks += [CountTask(2), CountTask(1, family="missing")]
    names = {"f": "a", "counting": "b", "missing": "nobody"}

    def go(policy: TokenPolicy, run: str = "r") -> list[Trajectory]:
        how = {"sampling": HOW, "samples": 2, "max_turns": 3, "prefix": text_prefix("final")}
        by_task = lambda task: names[task.family]  # noqa: E731
        return asyncio.run(play_all(policy, tasks, run=run, model=by_task, **how))  # type: ignore[arg-type]

    first = go(local)
    append_trajectories(tmp_path / "runs" / "a.jsonl", first[:3])
    append_trajectories(tmp_path / "runs" / "a.jsonl", first[3:])
    again = ReplayPolicy(read_trajectories(tmp_path / "runs" / "a.jsonl"), local.renderer)
    assert again.capabilities.deterministic
    second = go(again)
    for one, two in zip(first, second, strict=True):
        still = replace(two, wall_s=one.wall_s, error=one.error)
        clock = zip(one.turns, two.turns, strict=True)
        still = replace(still, turns=tuple(replace(b, wall_s=a.wall_s) for a, b in clock))
        assert still == one
        assert one.error in two.error
    assert {bool(one.error) for one in second} == {False, True}
    assert all("NotFound: nothing is recorded" in one.error for one in go(again, "other"))


def test_a_run_by_messages_plays_again(make: Make) -> None:
    first = played(make(), CountTask(2), route="messages", system="count")
    again = ReplayPolicy([first])
    second = played(again, CountTask(2), route="messages", system="count")
    assert [turn.ids for turn in second.turns] == [turn.ids for turn in first.turns]
    assert "NotFound" in played(again, CountTask(2), route="messages").error
    with pytest.raises(MissingAbility, match="token_ids"):
        played(again, CountTask(2))
    with pytest.raises(MissingAbility, match="scoring"):
        asyncio.run(again.score((1,), (2,), model="m"))


def test_a_file_that_is_none_is_named_with_its_line(make: Make, tmp_path: Path) -> None:
    file = tmp_path / "a.jsonl"
    append_trajectories(file, [played(make(), CountTask(1))])
    with file.open("a") as more:
        more.write('{"trajectory_version": 1, "task')
    with pytest.raises(StoreError, match=r"a\.jsonl, line 2: "):
        read_trajectories(file)
    with pytest.raises(StoreError, match="cannot be read"):
        read_trajectories(tmp_path / "none")


def test_asked_again_with_another_seed_nothing_is_made_up(make: Make) -> None:
    policy = make()
    again = ReplayPolicy([played(policy, CountTask(1), seed=1)], policy.renderer)
    ids = policy.asked[0][1]
    fine = replace(HOW, seed=derived_seed(1, 0))
    assert asyncio.run(again.generate(ids, model="m", sampling=fine)).text == "less"
    others = [
        replace(fine, seed=5),
        HOW,
        replace(fine, temperature=0.5),
        replace(fine, stop=("x",)),
    ]
    for model, how in [("n", fine), *(("m", other) for other in others)]:
        with pytest.raises(NotFound, match="nothing is recorded of"):
            asyncio.run(again.generate(ids, model=model, sampling=how))


def test_what_somebody_else_wrote_is_never_replayed_as_the_policys_answer(make: Make) -> None:
    """The expert's turn was asked of nobody: replayed without the expert it is not found."""
    first = played(make(), CountTask(2), prefix=expert_turns(1), route="tokens")
    assert first.turns[0].finish_reason == "forced"
    again = ReplayPolicy([first], make().renderer)
    assert "NotFound" in played(again, CountTask(2), route="messages").error
    assert "NotFound" in played(again, CountTask(2)).error
    assert played(again, CountTask(2), prefix=expert_turns(1)).verdict.passed


@pytest.mark.parametrize("error", [BudgetExceeded("nothing left"), MissingAbility("no router")])
def test_what_is_wrong_with_the_whole_run_is_no_failed_episode(
    make: Make, error: Exception
) -> None:
    def script(seen: str) -> str:
        raise error

    with pytest.raises(type(error), match=str(error)):
        played(make(script), CountTask(1))
    with pytest.raises(type(error), match=str(error)):
        asyncio.run(play_all(make(script), [CountTask(1)] * 3, run="r", model="m", sampling=HOW))


def test_a_policy_of_texts_alone_gives_one_answer_or_an_error(make: Make) -> None:
    policy = TextOnlyPolicy(ServedPolicy("http://127.0.0.1:9/v1"))
    with pytest.raises(UsageError, match=r"n is 2: expected 1"):
        asyncio.run(policy.sample([{"role": "user", "content": "x"}], model="m",
                                  sampling=replace(HOW, n=2)))  # fmt: skip
