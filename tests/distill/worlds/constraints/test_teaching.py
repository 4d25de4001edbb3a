"""The constraint world's teaching: right answers, one token a word, nothing held out."""

import random

import pytest
from skillweave.distill.worlds.constraints import WORLD
from skillweave.distill.worlds.constraints.draw import draw_spec, solved_letters
from skillweave.distill.worlds.constraints.predicates import PREDICATES, parameter_values, phrase
from skillweave.distill.worlds.constraints.spec import Constraint, ConstraintSpec
from skillweave.distill.worlds.constraints.split import is_held_out
from skillweave.distill.worlds.constraints.teaching import SOURCES, author, authored_body, follower
from skillweave.distill.worlds.constraints.texts import skill_body
from transformers import PreTrainedTokenizerBase

from ..words import num_tokens, unknown_words


@pytest.mark.parametrize("name", SOURCES)
def test_texts_are_short_and_every_word_is_one_token(
    name: str, tokenizer: PreTrainedTokenizerBase
) -> None:
    for seed in range(40):
        teaching = SOURCES[name](random.Random(seed))
        turns = teaching.draw(random.Random(seed))
        texts = [teaching.text or "", *(turn["content"] for turn in turns)]
        assert unknown_words(texts, tokenizer) == set()
        assert num_tokens(texts[0], tokenizer) <= 130
        if name != "author":
            assert all(num_tokens(t["content"], tokenizer) <= 40 for t in turns[::2])
        assert all(num_tokens(t["content"], tokenizer) <= 60 for t in turns[1::2])
        assert all(turn["content"].count("final: ") == (name != "author") for turn in turns[1::2])


@pytest.mark.parametrize("level", [1, 4, 5])
def test_skills_and_tasks_stay_in_the_vocabulary(
    level: int, tokenizer: PreTrainedTokenizerBase
) -> None:
    for seed in range(12):
        skill = WORLD.skill(level, seed=seed)
        tasks = WORLD.tasks(skill, "test", 4, seed=seed)
        texts = [skill.body, skill.description, *(task.request for task in tasks)]
        assert unknown_words([*texts, *(task.worked for task in tasks)], tokenizer) == set()


def test_every_wording_is_in_the_vocabulary(tokenizer: PreTrainedTokenizerBase) -> None:
    said = [
        phrase(kind, params, wording, digits=digits)
        for kind in PREDICATES
        for params in parameter_values(kind)[:6]
        for wording in range(len(PREDICATES[kind].wordings))
        for digits in (False, True)
    ]
    assert unknown_words((f" {text}" for text in said), tokenizer) == set()


def test_a_body_says_every_constraint_once() -> None:
    rng = random.Random(0)
    for index in range(60):
        spec = draw_spec(rng, 1 + index % 5, held_out=True)
        body = skill_body(spec, rng).lower()
        for row in spec.constraints:
            ways = {
                phrase(row.kind, row.params, wording, digits=digits)
                for wording in range(12)
                for digits in (False, True)
            }
            assert any(way in body for way in ways)


def test_an_author_writes_what_the_notes_of_the_examples_tell() -> None:
    spec = ConstraintSpec((Constraint("starts", ("k",)), Constraint("parity", ("odd",))), "farm")
    assert authored_body(spec) == (
        "## Rules\n1. Start with k.\n2. Use an odd number of letters.\n\n## Output\n"
        "Write the letters with spaces only."
    )
    prompt, body = (turn["content"] for turn in author(random.Random(0)).draw(random.Random(3)))
    assert prompt.count("final: ") == 3
    assert body.startswith("## Rules\n1. ")


def test_chains_hold_several_requests_under_one_text() -> None:
    lengths = {
        len(follower(random.Random(seed)).draw(random.Random(seed))) // 2 for seed in range(120)
    }
    assert lengths == {1, 2, 3, 4}


def test_what_is_shown_may_be_seen() -> None:
    # Skills are drawn by `draw_spec` alone, so the rule is held there.
    rng = random.Random(0)
    for index in range(60):
        spec = draw_spec(rng, 1 + index % 4, held_out=False)
        assert not is_held_out(spec)
        assert solved_letters(spec, rng)
