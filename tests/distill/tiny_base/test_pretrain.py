"""Pretraining: the schedule, the attention, and that a resumed run equals an unbroken one."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from skillweave.distill.tiny_base.pretrain import (
    MAY_CHANGE,
    PretrainConfig,
    Pretrainer,
    rate_factor,
)
from transformers import Qwen3ForCausalLM

MakeTrainer = Callable[..., Pretrainer]


def test_the_rate_rises_stays_and_falls_to_nothing() -> None:
    config = PretrainConfig(num_steps=1000, warmup_steps=100, decay_share=0.4)
    assert rate_factor(0, config) == pytest.approx(0.01)
    assert rate_factor(49, config) == pytest.approx(0.5)
    assert rate_factor(99, config) == 1.0
    assert rate_factor(600, config) == 1.0
    assert rate_factor(800, config) == pytest.approx(0.5)
    assert rate_factor(999, config) == pytest.approx(1 / 400)
    assert rate_factor(1000, config) == 0.0
    factors = [rate_factor(step, config) for step in range(1000)]
    assert factors[:100] == sorted(factors[:100])
    assert factors[600:] == sorted(factors[600:], reverse=True)


def test_a_resumed_run_equals_an_unbroken_one(make_trainer: MakeTrainer, tmp_path: Path) -> None:
    whole = make_trainer()
    losses = [whole.train_step() for _ in range(6)]
    first = make_trainer()
    begun = [first.train_step() for _ in range(3)]
    first.save(tmp_path / "checkpoint.pt")
    second = make_trainer()
    second.restore(tmp_path / "checkpoint.pt")
    assert second.step == 3
    assert begun + [second.train_step() for _ in range(3)] == losses
    for name, master in whole.masters.items():
        assert torch.equal(master, second.masters[name]), name
    for one, two in zip(whole.model.parameters(), second.model.parameters(), strict=True):
        assert torch.equal(one, two)


def test_a_step_moves_every_weight_and_keeps_masters_in_float32(make_trainer: MakeTrainer) -> None:
    trainer = make_trainer()
    before = {name: p.detach().clone() for name, p in trainer.masters.items()}
    trainer.train_step()
    assert trainer.step == 1
    for name, master in trainer.masters.items():
        assert master.dtype == torch.float32
        assert not torch.equal(master, before[name]), name
    for name, p in trainer.model.named_parameters():
        assert p.dtype == torch.bfloat16
        assert torch.equal(p, trainer.masters[name].to(torch.bfloat16))


def test_a_run_saves_measures_and_reports_and_goes_on_where_it_was(
    make_trainer: MakeTrainer, tmp_path: Path
) -> None:
    checkpoint = tmp_path / "checkpoint.pt"
    lines: list[str] = []

    class Killed(Exception):
        """Stands for the end of the process."""

    def gates(model: Qwen3ForCausalLM) -> dict[str, float]:
        if len(lines) == 2:
            raise Killed
        return {"text_1": 0.5}

    def go(trainer: Pretrainer) -> None:
        trainer.run(checkpoint, save_every=2, gate_every=2, gates=gates, report=lines.append)

    killed = make_trainer()
    lines.append("first")
    with pytest.raises(Killed):
        go(killed)
    assert killed.step == 4
    resumed = make_trainer()
    resumed.restore(checkpoint)
    assert resumed.step == 2
    assert resumed.curve == [{"step": 2, "text_1": 0.5}]
    lines.append("again")
    go(resumed)
    assert lines == ["first", 'step 2 {"text_1": 0.5}', "again"] + [
        f'step {step} {{"text_1": 0.5}}' for step in (4, 6)
    ]
    last = make_trainer()
    last.restore(checkpoint)
    assert last.step == 6
    go(last)  # nothing is left to do
    assert last.step == 6
    assert list(tmp_path.iterdir()) == [checkpoint]


def test_a_kill_while_writing_leaves_the_checkpoint_before(
    make_trainer: MakeTrainer, tmp_path: Path
) -> None:
    trainer = make_trainer()
    trainer.train_step()
    trainer.save(tmp_path / "checkpoint.pt")
    (tmp_path / "checkpoint.tmp").write_bytes(b"half")
    other = make_trainer()
    other.restore(tmp_path / "checkpoint.pt")
    assert other.step == 1


@pytest.mark.slow
def test_the_loss_falls(small: PretrainConfig, make_trainer: MakeTrainer) -> None:
    trainer = make_trainer(replace(small, num_steps=60, warmup_steps=10, warm_mixture_steps=60))
    losses = [trainer.train_step() for _ in range(60)]
    assert sum(losses[-10:]) / 10 < 0.6 * losses[0]


def test_a_checkpoint_of_another_configuration_is_refused_with_what_differs(
    small: PretrainConfig, make_trainer: MakeTrainer, tmp_path: Path
) -> None:
    checkpoint = tmp_path / "checkpoint.pt"
    first = make_trainer()
    first.train_step()
    first.save(checkpoint)
    longer = replace(small, num_steps=7)
    refused = make_trainer(longer)
    with pytest.raises(ValueError, match=r"configuration: num_steps 6 -> 7;"):
        refused.restore(checkpoint)
    assert refused.step == 0
    with pytest.raises(ValueError, match=r"configuration: seed 4 -> 9;"):
        make_trainer(replace(longer, seed=9)).restore(checkpoint, allow=MAY_CHANGE)


def test_what_changes_on_the_way_is_taken_over_and_recorded(
    small: PretrainConfig, make_trainer: MakeTrainer, tmp_path: Path
) -> None:
    checkpoint = tmp_path / "checkpoint.pt"
    first = make_trainer()
    first.train_step()
    first.save(checkpoint)
    same = make_trainer()
    same.restore(checkpoint, allow=MAY_CHANGE)
    assert same.history == first.history
    assert [plan["step"] for plan in same.history] == [0]
    wider = make_trainer(replace(small, num_steps=9, mixture={"follower": 0.5, "solver": 0.5}))
    wider.restore(checkpoint, allow=MAY_CHANGE)
    assert wider.step == 1
    assert [plan["step"] for plan in wider.history] == [0, 1]
    assert wider.history[1]["mixture"] == {"follower": 0.5, "solver": 0.5}
    assert wider.history[1]["num_steps"] == 9


def test_a_checkpoint_remembers_where_its_weights_came_from(
    make_trainer: MakeTrainer, tmp_path: Path
) -> None:
    checkpoint = tmp_path / "checkpoint.pt"
    origin = {"edition": 1, "digest": "ab"}
    make_trainer(origin=origin).save(checkpoint)
    again = make_trainer(origin=origin)
    again.restore(checkpoint)
    assert again.origin == origin
    with pytest.raises(ValueError, match="configuration: origin"):
        make_trainer().restore(checkpoint)


def test_a_run_that_is_asked_to_stop_saves_first_and_goes_on_where_it_was(
    make_trainer: MakeTrainer, tmp_path: Path
) -> None:
    checkpoint = tmp_path / "checkpoint.pt"

    def go(trainer: Pretrainer, most: int) -> bool:
        return trainer.run(
            checkpoint,
            save_every=100,
            gate_every=100,
            gates=lambda _: {},
            report=lambda _: None,
            stop=lambda: trainer.step >= most,
        )

    whole = make_trainer()
    assert go(whole, 99)
    first = make_trainer()
    assert not go(first, 4)
    assert first.step == 4
    second = make_trainer()
    second.restore(checkpoint)
    assert go(second, 99)
    for name, master in whole.masters.items():
        assert torch.equal(master, second.masters[name]), name
