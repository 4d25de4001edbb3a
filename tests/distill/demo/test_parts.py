"""The demo's parts that need no engine."""

from collections import Counter

import pytest
from skillweave.distill.demo.cost import spread
from skillweave.distill.demo.routed import STRAY, stray_items
from skillweave.distill.demo.settings import CRITERION, DemoSettings
from skillweave.distill.evaluation import diff
from skillweave.distill.worlds.string_skills import draw_tasks, held_out_specs, stray_requests


def test_the_criterion_holds_the_bars_that_were_set_beforehand() -> None:
    bars = {(clause.type, str(clause.what)): clause.bar for clause in CRITERION.clauses}
    assert bars["above", str(diff("s2l", "text"))] == -0.03
    assert bars["above", str(diff("s2l", "none"))] == 0.30
    assert bars["above", str(diff("s2l", "wrong"))] == 0.30
    assert bars["within", str(diff("auto", "s2l"))] == 0.05
    assert len(bars) == 6


def test_every_skill_gets_at_least_200_items() -> None:
    assert DemoSettings().num_items >= 200
    with pytest.raises(ValueError, match="num_itemz"):
        DemoSettings.model_validate({"num_itemz": 1})


def test_strays_are_items_that_no_answer_passes() -> None:
    requests = stray_requests(8, without=["picnic"], seed=0, split="test")
    items = stray_items(requests)
    assert [item.messages[0]["content"] for item in items] == requests
    assert len({item.id for item in items}) == 8
    assert {item.family for item in items} == {STRAY}
    assert not any(item.verify("final: b c").passed for item in items)


@pytest.mark.slow
@pytest.mark.parametrize("count", [6, 16, 60, 64, 239])
def test_measured_requests_are_spread_over_all_skills(count: int) -> None:
    items = [
        task
        for spec in held_out_specs(0)
        for task in draw_tasks(spec, family=spec.topic, split="test", num_tasks=40, seed=0)
    ]
    chosen = spread(items, count)
    assert len(chosen) == count
    counts = Counter(item.family for item in chosen)
    assert len(counts) == 6
    assert max(counts.values()) - min(counts.values()) <= 1


def test_few_items_are_all_measured() -> None:
    (spec, *_) = held_out_specs(0)
    items = draw_tasks(spec, family="f", split="test", num_tasks=3, seed=0)
    assert spread(items, 10) == items
