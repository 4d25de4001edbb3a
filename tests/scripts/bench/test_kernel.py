"""The bench `kernel` without engines: what it asks, what it calls equal, how sure a ratio is."""

from pathlib import Path
from typing import Any

import pytest
from skillweave.scripts.bench import kernel
from skillweave.scripts.bench.kernel_bound import lower_bound
from skillweave.scripts.bench.kernel_engine import Answer, Asked, launch_of
from skillweave.server.engines.launch import Place
from skillweave.server.vllm_plugin import ACTIVE


class Clockless:
    """A side that counts what it is asked and takes no time."""

    def __init__(self, kind: str) -> None:
        self.kind: Any = kind
        self.seen: list[Asked] = []

    def seconds(self, *asked: Asked) -> float:
        self.seen += asked
        return float(len(self.seen))


def test_the_bound_of_pairs_that_agree_is_their_ratio() -> None:
    assert lower_bound([1.5]) == 1.5
    assert lower_bound([1.2] * 20) == 1.2
    assert lower_bound([1.0, 2.0] * 20) <= 1.5
    assert lower_bound([1.0] * 19 + [0.01]) == 1.0
    assert lower_bound([3.0, 1.0, 2.0]) == lower_bound([3.0, 1.0, 2.0]) == 1.0


def test_sides_take_turns_and_every_other_pair_begins_with_the_second() -> None:
    sides: list[Any] = [Clockless("grouped"), Clockless("stock")]
    order: list[str] = []

    def make(side: Any) -> tuple[Asked, ...]:
        order.append(side.kind)
        return (Asked("m", (1,), 1),)

    timings = kernel.in_pairs(sides, make, pairs=3)
    assert order == "grouped stock grouped stock stock grouped grouped stock".split()
    assert [timing.seconds for timing in timings] == [(2.0, 3.0, 4.0)] * 2


def test_other_tokens_are_never_equal() -> None:
    ours = Answer(ids=(1, 2), logprobs=(-1.0, -2.0), prompt_logprobs=(-3.0,))
    near = Answer(ids=(1, 2), logprobs=(-1.0, -2.5), prompt_logprobs=(-3.25,))
    other = Answer(ids=(1, 3), logprobs=(-1.0, -2.0), prompt_logprobs=(-3.0,))
    assert kernel.difference([ours], [near]) == 0.5
    assert kernel.difference([ours], [other]) == float("inf")


@pytest.mark.parametrize(
    ("kind", "plugin", "lora"),
    [
        ("grouped", True, True),
        ("stock", False, True),
        ("plain", False, False),
    ],
)
def test_three_ways_to_start_one_engine(
    tmp_path: Path, kind: Any, plugin: bool, lora: bool
) -> None:
    place = Place(port=1, secret="s", tmp=tmp_path)
    launch = launch_of(kind, tmp_path, place, rank_cap=16)
    assert (launch.env.get(ACTIVE) == "1") == plugin
    assert ("--enable-lora" in launch.command) == lora
    assert "--max-lora-rank" in launch.command or not lora
    assert "--no-enable-prefix-caching" in launch.command
