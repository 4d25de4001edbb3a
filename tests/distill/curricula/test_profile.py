"""Profiles of missing skills: shares and weights by hand, the permuted control, ranks."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from skillweave.adapters.errors import UsageError
from skillweave.distill.curricula import SkillProfile, hard_requests, spearman


def test_shares_and_weights_by_hand() -> None:
    profile = SkillProfile.of(["a", "b", "c"], ["a", "a", "b", "a", "not a skill"])
    assert profile.counts == {"a": 3, "b": 1, "c": 0}
    assert profile.missing == {"a", "b"}
    assert profile.shares == {"a": 0.75, "b": 0.25, "c": 0.0}
    assert profile.weight(["a", "b"]) == 1.0
    assert profile.weight(["b", "c"]) == 0.25
    assert profile.weight(["b", "c", "b"]) == 0.25  # a skill counts once a request
    assert profile.weight([]) == 0.0
    with pytest.raises(KeyError):
        profile.weight(["d"])


def test_where_nothing_was_missing_all_skills_are_alike() -> None:
    profile = SkillProfile.of(["a", "b", "c", "d"], [])
    assert set(profile.shares.values()) == {0.25}
    assert profile.missing == frozenset()


@pytest.mark.parametrize("counts", [{}, {"a": -1.0, "b": 2.0}])
def test_a_profile_that_says_nothing_is_refused(counts: dict[str, float]) -> None:
    with pytest.raises(UsageError, match="at least one skill"):
        SkillProfile(counts)


@settings(max_examples=60, deadline=None)
@given(
    counts=st.dictionaries(st.sampled_from("abcdefgh"), st.integers(0, 5), min_size=2),
    seed=st.integers(0, 99),
)
def test_a_permuted_profile_has_the_same_counts_elsewhere(
    counts: dict[str, int], seed: int
) -> None:
    # distinct counts, so that whose count stands where can be told
    told = {name: (i + 1) * 10.0 * (n > 0) for i, (name, n) in enumerate(sorted(counts.items()))}
    profile = SkillProfile(told)
    moved = profile.permuted(np.random.default_rng(seed))
    assert sorted(moved.counts.values()) == sorted(profile.counts.values())
    assert moved.counts.keys() == profile.counts.keys()
    for name in profile.missing:
        assert moved.counts[name] != profile.counts[name]
    assert moved == profile.permuted(np.random.default_rng(seed))


def test_one_skill_alone_cannot_be_permuted() -> None:
    with pytest.raises(UsageError, match="two skills"):
        SkillProfile({"a": 1.0}).permuted(np.random.default_rng(0))


def test_every_allowed_place_is_reached() -> None:
    # of three skills of which a misses: a's count goes to b or to c, each about half of the time
    profile = SkillProfile({"a": 4.0, "b": 0.0, "c": 0.0})
    rng = np.random.default_rng(0)
    places = [max(m, key=m.__getitem__) for m in (profile.permuted(rng).counts for _ in range(200))]
    assert set(places) == {"b", "c"}
    assert 70 < places.count("b") < 130


def test_hard_is_half_of_the_samples_or_less() -> None:
    passes = {
        "none": [False] * 4,
        "half": [True, False, True, False],
        "more": [True, True, True, False],
    }
    assert hard_requests(passes) == ("none", "half")
    assert hard_requests(passes, most=0.25) == ("none",)
    with pytest.raises(UsageError, match="no samples"):
        hard_requests({"x": []})


def test_spearman_by_hand() -> None:
    assert spearman([1, 2, 3, 4], [10, 20, 30, 99]) == pytest.approx(1.0)
    assert spearman([1, 2, 3, 4], [4, 3, 2, 1]) == pytest.approx(-1.0)
    # ranks 1 2 3 and 2 1 3: 1 - 6 * 2 / (3 * 8)
    assert spearman([1, 2, 3], [5, 4, 6]) == pytest.approx(0.5)
    # ties: ranks 1.5 1.5 3 and 1 2 3, from the mean -.5 -.5 1 and -1 0 1: 1.5 / sqrt(1.5 * 2)
    assert spearman([0, 0, 7], [1, 2, 3]) == pytest.approx(1.5 / 3**0.5)
    assert spearman([1, 1, 1], [1, 2, 3]) == 0.0
    with pytest.raises(UsageError, match="at least 2"):
        spearman([1], [1])


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(-5, 5), min_size=2, max_size=8))
def test_ranks_are_all_that_counts(values: list[int]) -> None:
    cubes = [value**3 for value in values]
    seen = spearman(values, cubes)
    assert seen == pytest.approx(1.0 if len(set(values)) > 1 else 0.0)
    assert spearman(values, [-cube for cube in cubes]) == pytest.approx(-seen)
