"""A method's name stands for its paper's numbers; what is said besides stands in for them."""

import pytest
from pydantic import ValidationError
from skillweave.distill.rl.settings import METHODS, RlSettings


def test_a_preset_is_the_method_as_its_paper_has_it() -> None:
    assert RlSettings(method="dapo").resolved == METHODS["dapo"]
    assert METHODS["dapo"].clip == (0.2, 0.28)
    assert METHODS["rloo"].clip == (None, None)
    assert [METHODS[name].aggregation for name in METHODS] == ["sequence", "token", "dr", "dr"]


def test_what_is_given_stands_in_for_the_preset() -> None:
    found = RlSettings(method="rloo", kl=0.0, clip_high=0.3, zero_variance="drop").resolved
    assert (found.kl, found.clip, found.zero_variance) == (0.0, (None, 0.3), "drop")
    assert found.advantage == "leave_one_out"
    assert RlSettings(method="grpo", clip_low="off").resolved.clip == (None, 0.2)


def test_a_deterministic_run_is_never_behind() -> None:
    assert RlSettings().staleness == 1
    assert RlSettings(deterministic=True).staleness == 0
    assert RlSettings(max_staleness=3).staleness == 3
    with pytest.raises(ValidationError, match="deterministic with max_staleness 2"):
        RlSettings(deterministic=True, max_staleness=2)


def test_the_rate_follows_the_base_unless_it_is_said() -> None:
    assert RlSettings().on(tiny=True).rate != RlSettings().on(tiny=False).rate
    assert RlSettings(rate=0.5).on(tiny=True).rate == 0.5


@pytest.mark.parametrize(
    "said", [{"samples": 1}, {"tis_cap": 0.5}, {"methods": "grpo"}, {"clip_high": 0}, {"kl": -1.0}]
)
def test_what_makes_no_sense_is_refused(said: dict[str, object]) -> None:
    with pytest.raises(ValidationError, match=next(iter(said))):
        RlSettings.model_validate(said)


def test_a_clip_that_would_pass_ratios_below_zero_is_refused() -> None:
    with pytest.raises(ValidationError, match="clip_low"):
        RlSettings(clip_low=1.0)
