"""Saving the same weights otherwise keeps the weights digest; every change of function moves it."""

import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from skillweave.adapters.artifact import ArtifactDigests, artifact_digests, write_artifact
from skillweave.adapters.card import Card
from skillweave.adapters.digests import weights_digest
from skillweave.adapters.peft_folder.deltas import read_peft
from skillweave.adapters.peft_folder.header import CONFIG_FILE, WEIGHTS_FILE

from .gate.healthy import BASE, CONFIG, SHAPES, file_of, healthy_tensors, pack, write_healthy

# The rank is 4 and alpha 8, so the scale is 2; each of these says the same.
SPELLINGS: tuple[dict[str, object], ...] = (
    {"lora_alpha": 8.0},
    {"lora_alpha": 4, "use_rslora": True},
    {"lora_alpha": 1, "alpha_pattern": {".*": 8}},
    {"lora_alpha": 1, "alpha_pattern": dict.fromkeys(SHAPES, 8)},
    {"r": 2, "rank_pattern": {"q_proj": 4, "v_proj": 4, "down_proj": 4}},
    {"target_modules": ".*_proj"},
    {"target_modules": list(SHAPES)},
    {"peft_version": "0.9.0", "revision": "main"},
    {"lora_dropout": 0.1, "inference_mode": False, "task_type": None},
    {"from_the_future": None, "another": False},
    {"init_lora_weights": "gaussian"},
)


def resave(folder: Path, *, order: list[str], spelling: dict[str, object], metadata: bool) -> Path:
    """The healthy adapter, saved by another hand."""
    write_healthy(folder)
    config = {**CONFIG, **spelling}
    (folder / CONFIG_FILE).write_text(json.dumps({k: config[k] for k in sorted(config)}))
    tensors = healthy_tensors()
    header, data = pack({name: tensors[name] for name in order})
    if not metadata:
        header.pop("__metadata__")
    (folder / WEIGHTS_FILE).write_bytes(file_of(header, data))
    return folder


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    order=st.permutations(sorted(healthy_tensors())),
    spelling=st.sampled_from(SPELLINGS),
    metadata=st.booleans(),
)
def test_another_hand_keeps_the_weights_digest(
    tmp_path_factory: pytest.TempPathFactory,
    order: list[str],
    spelling: dict[str, object],
    metadata: bool,
) -> None:
    folder = tmp_path_factory.mktemp("laws")
    first = read_peft(write_healthy(folder / "a"))
    again = read_peft(resave(folder / "b", order=order, spelling=spelling, metadata=metadata))
    assert weights_digest(again) == weights_digest(first)


@pytest.mark.parametrize(
    "spelling", [{"lora_alpha": 9}, {"alpha_pattern": {"q_proj": 8.000001}}, {"use_rslora": True}]
)
def test_another_scale_moves_it(tmp_path: Path, spelling: dict[str, object]) -> None:
    order = sorted(healthy_tensors())
    other = resave(tmp_path / "b", order=order, spelling=spelling, metadata=True)
    assert weights_digest(read_peft(other)) != weights_digest(
        read_peft(write_healthy(tmp_path / "a"))
    )


def digests(folder: Path, source: Path, **card: object) -> ArtifactDigests:
    made = Card.model_validate({"kind": "skill", "base": BASE.for_card().model_dump(), **card})
    write_artifact(folder, source, card=made)
    return artifact_digests(folder)


def test_config_bytes_and_card_move_the_version_alone(tmp_path: Path) -> None:
    order = sorted(healthy_tensors())
    sources = [
        resave(tmp_path / f"s{n}", order=order, spelling=spelling, metadata=True)
        for n, spelling in enumerate(SPELLINGS)
    ]
    found = [digests(tmp_path / f"a{n}", source) for n, source in enumerate(sources)]
    found += [
        digests(tmp_path / "b", sources[0], seed=2),
        digests(tmp_path / "c", sources[0], licence="mit"),
    ]
    assert len({d.weights for d in found}) == 1
    assert len({d.version for d in found}) == len(found)
    assert digests(tmp_path / "d", sources[0]) == found[0]
