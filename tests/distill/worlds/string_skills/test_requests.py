"""A request carries the trigger and a list; what to do with the list it never says."""

import random
import re

import pytest
from skillweave.distill.worlds.string_skills import SkillSpec, random_spec, string_skill
from skillweave.distill.worlds.string_skills.formats import FORMATS
from skillweave.distill.worlds.string_skills.primitives import ALPHABET, PRIMITIVES
from skillweave.distill.worlds.string_skills.requests import Wording, random_items, request_text
from skillweave.distill.worlds.string_skills.topics import TOPICS

from ...reading import formats_in, operations_in

WORDINGS: tuple[Wording, ...] = ("seen", "unseen")


def drawn(wording: Wording, *, topic: str, num: int = 60) -> list[tuple[SkillSpec, str]]:
    rng = random.Random(f"{topic}:{wording}")
    specs = [random_spec(rng, 1 + index % 3, topic=topic) for index in range(num)]
    return [(s, request_text(s, random_items(s, rng), rng, wording=wording)) for s in specs]


def words(text: str) -> list[str]:
    return [word for word in re.findall("[a-z]+", text) if len(word) > 1 or word == "a"]


@pytest.mark.parametrize("topic", TOPICS)
def test_a_request_names_neither_the_skill_nor_the_procedure(topic: str) -> None:
    for wording in WORDINGS:
        for spec, text in drawn(wording, topic=topic):
            assert string_skill(spec, seed=0).name not in text
            assert operations_in(text) == formats_in(text) == ()
            assert not set(words(text)) & {*PRIMITIVES, *FORMATS}


@pytest.mark.parametrize("wording", WORDINGS)
def test_the_procedure_does_not_show_in_the_request(wording: Wording) -> None:
    """Two skills of one topic get the same request for the same list."""
    rng = random.Random(3)
    for seed in range(100):
        topic = rng.choice(tuple(TOPICS))
        items = tuple(rng.sample(ALPHABET, 5))
        one, two = (random_spec(rng, 3, topic=topic) for _ in range(2))
        said = [request_text(s, items, random.Random(seed), wording=wording) for s in (one, two)]
        assert said[0] == said[1]
        assert " ".join(items) in said[0]


def frame(text: str, topic_words: set[str]) -> str:
    """What stays of a request when the words of its topic and the list go."""
    plain = re.sub("[:,?]", " ", text).split()
    kept = ["W" if word in topic_words else word for word in plain if word not in ALPHABET]
    return " ".join(kept)


@pytest.mark.parametrize("topic", TOPICS)
def test_an_unseen_wording_has_a_frame_and_a_word_that_no_seen_one_has(topic: str) -> None:
    row = TOPICS[topic]
    mine = {*row.told, *row.untold}
    seen, unseen = ([text for _, text in drawn(w, topic=topic)] for w in WORDINGS)
    known = {word for text in seen for word in words(text)} & mine
    assert known
    for text in unseen:
        assert set(words(text)) & mine - known
    assert {frame(t, mine) for t in seen} & {frame(t, mine) for t in unseen} == set()


def test_descriptions_never_use_the_words_kept_for_requests() -> None:
    rng = random.Random(4)
    for index in range(300):
        spec = random_spec(rng, 1 + index % 3)
        made = string_skill(spec, seed=index)
        assert not set(words(f"{made.description} {made.body}".lower())) & {
            *TOPICS[spec.topic].untold
        }


def test_a_description_says_nothing_of_the_procedure() -> None:
    rng = random.Random(5)
    for index in range(200):
        description = string_skill(random_spec(rng, 3), seed=index).description.lower()
        assert operations_in(description) == formats_in(description) == ()


def test_lists_are_short_and_every_state_is_neither_empty_nor_long() -> None:
    rng = random.Random(6)
    for index in range(400):
        spec = random_spec(rng, 1 + index % 3)
        items = random_items(spec, rng)
        assert 4 <= len(items) <= 6
        assert set(items) <= set(ALPHABET)
        assert all(1 <= len(state) <= 13 for state in spec.states(items))


def test_symbols_that_a_skill_speaks_of_mostly_stand_in_the_list() -> None:
    rng = random.Random(7)
    spec = random_spec(rng, 1)
    while spec.operations[0].kind not in ("replace", "remove", "insert-after"):
        spec = random_spec(rng, 1)
    symbol = spec.operations[0].params[0]
    present = sum(symbol in random_items(spec, rng) for _ in range(300)) / 300
    assert 0.7 < present < 1.0  # sometimes absent: then the step changes nothing
