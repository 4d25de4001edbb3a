"""A run that was stopped ends as if it had not been; how it is carried out changes nothing."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from skillweave.adapters.errors import TrainingDiverged, UsageError
from skillweave.distill.learning.checkpoint import FILE, load_checkpoint, save_checkpoint
from skillweave.distill.learning.sft import (
    Execution,
    SftResult,
    SftSettings,
    load_base,
    train_lora,
)
from skillweave.distill.rendering import TokenRow
from transformers import PreTrainedModel

SETTINGS = SftSettings(rank=4, epochs=4, batch_rows=6, rate=1e-2)
ROWS = [
    TokenRow((1, 10 + n % 5, 7, 8 + n % 2, 9), (False, False, True, True, n % 3 > 0))
    for n in range(24)
]


class Killed(Exception):
    """What stops a run in these tests."""


def stop_at(last: int) -> Callable[[int, int, float], None]:
    def on_step(step: int, of: int, loss: float) -> None:
        if step == last:
            raise Killed

    return on_step


def fit(
    base: PreTrainedModel,
    out: Path,
    execution: Execution | None = None,
    *,
    settings: SftSettings = SETTINGS,
    stop: int | None = None,
    seed: int = 0,
) -> SftResult:
    return train_lora(
        base, ROWS, settings=settings, seed=seed, out=out, base_name="small-base", pad=0,
        execution=execution, on_step=None if stop is None else stop_at(stop),
    )  # fmt: skip


def weights(out: Path) -> bytes:
    return (out / "adapter_model.safetensors").read_bytes()


@pytest.mark.slow
@pytest.mark.parametrize("stop", [3, 4, 7, 11])
def test_a_killed_run_goes_on_to_the_same_bytes(
    small_base: PreTrainedModel, tmp_path: Path, stop: int
) -> None:
    """22 rows in steps of 6: 4 steps an epoch; killed within one, at its end, and late."""
    unbroken = fit(small_base, tmp_path / "unbroken")
    execution = Execution(checkpoint=tmp_path / "run", checkpoint_every=1)
    with pytest.raises(Killed):
        fit(small_base, tmp_path / "broken", execution, stop=stop)
    torch.manual_seed(99)
    resumed = fit(small_base, tmp_path / "broken", execution)
    assert weights(tmp_path / "broken") == weights(tmp_path / "unbroken")
    assert (resumed.num_steps, resumed.train_loss, resumed.dev_loss, resumed.best_epoch) == (
        unbroken.num_steps, unbroken.train_loss, unbroken.dev_loss, unbroken.best_epoch,
    )  # fmt: skip


def test_steps_after_the_last_checkpoint_are_taken_again(
    small_base: PreTrainedModel, tmp_path: Path
) -> None:
    fit(small_base, tmp_path / "unbroken")
    execution = Execution(checkpoint=tmp_path / "run", checkpoint_every=4)
    with pytest.raises(Killed):
        fit(small_base, tmp_path / "broken", execution, stop=7)
    fit(small_base, tmp_path / "broken", execution)
    assert weights(tmp_path / "broken") == weights(tmp_path / "unbroken")


def test_a_checkpoint_of_another_run_is_refused(
    small_base: PreTrainedModel, tmp_path: Path
) -> None:
    execution = Execution(checkpoint=tmp_path / "run", checkpoint_every=1)
    with pytest.raises(Killed):
        fit(small_base, tmp_path / "one", execution, stop=2)
    with pytest.raises(UsageError, match="another base, rows, settings or seed"):
        fit(small_base, tmp_path / "two", execution, seed=1)
    with torch.no_grad():
        small_base.get_input_embeddings().weight[0, 0] += 1
    with pytest.raises(UsageError, match="another base, rows, settings or seed"):
        fit(small_base, tmp_path / "three", execution)


def test_a_checkpoint_is_whole_or_says_what_to_do(tmp_path: Path) -> None:
    assert load_checkpoint(tmp_path, fingerprint="a") is None
    save_checkpoint(tmp_path, {"x": torch.ones(2)}, fingerprint="a")
    found = load_checkpoint(tmp_path, fingerprint="a")
    assert found is not None
    assert found["x"].tolist() == [1, 1]
    assert [path.name for path in tmp_path.iterdir()] == [FILE]
    torch.save([1, 2], tmp_path / FILE)
    with pytest.raises(UsageError, match="holds no checkpoint of ours"):
        load_checkpoint(tmp_path, fingerprint="a")
    save_checkpoint(tmp_path, {"x": torch.ones(2)}, fingerprint="a")
    (tmp_path / FILE).write_bytes((tmp_path / FILE).read_bytes()[:100])
    with pytest.raises(UsageError, match="remove it to start anew"):
        load_checkpoint(tmp_path, fingerprint="a")


def test_weights_that_diverge_are_an_error_and_no_adapter(
    small_base: PreTrainedModel, tmp_path: Path
) -> None:
    with torch.no_grad():
        small_base.get_input_embeddings().weight.fill_(float("nan"))
    with pytest.raises(TrainingDiverged, match=r"loss of step 1 is nan.*lower the rate of 0\.01"):
        fit(small_base, tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("learn", [(False,) * 5, (True, False, False, False, False)])
def test_a_row_that_teaches_nothing_is_refused_before_anything_is_trained(
    small_base: PreTrainedModel, tmp_path: Path, learn: tuple[bool, ...]
) -> None:
    """In a step of its own it would divide by no tokens and leave weights that are no numbers."""
    empty = TokenRow((1, 2, 3, 4, 5), learn)
    with pytest.raises(UsageError, match="has 5 tokens and learns none"):
        train_lora(
            small_base, [*ROWS, empty], settings=SETTINGS, seed=0, out=tmp_path / "out",
            base_name="small-base", pad=0,
        )  # fmt: skip
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
@pytest.mark.parametrize("how", [Execution(micro_rows=2), Execution(packed_length=16)])
def test_accumulated_and_packed_runs_learn_the_same(
    small_base: PreTrainedModel, tmp_path: Path, how: Execution
) -> None:
    plain = fit(small_base, tmp_path / "plain")
    other = fit(small_base, tmp_path / "other", how)
    assert other.train_loss == pytest.approx(plain.train_loss, abs=1e-4)
    assert other.dev_loss == pytest.approx(plain.dev_loss, abs=1e-4)


def test_a_base_in_bfloat16_trains_an_adapter_in_float32(
    small_base_dir: Path, tmp_path: Path
) -> None:
    base = load_base(small_base_dir, dtype=torch.bfloat16)
    losses: list[float] = []
    train_lora(
        base, ROWS, settings=SETTINGS, seed=0, out=tmp_path, base_name="small-base", pad=0,
        on_step=lambda step, of, loss: losses.append(loss),
    )  # fmt: skip
    assert losses[-1] < 0.7 * losses[0]
    saved = load_file(tmp_path / "adapter_model.safetensors")
    assert {tensor.dtype for tensor in saved.values()} == {torch.float32}


def test_a_base_placed_by_a_map_trains_the_same(small_base_dir: Path, tmp_path: Path) -> None:
    """One device is all that a test can count on; the map is read by accelerate's own code."""
    placed = load_base(small_base_dir, device_map={"": "cpu"})
    fit(placed, tmp_path / "placed", settings=SETTINGS.model_copy(update={"epochs": 1}))
    fit(
        load_base(small_base_dir), tmp_path / "plain",
        settings=SETTINGS.model_copy(update={"epochs": 1}),
    )  # fmt: skip
    assert weights(tmp_path / "placed") == weights(tmp_path / "plain")
