"""Skill texts: complete, varied, short, and in words that the base has."""

import itertools
import random
import re

from skillweave.distill.token_meter import tiny_meter
from skillweave.distill.worlds.string_skills import (
    Operation,
    SkillSpec,
    irrelevant_body,
    plain_request,
    random_spec,
    worked_answer,
)
from skillweave.distill.worlds.string_skills.primitives import PRIMITIVES
from skillweave.distill.worlds.string_skills.requests import random_items, request_text
from skillweave.distill.worlds.string_skills.texts import skill_body, skill_description

from ...reading import formats_in, operations_in

MAX_BODY_TOKENS = 200


def test_a_body_says_every_step_in_order_and_one_format() -> None:
    rng = random.Random(0)
    for index in range(400):
        spec = random_spec(rng, 1 + index % 3)
        text = skill_body(spec, rng)
        assert operations_in(text) == spec.operations, text
        assert formats_in(text) == (spec.format,), text


def test_bodies_are_short_and_hold_no_word_that_the_base_must_spell() -> None:
    meter = tiny_meter()
    rng = random.Random(1)
    for index in range(400):
        spec = random_spec(rng, 1 + index % 3)
        body = skill_body(spec, rng)
        assert meter.count_tokens(body) <= MAX_BODY_TOKENS
        items = random_items(spec, rng)
        for text in (
            body,
            skill_description(spec, rng),
            request_text(spec, items, rng, wording="seen"),
            request_text(spec, items, rng, wording="unseen"),
            plain_request(spec.operations[0], items, rng),
            worked_answer(spec, items),
            irrelevant_body(rng, 60),
        ):
            assert meter.byte_share(text) == 0.0, text


def test_one_procedure_is_told_in_many_ways() -> None:
    spec = random_spec(random.Random(2), 3)
    bodies = {skill_body(spec, random.Random(seed)) for seed in range(200)}
    assert len(bodies) > 190
    marks = ("# ", "## steps", "1. ", "- ", "step 1:", "first ", "## output", "## notes")
    for mark in marks:
        assert any(mark in body.lower() for body in bodies), mark


def test_the_same_generator_state_tells_the_same_text(spec: SkillSpec) -> None:
    assert skill_body(spec, random.Random(3)) == skill_body(spec, random.Random(3))


def test_random_skills_grow_and_shrink_at_most_once_and_repeat_nothing_at_once() -> None:
    rng = random.Random(4)
    kinds_seen = set()
    for index in range(600):
        kinds = [operation.kind for operation in random_spec(rng, 1 + index % 3).operations]
        assert len(kinds) == 1 + index % 3
        assert sum(PRIMITIVES[kind].grows for kind in kinds) <= 1
        assert sum(PRIMITIVES[kind].shrinks for kind in kinds) <= 1
        assert all(one != two for one, two in itertools.pairwise(kinds))
        kinds_seen |= {*kinds}
    assert kinds_seen == set(PRIMITIVES)


def test_the_irrelevant_text_has_the_length_asked_for_and_no_procedure() -> None:
    rng = random.Random(5)
    for num_words in (10, 40, 90):
        for _ in range(30):
            text = irrelevant_body(rng, num_words)
            assert num_words <= len(text.split()) <= num_words + 12
            assert operations_in(text) == formats_in(text) == ()
            assert not re.search(r"\b(step|list|item|final)", text.lower())


def test_a_plain_request_names_its_operation_and_the_list() -> None:
    operation = Operation("drop-first", ("2",))
    for seed in range(20):
        text = plain_request(operation, ("b", "c", "d"), random.Random(seed))
        assert operations_in(text) == (operation,)
        assert "b c d" in text
