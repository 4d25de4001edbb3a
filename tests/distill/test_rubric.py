"""The meta-skill as a rubric: hand-worked features, and planted faults lose against the truth."""

import asyncio

import pytest
from skillweave.distill.extractors import (
    FAULTS,
    Experience,
    experience,
    extracted,
    faulty_teacher,
    guided,
    scored,
    unguided,
)
from skillweave.distill.plain_requests import plain_worlds
from skillweave.distill.rubric import META_SKILL, final_of, rubric, statements
from skillweave.distill.token_meter import tiny_meter
from skillweave.distill.worlds.checkers import worlds

SOLVED = [
    ("for the picnic: b c d f", "1: b c d f g\nfinal: [ b c d f g ]"),
    ("the picnic: c d h k", "1: c d h k g\nfinal: [ c d h k g ]"),
]


def domain(world: str, level: int, *, seed: int) -> Experience:
    skill, other = (worlds()[world].skill(level, seed=seed + n) for n in (0, 1000))
    return experience(skill, worlds()[world].tasks(skill, "train", 3, seed=seed), other=other.body)


def test_features_by_hand() -> None:
    text = (
        "# Picnic\n\n1. Put g at the end.\n2. Put g at the end.\nYou may stop. Never add h if full."
    )
    seen = rubric(text, SOLVED)
    assert statements(text) == ["put g at the end", "put g at the end", "you may stop",
                                "never add h if full"]  # fmt: skip
    assert seen.specific == 2 / 4  # one is said twice, one is hedged
    assert seen.supported == 3 / 4  # g in both examples, h in one
    assert (seen.mechanisms, seen.risks, seen.copied) == (1.0, 1.0, 0.0)
    assert seen.total == 0.5 + 0.75 + 0.5


def test_an_example_by_heart_is_copied_and_little_supported() -> None:
    seen = rubric("- for the picnic: b c d f gives [ b c d f g ]", SOLVED)
    assert seen.copied == 0.5
    assert seen.supported == (2 + 2 + 2 + 1 + 1) / 10  # c, d, g in both; b, f in the first
    assert final_of(SOLVED[0][1]) == "[ b c d f g ]"


@pytest.mark.parametrize("text", ["", "\n", "# Only a heading", "\x00\x07", "a" * 10_000])
def test_any_text_has_a_score(text: str) -> None:
    seen = rubric(text, SOLVED)
    assert all(0.0 <= value <= 1.0 for value in (seen.specific, seen.supported, seen.copied))


def test_a_text_is_held_against_examples() -> None:
    with pytest.raises(ValueError, match="got none"):
        rubric("put g at the end", [])


@pytest.mark.parametrize("world", plain_worlds())
def test_the_rubric_prefers_the_truth_to_vague_and_over_specific_texts(world: str) -> None:
    told = [domain(world, level, seed=seed) for level in (1, 2, 3) for seed in range(6)]
    made = {
        fault: [asyncio.run(extracted(faulty_teacher(fault), one, seed=0)) for one in told]
        for fault in FAULTS
    }
    score = scored(told, made, lambda text, one: rubric(text, one.solved).total)
    for fault in ("vague", "over_specific"):
        better = [score[one.skill.name, "faithful"] > score[one.skill.name, fault] for one in told]
        assert sum(better) > len(better) / 2
    meter = tiny_meter()
    assert {meter.byte_share(text) for text in made["vague"]} == {0.0}


def test_faults_say_what_they_are() -> None:
    one = domain("string_skills", 2, seed=3)
    made = {f: asyncio.run(extracted(faulty_teacher(f), one, seed=0)) for f in FAULTS}
    assert made["faithful"] == one.skill.body
    assert made["wrong"] == one.other != one.skill.body
    assert all(final_of(answer) in made["over_specific"] for _, answer in one.solved)
    words = len(one.skill.body.split())
    assert words <= len(made["vague"].split()) <= words + 12
    # at rate 0 every extractor is faithful; the meta-skill is what a teacher is told
    assert asyncio.run(extracted(faulty_teacher("wrong", error=0.0), one, seed=0)) == one.skill.body
    assert one.payload["guide"] == META_SKILL


def test_the_choice_is_the_rubrics_and_the_control_is_chance() -> None:
    one = domain("string_skills", 2, seed=3)
    drafts = ["You may change some items.", one.skill.body, ""]
    assert guided(drafts, one) == one.skill.body
    assert guided([one.skill.body, one.skill.body + "\n"], one) == one.skill.body
    seen = {unguided(drafts, one, seed=seed) for seed in range(40)}
    assert seen == set(drafts)
    assert unguided(drafts, one, seed=1) == unguided(drafts, one, seed=1)
