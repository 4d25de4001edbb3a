"""Wrong drafts: which are taken, whom they are dealt to, and how they are shown."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from skillweave.adapters.errors import UsageError
from skillweave.distill.curricula import (
    NO_DRAFT,
    Draft,
    DraftFilter,
    deal,
    derange,
    edit_share,
    random_draft,
    with_draft,
)
from skillweave.distill.curricula.drafts import Cell

TRUTH = "a b c d e f g h i j"
WRONG = "a b c d e f g x y z"  # three of ten words


@settings(max_examples=60, deadline=None)
@given(num=st.integers(2, 30), seed=st.integers(0, 999))
def test_a_derangement_is_a_permutation_without_a_fixed_point(num: int, seed: int) -> None:
    order = derange(num, rng=np.random.default_rng(seed))
    assert sorted(order) == list(range(num))
    assert all(place != at for place, at in enumerate(order))
    assert order == derange(num, rng=np.random.default_rng(seed))


def test_every_derangement_is_reached_alike() -> None:
    rng = np.random.default_rng(0)
    drawn = [derange(3, rng=rng) for _ in range(400)]
    assert set(drawn) == {(1, 2, 0), (2, 0, 1)}
    assert 160 < drawn.count((1, 2, 0)) < 240  # four standard errors
    for num in (0, 1):
        with pytest.raises(UsageError, match="at least 2"):
            derange(num, rng=rng)


def test_edit_share_by_hand() -> None:
    assert edit_share("kitten", "sitting") == 3 / 7
    assert edit_share([], []) == 0
    assert edit_share([], ["a"]) == 1
    assert edit_share(["a", "b"], ["a", "b"]) == 0
    assert edit_share(["a", "b"], ["c", "d"]) == 1


@given(a=st.text("ab", max_size=6), b=st.text("ab", max_size=6), c=st.text("ab", max_size=6))
def test_the_distance_behind_it_is_one(a: str, b: str, c: str) -> None:
    def distance(x: str, y: str) -> float:
        return edit_share(x, y) * max(len(x), len(y))

    assert distance(a, b) == pytest.approx(distance(b, a))
    assert (distance(a, b) == 0) == (a == b)
    assert distance(a, c) <= distance(a, b) + distance(b, c) + 1e-9


@pytest.mark.parametrize(
    ("draft", "taken"),
    [
        (Draft("t", WRONG, False), True),
        (Draft("t", WRONG, True), False),
        (Draft("t", WRONG, False, readable=False), False),
        (Draft("t", "a b c d e f g h y z", False), False),  # two of ten: no more than a fifth
        (Draft("t", "x y z w", False), False),  # shorter than half
        (Draft("t", "x " * 21, False), False),  # longer than twice
        (Draft("t", "x " * 20, False), True),
        (Draft("t", "", False), False),
    ],
)
def test_what_is_nontrivially_wrong(draft: Draft, taken: bool) -> None:
    assert DraftFilter().takes(draft, TRUTH, wrong=True) is taken


def test_the_four_cells_and_none() -> None:
    drafts = {
        name: [Draft(name, f"{name} {WRONG}", False), Draft(name, f"{name} {TRUTH}", True)]
        for name in ("one", "two", "three")
    } | {"bad": [Draft("bad", "?", False)]}
    truths = dict.fromkeys(drafts, TRUTH)
    rng = np.random.default_rng(0)
    cells: dict[Cell, str] = {
        "matched-wrong": WRONG, "matched-correct": TRUTH,
        "mismatched-wrong": WRONG, "mismatched-correct": TRUTH,
    }  # fmt: skip
    for cell, text in cells.items():
        dealt = deal(drafts, truths, cell=cell, rng=rng)
        assert sorted(dealt) == ["one", "three", "two"]
        assert {shown.partition(" ")[2] for shown in dealt.values()} == {text}
        owners = {name: shown.partition(" ")[0] for name, shown in dealt.items()}
        assert sorted(owners.values()) == sorted(owners)
        assert all((name == owner) == cell.startswith("matched") for name, owner in owners.items())
    assert deal(drafts, truths, cell="none", rng=rng) == dict.fromkeys(drafts, NO_DRAFT)


def test_a_mismatch_needs_two_tasks() -> None:
    drafts = {"one": [Draft("one", WRONG, False)]}
    with pytest.raises(UsageError, match="1 drafts"):
        deal(drafts, {"one": TRUTH}, cell="mismatched-wrong", rng=np.random.default_rng(0))


def test_a_draft_stands_in_the_last_request() -> None:
    messages = ({"role": "system", "content": "s"}, {"role": "user", "content": "Do {draft}."})
    shown = with_draft(messages, "x {request} y")
    assert shown[0] == messages[0]
    assert shown[1]["role"] == "user"
    assert shown[1]["content"].startswith("Do {draft}.\n\nThinking: x {request} y\n\n")
    assert messages[1]["content"] == "Do {draft}."
    assert "Thinking: N/A" in with_draft(messages)[1]["content"]


def test_requests_and_templates_without_a_place_are_refused() -> None:
    with pytest.raises(UsageError, match="end with a user's"):
        with_draft([{"role": "assistant", "content": "a"}])
    with pytest.raises(UsageError, match="end with a user's"):
        with_draft([])
    with pytest.raises(UsageError, match="once each"):
        with_draft([{"role": "user", "content": "a"}], template="{request}")


def test_a_random_draft_has_the_length_and_nothing_else() -> None:
    drawn = random_draft(TRUTH, ["u", "v"], rng=np.random.default_rng(0)).split()
    assert len(drawn) == 10
    assert set(drawn) == {"u", "v"}
