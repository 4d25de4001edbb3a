"""Trajectories as values: spans, sums, versions, rows for training, and lines of JSON."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from skillweave.distill.rollouts import (
    OFF_POLICY,
    ON_POLICY,
    LearnRule,
    PolicyFingerprint,
    Sampling,
    TokenSpan,
    Trajectory,
    Turn,
    derived_seed,
    from_json_line,
    rows_of,
    to_json_line,
)
from skillweave.distill.rollouts.trajectory import PROVENANCES, context_digest_of
from skillweave.distill.worlds.checkers import worlds
from skillweave.distill.worlds.types import Verdict

WHO = PolicyFingerprint("b" * 64, "loud@2", context_digest_of(None), Sampling(1.0, seed=3))
FIRST = Turn(
    "go to shelf 1",
    spans=(
        TokenSpan("prompt", (1, 5, 6)),
        TokenSpan("demo_prefix", (7,)),
        TokenSpan("policy", (8, 2), (-0.5, -0.25)),
    ),
    messages=({"role": "user", "content": "you see"},),
    legal_actions=("go to shelf 1", "look"),
    finish_reason="stop",
    policy_version="4",
    tokens_in=4,
    tokens_out=2,
    wall_s=0.5,
)
SECOND = Turn(
    "look",
    reward=1.0,
    spans=(TokenSpan("prompt", (3, 4)), TokenSpan("policy", (9,), (-1.0,))),
    policy_version="4",
    tokens_in=8,
    tokens_out=1,
    info={"state": "done"},
)


def played(*turns: Turn, **other: Any) -> Trajectory:
    return Trajectory("t1", "fam", "train", 3, WHO, Verdict(True, 1.0, "ok"), turns, **other)


def test_sums_and_sequence_by_hand() -> None:
    seen = played(FIRST, SECOND)
    assert seen.ids == (1, 5, 6, 7, 8, 2, 3, 4, 9)
    assert (seen.tokens_in, seen.tokens_out, seen.reward) == (12, 3, 1.0)
    assert seen.text == "go to shelf 1\nlook"
    assert seen.policy_version == "4"
    assert FIRST.ids_of("policy") == (8, 2)


def test_a_row_learns_what_the_rule_names_and_knows_who_drew_what() -> None:
    (row,) = rows_of(played(FIRST, SECOND))
    assert row.ids == (1, 5, 6, 7, 8, 2, 3, 4, 9)
    assert row.learn == tuple(map(bool, (0, 0, 0, 0, 1, 1, 0, 0, 1)))
    assert row.logprobs == (None, None, None, None, -0.5, -0.25, None, None, -1.0)
    assert row.turns == (0, 0, 0, 0, 0, 0, 1, 1, 1)
    (more,) = rows_of(played(FIRST, SECOND), OFF_POLICY)
    assert more.learn == tuple(map(bool, (0, 0, 0, 1, 1, 1, 0, 0, 1)))
    assert row.provenance[2:5] == ("prompt", "demo_prefix", "policy")


@pytest.mark.parametrize("learned", [{"prompt"}, {"prompt", "policy"}, set(), {"weather"}])
def test_no_rule_learns_prompts_nothing_or_the_unknown(learned: set[Any]) -> None:
    with pytest.raises(ValueError, match="a rule that learns"):
        LearnRule(frozenset(learned))


@given(st.sets(st.sampled_from(PROVENANCES[1:]), min_size=1))
def test_no_rule_ever_learns_prompt_text(learned: set[Any]) -> None:
    (row,) = rows_of(played(FIRST, SECOND), LearnRule(frozenset(learned)))
    for learn, provenance in zip(row.learn, row.provenance, strict=True):
        assert learn == (provenance in learned)
        assert not (learn and provenance == "prompt")


def test_a_sequence_that_begins_anew_is_a_row_of_its_own() -> None:
    anew = Turn("look", spans=SECOND.spans, continues=False)
    seen = played(FIRST, anew)
    assert [row.ids for row in rows_of(seen, ON_POLICY)] == [FIRST.ids, anew.ids]
    assert [row.turns[0] for row in rows_of(seen)] == [0, 1]
    with pytest.raises(ValueError, match="no single sequence"):
        _ = seen.ids


def test_turns_without_ids_give_no_rows_but_an_error() -> None:
    with pytest.raises(ValueError, match="turn 0 of t1 holds no token ids"):
        rows_of(played(Turn("look")))
    assert rows_of(played()) == ()


def test_two_versions_in_one_episode_are_told() -> None:
    mixed = played(FIRST, Turn("look", policy_version="5"))
    assert mixed.policy_versions == ("4", "5")
    with pytest.raises(ValueError, match="versions 4, 5"):
        _ = mixed.policy_version


def test_spans_hold_one_log_probability_a_token() -> None:
    with pytest.raises(ValueError, match="1 log-probabilities for 2 tokens"):
        TokenSpan("policy", (1, 2), (-1.0,))
    with pytest.raises(ValueError, match="expected one of prompt, policy"):
        TokenSpan("guess", (1,))  # type: ignore[arg-type]


def test_fingerprints_tell_policies_apart() -> None:
    others = [
        PolicyFingerprint("c" * 64, WHO.model, WHO.context_digest, WHO.sampling),
        PolicyFingerprint(WHO.base_digest, "loud@3", WHO.context_digest, WHO.sampling),
        PolicyFingerprint(WHO.base_digest, WHO.model, context_digest_of("text"), WHO.sampling),
        PolicyFingerprint(WHO.base_digest, WHO.model, WHO.context_digest, Sampling(1.0, seed=4)),
    ]
    assert len({WHO.digest, *(one.digest for one in others)}) == 5


TEXTS = st.text(st.characters(codec=None), max_size=20)
SPANS = st.builds(
    lambda who, pairs, told: TokenSpan(
        who, tuple(i for i, _ in pairs), tuple(p for _, p in pairs) if told else None
    ),
    st.sampled_from(PROVENANCES),
    st.lists(st.tuples(st.integers(0, 2**31), st.floats(-1e4, 0)), max_size=4),
    st.booleans(),
)
TURNS = st.builds(
    Turn,
    TEXTS,
    st.floats(0, 1),
    st.lists(SPANS, max_size=3).map(tuple),
    st.lists(st.dictionaries(st.just("content"), TEXTS), max_size=2).map(tuple),
    st.none() | st.lists(TEXTS, max_size=2).map(tuple),
)


@given(st.lists(TURNS, max_size=3), TEXTS, st.floats(0, 1))
def test_a_line_reads_back_exactly(turns: list[Turn], error: str, reward: float) -> None:
    seen = Trajectory(
        "t", "f", "test", 1, WHO, Verdict(False, reward, error), tuple(turns), error, sample=2
    )
    line = to_json_line(seen)
    assert "\n" not in line
    assert from_json_line(line) == seen


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"trajectory_version": 2}, "version 2: expected 1"),
        ({"mood": "good"}, "mood"),
        ({"verdict": {"passed": True}}, "reward"),
        ({"turns": [{"text": "x", "spans": [{"provenance": "guess", "ids": []}]}]}, "provenance"),
    ],
)
def test_a_line_that_is_no_trajectory_is_refused(change: dict[str, object], complaint: str) -> None:
    line = json.dumps({**json.loads(to_json_line(played(FIRST))), **change})
    with pytest.raises(ValueError, match=complaint):
        from_json_line(line)
    with pytest.raises(ValueError, match="version None"):
        from_json_line("[]")


def test_what_is_no_number_is_not_written() -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        to_json_line(played(FIRST, wall_s=float("nan")))


def test_seeds_differ_by_every_part_and_stay_the_same() -> None:
    assert derived_seed("run", 1, 2, 3) == derived_seed("run", 1, 2, 3)
    seen = {
        derived_seed("run", step, item, s) for step in range(9) for item in range(9) for s in (0, 1)
    }
    assert len(seen) == 162
    assert all(0 <= seed < 2**31 for seed in seen)
    assert derived_seed("run", 1, 23) != derived_seed("run", 12, 3)
    with pytest.raises(ValueError, match="nothing"):
        derived_seed()


@pytest.mark.parametrize(
    "wrong",
    [{"temperature": -1.0}, {"temperature": float("nan")}, {"top_p": 0.0}, {"top_p": 1.1},
     {"top_k": -1}, {"max_tokens": 0}, {"n": 0}, {"stop": ("",)}],
)  # fmt: skip
def test_sampling_that_means_nothing_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="expected"):
        Sampling(**wrong)


def test_only_plain_temperature_one_draws_from_the_policys_own_distribution() -> None:
    assert Sampling(1.0).unmodified
    for other in (Sampling(), Sampling(0.7), Sampling(1.0, top_p=0.9), Sampling(1.0, top_k=5)):
        assert not other.unmodified


@pytest.mark.parametrize("wasted", [[""], ["jump\nlook"], [" ", "\u2028"], ["go to\nnowhere", ""]])
def test_an_episode_replays_as_a_plan_whatever_was_said(wasted: list[str]) -> None:
    """Blank turns and turns of several lines cost one turn each, played and read as a plan."""
    world = worlds()["household"]
    for task in world.tasks(world.skill(1, seed=0), "test", 6, seed=0):
        episode = task.environment()
        episode.reset(0)
        plan = [*wasted, *task.meta["expected"].split("\n")]
        done: list[str] = []
        for said in plan:
            done.append(said)
            step = episode.step(said)
            if step.terminated or step.truncated:
                break
        seen = played(*(Turn(said) for said in done))
        assert task.verify(seen.text) == episode.verdict()


def test_a_single_answer_is_read_as_it_was_said() -> None:
    assert played(Turn("1: a\n\nfinal: a")).text == "1: a\n\nfinal: a"
