"""Sums and averages are model strings that the server reads back with the weights meant."""

import pytest
from skillweave.adapters.expr import ModelTerms, parse_model
from skillweave.distill.evaluation import Arm
from skillweave.distill.recipes.mixtures import averaged_arm, best_of, summed_arm

P, Q, R = (Arm(name, model=f"{name}@1:adapter") for name in "pqr")
PARTS = {"three": [P, Q, R], "one": [P]}


def weights(model: str) -> dict[str, float | None]:
    read = parse_model(model)
    assert isinstance(read, ModelTerms)
    return {term.ref: term.weight for term in read.terms}


def test_a_sum_names_every_part_without_a_weight() -> None:
    arm = summed_arm(PARTS)
    assert arm.models == {"three": "p@1:adapter+q@1:adapter+r@1:adapter", "one": "p@1:adapter"}
    assert weights(arm.model_for("three")) == {"p@1": None, "q@1": None, "r@1": None}


def test_an_average_has_equal_weights_and_one_part_is_itself() -> None:
    arm = averaged_arm(PARTS)
    assert arm.model_for("one") == "p@1:adapter"
    found = weights(arm.model_for("three"))
    assert found == dict.fromkeys(("p@1", "q@1", "r@1"), pytest.approx(1 / 3, abs=1e-6))


def test_the_best_of_an_arm_is_the_same_arm_asked_more_often() -> None:
    best = best_of(P, 16)
    assert (best.name, best.model, best.samples) == ("p_best", P.model, 16)
