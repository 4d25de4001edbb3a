"""Skill texts and requests: complete, short, of known words, and each in its place."""

import random
import re
from pathlib import Path

from skillweave.adapters.skills import read_skill, write_skill
from skillweave.distill.worlds.household import SHAPES, WORLD, HouseholdSpec
from skillweave.distill.worlds.household.nouns import PLACES, STORAGE, THINGS
from skillweave.distill.worlds.household.requests import request_text
from skillweave.distill.worlds.household.rooms import HOUSEHOLD_TOPICS, random_spec
from skillweave.distill.worlds.household.texts import authored_body, skill_body, skill_description
from skillweave.distill.worlds.string_skills.topics import TOPICS
from transformers import PreTrainedTokenizerBase

from ..words import num_tokens, unknown_words

PLACE = re.compile(rf"(?:{'|'.join(place.split()[0] for place in PLACES)}) [123]")


def specs(num: int) -> list[HouseholdSpec]:
    rng = random.Random("texts")
    return [random_spec(rng) for _ in range(num)]


def test_a_body_says_all_that_one_must_know_and_no_other_name() -> None:
    rng = random.Random(0)
    for spec in specs(200):
        body = skill_body(spec, rng).lower()
        told = {*PLACE.findall(body)}
        assert told == {home for _, home in spec.homes} | {spec.place, spec.fixture} - {None}
        for thing, home in spec.homes:
            (line,) = [part for part in re.split(r"[.\n]", body) if thing in part.split()]
            assert home in line
        assert (" two" in body) == (spec.shape == "two")


def test_bodies_and_descriptions_are_short_and_of_known_words(
    tokenizer: PreTrainedTokenizerBase,
) -> None:
    rng = random.Random(1)
    for spec in specs(200):
        body = skill_body(spec, rng)
        assert num_tokens(body, tokenizer) <= 130
        assert not unknown_words([body], tokenizer)
        assert not unknown_words([skill_description(spec, rng)], tokenizer)


def test_the_shapes_that_treat_are_told_apart_by_their_verb() -> None:
    words = {
        "clean": {"clean"}, "heat": {"heat", "hot"}, "cool": {"cool", "cold"},
        "look": {"under", "see"}, "place": set[str](), "two": set[str](),
    }  # fmt: skip
    rng = random.Random(2)
    for spec in specs(300):
        steps = re.sub(r"# .*|look in [^.\n]*", "", skill_body(spec, rng)).lower()
        said = set(re.findall("[a-z]+", steps))
        for shape in SHAPES:
            assert bool(said & words[shape]) == (shape == spec.shape and bool(words[shape]))


def test_texts_of_one_skill_differ() -> None:
    rng = random.Random(3)
    spec = specs(1)[0]
    assert len({skill_body(spec, rng) for _ in range(50)}) > 45


def test_a_request_names_the_thing_and_the_topic_and_nothing_else_of_the_skill(
    tokenizer: PreTrainedTokenizerBase,
) -> None:
    rng = random.Random(4)
    for spec in specs(100):
        topic = TOPICS[spec.topic]
        for thing, _ in spec.homes:
            seen = request_text(spec.topic, thing, rng)
            unseen = request_text(spec.topic, thing, rng, wording="unseen")
            for text in (seen, unseen):
                assert thing in text
                assert num_tokens(text, tokenizer) <= 40
                assert not unknown_words([text], tokenizer)
                assert not PLACE.search(text)
                words = set(re.findall("[a-z]+", text))
                assert not words & {"clean", "heat", "cool", "put", "two", "lamp", "round"}
                assert words & {*topic.told, *topic.untold}
            assert not set(seen.split()) & {
                f"{word}{end}" for word in topic.untold[2:] for end in ("", ".", ",")
            }
            assert any(word in unseen for word in topic.untold[2:])


def test_no_topic_word_is_a_word_for_something_in_a_room() -> None:
    assert len(HOUSEHOLD_TOPICS) >= 16
    for slug in HOUSEHOLD_TOPICS:
        topic = TOPICS[slug]
        words = {slug, *topic.told, *topic.untold}
        assert not words & {*THINGS, *STORAGE, *(place.split()[0] for place in PLACES)}


def test_an_authored_body_says_the_same_in_one_layout() -> None:
    spec = HouseholdSpec(
        "heat", (("cup", "drawer 1"), ("pen", "shelf 2")), "stove 3", "box 1", "picnic"
    )
    assert authored_body(spec, first="pen") == (
        "1. The pen is in shelf 2.\n2. The cup is in drawer 1.\n"
        "3. Heat it with stove 3.\n4. Put it in box 1."
    )
    two = HouseholdSpec("two", spec.homes, None, "box 1", "picnic")
    assert authored_body(two, first="cup").endswith("3. Put two in box 1.")


def test_a_skill_folder_is_valid_and_comes_back(tmp_path: Path) -> None:
    for level in WORLD.spec.levels:
        skill = WORLD.skill(level, seed=0)
        read, warnings = read_skill(write_skill(skill, tmp_path / str(level) / skill.name).parent)
        assert warnings == []
        assert (read.body, dict(read.metadata)) == (skill.body, dict(skill.metadata))
