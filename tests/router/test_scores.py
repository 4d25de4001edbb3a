"""Hand-worked cosines, decisions, thresholds and forms."""

import numpy as np
import pytest
from skillweave.router import Choice, Evidence, Message, RouterError, State, choose_form
from skillweave.router.calibrate import ALWAYS, fit_threshold
from skillweave.router.scores import best_per_skill, decide, top, unit
from skillweave.router.state_text import state_text


def floats(*values: float) -> np.ndarray:
    return np.array(values, dtype=np.float32)


def test_unit_scales_rows_and_leaves_zeros() -> None:
    got = unit(np.array([[3.0, 4.0], [0.0, 0.0]], dtype=np.float32))
    assert got == pytest.approx(np.array([[0.6, 0.8], [0.0, 0.0]]))


def test_the_score_of_a_skill_is_the_cosine_of_its_nearest_row() -> None:
    rows = np.array([[1, 0], [0, 1], [0.6, 0.8]], dtype=np.float32)  # two rows, then one
    got = best_per_skill(floats(0.8, 0.6), rows, starts_S=np.array([0, 2]))
    assert got == pytest.approx([0.8, 0.48 + 0.48])


def test_top_is_a_total_order() -> None:
    assert top({"b": 0.5, "a": 0.5, "c": 0.9}, 2) == (("c", 0.9), ("a", 0.5))


def test_the_best_skill_is_chosen_at_the_threshold_and_above() -> None:
    got = decide(["a", "b"], floats(0.25, 0.5), threshold=0.5, forms={"b": "adapter"})
    assert got.choice == (Choice("b", "adapter"),)
    assert got.scores == {"a": 0.25, "b": 0.5}
    assert got.reason == "b at 0.500, threshold 0.500, form adapter"


def test_below_the_threshold_the_router_abstains_and_says_why() -> None:
    got = decide(["a", "b"], floats(0.25, 0.5), threshold=0.51, forms={})
    assert got.choice == ()
    assert got.reason == "abstained, best is b at 0.500, below 0.510"


def test_a_skill_without_evidence_goes_in_as_text() -> None:
    assert decide(["a"], floats(1.0), threshold=0, forms={}).choice[0].form == "text"


def test_no_skills_is_an_abstention() -> None:
    assert decide([], floats(), threshold=0, forms={}).choice == ()


def test_separable_scores_get_a_threshold_inside_the_gap_near_the_outside() -> None:
    got = fit_threshold([0.1, 0.2, 0.6, 0.9], [False, False, True, True])
    assert got.value == pytest.approx(0.2 + 0.25 * 0.4)
    assert (got.routed, got.abstained, got.balanced_accuracy) == (1.0, 1.0, 1.0)


def test_overlapping_scores_get_the_best_balance() -> None:
    # inside 0.4 0.6 0.8, outside 0.1 0.5: cut between 0.5 and 0.6 gives (2/3 + 1) / 2,
    # cut between 0.1 and 0.4 gives (1 + 1/2) / 2
    got = fit_threshold([0.4, 0.6, 0.8, 0.1, 0.5], [True, True, True, False, False])
    assert 0.5 < got.value < 0.6
    assert got.balanced_accuracy == pytest.approx((2 / 3 + 1) / 2)


def test_the_balance_weighs_both_kinds_alike_however_many_there_are() -> None:
    # 99 outside states above the one skill state: routing nothing is no better than a coin
    got = fit_threshold([0.5] + [0.6] * 99, [True] + [False] * 99)
    assert got.balanced_accuracy == 0.5


def test_scores_that_are_all_equal_still_give_a_threshold() -> None:
    assert fit_threshold([0.3, 0.3], [True, False]).value == ALWAYS


@pytest.mark.parametrize("in_scope", [[True, True], [False, False]])
def test_dev_must_hold_both_kinds(in_scope: list[bool]) -> None:
    with pytest.raises(RouterError, match="abstention needs both"):
        fit_threshold([0.1, 0.2], in_scope)


def test_the_last_user_turn_is_routed_by() -> None:
    turns = [("system", "s"), ("user", "one"), ("assistant", "a"), ("user", "two"), ("tool", "t")]
    assert state_text(State(tuple(Message(role, text) for role, text in turns))) == "two"


def test_without_a_user_turn_the_last_one_counts() -> None:
    assert state_text(State((Message("system", "only"),))) == "only"
    assert state_text(State(())) == ""


BASE = "b" * 64


@pytest.mark.parametrize(
    ("evidence", "has", "form"),
    [
        ([], "at", "text"),
        ([], "a", "none"),
        ([Evidence(base="other", adapter_meets=True)], "at", "text"),
        ([Evidence(base=BASE, adapter_meets=True)], "at", "adapter"),
        ([Evidence(base=BASE, adapter_meets=True, text_helps=False)], "a", "adapter"),
        ([Evidence(base=BASE, adapter_meets=True, text_helps=True)], "t", "text"),
        ([Evidence(base=BASE, adapter_meets=False, text_helps=True)], "at", "text"),
        ([Evidence(base=BASE, adapter_meets=False)], "at", "text"),
        ([Evidence(base=BASE, adapter_meets=False)], "a", "none"),
        ([Evidence(base=BASE, adapter_meets=False, text_helps=False)], "at", "none"),
    ],
)
def test_forms_follow_the_evidence(evidence: list[Evidence], has: str, form: str) -> None:
    got = choose_form(evidence, base=BASE, has_adapter="a" in has, has_text="t" in has)
    assert got.form == form
    assert got.reason


def test_the_newest_evidence_on_this_base_counts() -> None:
    evidence = [
        Evidence(base=BASE, adapter_meets=True),
        Evidence(base=BASE, adapter_meets=False, text_helps=True),
        Evidence(base="other", adapter_meets=True),
    ]
    assert choose_form(evidence, base=BASE, has_adapter=True, has_text=True).form == "text"


def test_evidence_survives_json() -> None:
    evidence = Evidence(base=BASE, adapter_meets=True, text_helps=None)
    assert Evidence.model_validate_json(evidence.model_dump_json()) == evidence
