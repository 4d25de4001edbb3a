"""What pretraining shows: right actions only, of skills that it may see."""

import random
import re

import pytest
from skillweave.distill.worlds.household import (
    HouseholdEnvironment,
    HouseholdSpec,
    Start,
    is_open,
    open_spec,
)
from skillweave.distill.worlds.household.nouns import PLACES
from skillweave.distill.worlds.household.state import HAND
from skillweave.distill.worlds.household.tasks import draw_start
from skillweave.distill.worlds.household.teaching import (
    SOURCES,
    STRAY_SHARE,
    expert_episode,
    strayed,
    telling_starts,
    told_start,
)
from skillweave.distill.worlds.types import Message
from transformers import PreTrainedTokenizerBase

from ..words import num_tokens, unknown_words

PLACE = re.compile(rf"(?:{'|'.join(place.split()[0] for place in PLACES)}) [123]")


def drawn(role: str, num: int) -> list[tuple[str | None, tuple[Message, ...]]]:
    rng = random.Random(role)
    out = []
    for _ in range(num):
        teaching = SOURCES[role](rng)
        out.append((teaching.text, teaching.draw(rng)))
    return out


@pytest.mark.parametrize("role", ["follower", "solver"])
def test_episodes_are_short_and_of_known_words(
    role: str, tokenizer: PreTrainedTokenizerBase
) -> None:
    for text, conversation in drawn(role, 100):
        roles = [message["role"] for message in conversation]
        assert roles == ["user", "assistant"] * (len(roles) // 2)
        assert len(roles) <= 2 * 10
        if text is not None:
            assert num_tokens(text, tokenizer) <= 130
            assert not unknown_words([text], tokenizer)
        assert num_tokens(conversation[0]["content"].split("\n")[0], tokenizer) <= 40
        assert num_tokens(conversation[0]["content"], tokenizer) <= 75
        for message in conversation:
            assert not unknown_words([message["content"]], tokenizer)
        for message in conversation[1:]:
            bound = 8 if message["role"] == "assistant" else 30
            assert num_tokens(message["content"], tokenizer) <= bound
            assert message["content"] != "nothing happens."


def test_every_name_in_an_action_was_said_before() -> None:
    for text, conversation in drawn("follower", 100):
        said = (text or "").lower()
        for message in conversation:
            if message["role"] == "assistant":
                assert all(name in said for name in PLACE.findall(message["content"]))
            said += " " + message["content"]


def test_the_text_and_the_opening_lead_to_the_first_place() -> None:
    """What the expert does first follows from what was said, in a start that was not strayed."""
    for text, conversation in drawn("follower", 60):
        assert text is not None
        opening, first = conversation[0]["content"], conversation[1]["content"]
        if opening.count("\n") == 1:
            assert first.removeprefix("go to ") in text.lower()


def test_about_one_in_six_episodes_begins_after_random_actions() -> None:
    openings = [conversation[0]["content"] for _, conversation in drawn("follower", 300)]
    share = sum(opening.count("\n") == 2 for opening in openings) / 300
    assert abs(share - STRAY_SHARE) < 0.07


def test_a_strayed_start_moves_nothing_that_the_expert_alone_would_know() -> None:
    rng = random.Random(0)
    moved = 0
    for _ in range(60):
        start = draw_start(open_spec(rng, 1 + _ % 3), rng)
        begun = strayed(start, rng)
        assert 1 <= len(begun.before) <= 6
        now = begun.opening_state
        for index, kind in enumerate(start.room.things):
            if kind == start.goal.thing:
                assert now.where[index] in (start.state.where[index], HAND)
                assert not now.traits[index]
        moved += now.where != start.state.where
        episode = HouseholdEnvironment(begun, max_turns=16)
        for message in expert_episode(begun)[1::2]:
            step = episode.step(message["content"])
        assert step.terminated
    assert moved > 10


def test_a_follower_never_shows_a_held_out_skill() -> None:
    rng = random.Random(1)
    assert all(is_open(open_spec(rng, level)) for level in (1, 2, 3) for _ in range(50))


def test_a_solver_is_told_where_what_and_whither() -> None:
    rng = random.Random(2)
    for level in (1, 2, 3) * 10:
        spec = open_spec(rng, level)
        start = told_start(spec, rng)
        names = {dict(spec.homes)[start.goal.thing], spec.fixture, spec.place} - {None}
        assert set(PLACE.findall(start.request)) == names
        assert start.goal.thing in start.request
        assert expert_episode(start)[0]["content"].startswith(start.request)


def learned_from(examples: list[Start]) -> set[str]:
    return {name for start in examples for name in PLACE.findall(answers(start))}


def answers(start: Start) -> str:
    return "\n".join(message["content"] for message in expert_episode(start)[1::2])


def test_an_author_can_tell_the_whole_skill_from_the_examples() -> None:
    rng = random.Random(3)
    for level in (1, 2, 3) * 8:
        spec: HouseholdSpec = open_spec(rng, level)
        names = {home for _, home in spec.homes} | {spec.fixture, spec.place} - {None}
        assert learned_from(telling_starts(spec, rng)) == names


def test_an_author_is_asked_in_known_words_and_answers_with_names_that_stand_there(
    tokenizer: PreTrainedTokenizerBase,
) -> None:
    for text, (ask, answer) in drawn("author", 60):
        assert text is None
        assert not unknown_words([ask["content"], answer["content"]], tokenizer)
        assert num_tokens(ask["content"], tokenizer) <= 220
        names = PLACE.findall(answer["content"].lower())
        assert names
        assert all(name in ask["content"] for name in names)
