"""What every world is held to, whoever wrote it: a new row of the table is tested from here on."""

import importlib
import random
import socket
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from skillweave.adapters.errors import SkillError
from skillweave.adapters.licences import PERMISSIVE
from skillweave.adapters.skills import writing_problems
from skillweave.distill.worlds.checkers import WORLD_KEY, checker_of, worlds
from skillweave.distill.worlds.metadata import CHECKER_KEY
from skillweave.distill.worlds.split_ledger import SplitLedger
from skillweave.distill.worlds.world import World
from skillweave.scripts.exams.world_episodes import (
    HOSTILE,
    NEEDS,
    SEEDS,
    drawn,
    hostile_answer,
    levels,
    play,
)
from transformers import PreTrainedTokenizerBase

from .playing import need
from .words import num_tokens, unknown_words

pytestmark = pytest.mark.slow

MAX_BODY, MAX_REQUEST, MAX_ANSWER = 130, 40, 80
MAX_ACTION, MAX_OBSERVATION, MAX_FIRST = 8, 30, 60
"""Tokens; of worlds of several turns an action, an observation, and what opens the episode."""

LONGER_ANSWERS = {"string_skills": 130}
"""Lists may grow to 13 symbols and are written after every step: six of them on its last level."""


@pytest.fixture(params=worlds())
def world(request: pytest.FixtureRequest) -> World:
    return need(request.param)


def test_the_spec_is_complete(world: World) -> None:
    spec = world.spec
    assert worlds()[spec.name] is world
    assert spec.source
    assert spec.licence.lower() in PERMISSIVE
    assert 0.0 <= spec.random_rate <= 0.15 < spec.oracle_rate <= 1.0
    assert spec.levels
    assert spec.max_turns >= 1


def test_skills_come_by_seed_and_can_be_written(world: World) -> None:
    for level in levels(world):
        for held_out in (True, False):
            skill = world.skill(level, seed=3, held_out=held_out)
            assert skill == world.skill(level, seed=3, held_out=held_out)
            assert writing_problems(skill) == []
            assert skill.metadata[WORLD_KEY] == world.spec.name
            checker = checker_of(skill)
            assert checker is not None
            assert checker.tasks("dev", 2, seed=1) == list(world.tasks(skill, "dev", 2, seed=1))
    assert len({skill.metadata[CHECKER_KEY] for skill, _ in drawn(world.spec.name)}) > 40


def test_the_same_seed_gives_the_same_trajectory(world: World) -> None:
    digests = []
    for skill, task in drawn(world.spec.name):
        seed = len(digests)
        again = world.tasks(skill, "test", 2, seed=seed)[seed % 2]
        assert again == task
        one = play(task, max_turns=world.spec.max_turns, seed=seed)
        assert play(again, max_turns=world.spec.max_turns, seed=seed).digest == one.digest
        digests.append(one.digest)
    assert len({*digests}) == len(digests)


def test_an_episode_shows_its_messages_first_and_begins_anew(world: World) -> None:
    for _, task in drawn(world.spec.name)[:5]:
        episode = task.environment()
        first = episode.reset(0)
        assert first.messages == task.messages
        assert {message["role"] for message in first.messages} == {"user"}
        assert episode.describe()
        action = episode.expert() or ""
        episode.step(action)
        assert episode.reset(0) == first
        assert episode.expert() == action


def test_the_expert_passes_as_often_as_stated(world: World) -> None:
    played = [play(task, max_turns=world.spec.max_turns) for _, task in drawn(world.spec.name)]
    passed = sum(one.verdict.passed for one in played)
    assert passed / len(SEEDS) >= world.spec.oracle_rate
    for one, (_, task) in zip(played, drawn(world.spec.name), strict=True):
        # The same actions as one text: a plan, or simply the answer.
        assert task.verify("\n".join(one.actions)) == one.verdict


def test_a_guess_passes_no_more_often_than_stated(world: World) -> None:
    rng = random.Random(0)
    rows = drawn(world.spec.name)
    passed = sum(task.verify(world.guess(task, rng)).passed for _ in range(4) for _, task in rows)
    assert passed / (4 * len(rows)) <= world.spec.random_rate


def test_an_empty_episode_is_worth_nothing(world: World) -> None:
    for _, task in drawn(world.spec.name):
        episode = task.environment()
        episode.reset(0)
        for verdict in (episode.verdict(), task.verify(""), task.verify("\n \n")):
            assert (verdict.passed, verdict.reward) == (False, 0.0)
            assert verdict.reason


def test_nonsense_ends_the_episode_and_a_truncated_one_is_no_success(world: World) -> None:
    for _, task in drawn(world.spec.name)[:10]:
        played = play(task, max_turns=world.spec.max_turns, action="look around and hope")
        assert len(played.actions) <= world.spec.max_turns
        assert played.truncated == (world.spec.max_turns > 1)
        assert (played.verdict.passed, played.verdict.reward) == (False, 0.0)


@pytest.mark.parametrize("kind", HOSTILE)
def test_hostile_answers_are_worth_nothing_and_run_nothing(
    world: World, kind: str, tmp_path: Path
) -> None:
    trap = tmp_path / "trap"
    answer = hostile_answer(kind, str(trap))
    for _, task in drawn(world.spec.name)[:4]:
        verdict = task.verify(answer)
        assert (verdict.passed, verdict.reward) == (False, 0.0)
        assert len(verdict.reason) < 1000
        verdict.reason.encode()
        played = play(task, max_turns=2, action=answer)
        assert (played.verdict.passed, played.verdict.reward) == (False, 0.0)
        assert sum(len(message["content"]) for message in played.observed) < 5000
    assert not trap.exists()


def test_a_right_answer_in_a_text_too_long_to_be_looked_at_does_not_pass(world: World) -> None:
    for _, task in drawn(world.spec.name)[:4]:
        right = "\n".join(play(task, max_turns=world.spec.max_turns).actions)
        assert task.verify(right).passed
        for text in (right + "\n" + "x" * 1_000_000, right + "\n" * 1_000_000):
            verdict = task.verify(text)
            assert (verdict.passed, verdict.reward) == (False, 0.0)
            assert "expected at most 20000" in verdict.reason


@pytest.mark.parametrize("checker", ["[" * 100_000, '{"a":' * 100_000, "1" * 10_000, "\x00", "[]"])
def test_a_hostile_checker_is_an_error_with_a_short_message(world: World, checker: str) -> None:
    skill = world.skill(1, seed=0)
    hostile = replace(skill, metadata={**skill.metadata, CHECKER_KEY: checker})
    with pytest.raises(SkillError, match="unreadable checker") as refused:
        world.tasks(hostile, "test", 1, seed=0)
    assert len(str(refused.value)) < 1000


def test_splits_share_no_task(world: World) -> None:
    for level in levels(world)[:3]:
        ledger = SplitLedger()
        skill = world.skill(level, seed=7)
        used: list[str] = []
        for split in ("train", "dev", "test"):
            tasks = world.tasks(skill, split, 12, seed=5, exclude=used)  # type: ignore[arg-type]
            assert len({task.id for task in tasks}) == 12
            assert {task.split for task in tasks} == {split}
            assert {task.family for task in tasks} == {skill.name}
            ledger.record(split, [task.id for task in tasks])
            used += [task.id for task in tasks]
        assert sum(ledger.counts().values()) == 36


def test_nothing_is_fetched(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a world opened a socket")

    monkeypatch.setattr(socket, "socket", refuse)
    monkeypatch.setattr(socket, "create_connection", refuse)
    skill = world.skill(world.spec.levels[0], seed=11)
    for task in world.tasks(skill, "train", 2, seed=11):
        assert play(task, max_turns=world.spec.max_turns).verdict.passed


def test_every_word_is_one_token_and_texts_stay_short(
    world: World, tokenizer: PreTrainedTokenizerBase
) -> None:
    several = world.spec.max_turns > 1
    answer = MAX_ACTION if several else LONGER_ANSWERS.get(world.spec.name, MAX_ANSWER)
    for skill, task in drawn(world.spec.name):
        played = play(task, max_turns=world.spec.max_turns)
        requests = [message["content"] for message in task.messages]
        replies = [message["content"] for message in played.observed]
        assert unknown_words([skill.body, *requests, *played.actions, *replies], tokenizer) == set()
        most = {
            "body": (MAX_BODY, [skill.body]),
            "request": (MAX_FIRST if several else MAX_REQUEST, requests),
            "answer": (answer, played.actions),
            "observation": (MAX_OBSERVATION, replies),
        }
        for what, (limit, texts) in most.items():
            assert all(num_tokens(text, tokenizer) <= limit for text in texts), what


@pytest.mark.parametrize("role", ["follower", "solver", "author"])
@pytest.mark.parametrize("name", [name for name in worlds() if name not in NEEDS])
def test_teaching_is_short_talk_in_known_words(
    name: str, role: str, tokenizer: PreTrainedTokenizerBase
) -> None:
    sources = importlib.import_module(f"skillweave.distill.worlds.{name}.teaching").SOURCES
    for seed in range(15):
        teaching = sources[role](random.Random(seed))
        assert (teaching.text is not None) == (role == "follower")
        turns = teaching.draw(random.Random(seed))
        assert turns == sources[role](random.Random(seed)).draw(random.Random(seed))
        assert [turn["role"] for turn in turns] == ["user", "assistant"] * (len(turns) // 2)
        texts = [teaching.text or "", *(turn["content"] for turn in turns)]
        assert unknown_words(texts, tokenizer) == set()
        assert num_tokens(texts[0], tokenizer) <= MAX_BODY
        assert all(num_tokens(turn["content"], tokenizer) <= MAX_BODY for turn in turns[1::2])


def test_requests_do_not_name_their_skill(world: World) -> None:
    for skill, task in drawn(world.spec.name):
        assert skill.name not in task.messages[0]["content"]


OWN_TEST = {
    "constraints": "test_the_same_letters_are_asked_for_in_the_same_words_under_any_constraints",
    "household": "test_a_request_names_the_thing_and_the_topic_and_nothing_else_of_the_skill",
    "reasoning": "no such test: these requests say everything, and a skill is one manner of work",
}
"""Worlds whose requests hardly ever recur word by word, and where their own tests hold the law."""


@pytest.mark.parametrize("name", [name for name in worlds() if name not in OWN_TEST])
def test_a_skills_text_holds_what_its_requests_lack(name: str) -> None:
    """Two skills are asked the same thing word by word, and the right answers differ."""
    world = need(name)
    asked: dict[str, list[str]] = {}
    for seed in range(400):
        for level in world.spec.levels[:3]:
            for task in world.tasks(world.skill(level, seed=seed), "train", 4, seed=0):
                answers = asked.setdefault(f"{level} {task.family} {task.messages}", [])
                if any(not task.verify(answer).passed for answer in answers):
                    return
                answers.append(task.environment().expert() or "")
    pytest.fail("no request recurred under another skill with another answer")


def test_the_worlds_import_no_package_of_an_extra_and_no_torch() -> None:
    code = (
        "import sys; import skillweave.distill.worlds.checkers as c; assert c.worlds();"
        "print(*sorted({n.split('.')[0] for n in sys.modules}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = {*done.stdout.split()}
    assert not loaded & {"reasoning_gym", "minigrid", "gymnasium", "textworld", "alfworld"}
    assert not loaded & {"torch", "transformers"}
