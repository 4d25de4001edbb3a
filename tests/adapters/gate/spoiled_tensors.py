"""Safetensors that are no LoRA for the base: values, names, shapes, dtypes, other methods."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from skillweave.adapters.peft_folder.findings import PREFIX
from skillweave.adapters.peft_folder.header import CONFIG_FILE, WEIGHTS_FILE

from .healthy import CONFIG, RANK, Tensor, file_of, healthy_tensors, pack
from .spoiling import A0, B0, Q0, SHAPE, UNKNOWN, Kind, config, kind, limit


def _tensors(code: str, change: Callable[[dict[str, Tensor]], object], **more: object) -> Kind:
    def spoil(folder: Path) -> None:
        tensors = healthy_tensors()
        change(tensors)
        (folder / WEIGHTS_FILE).write_bytes(file_of(*pack(tensors)))
        if more:
            (folder / CONFIG_FILE).write_text(json.dumps({**CONFIG, **more}))

    return kind(code, spoil)


def _renamed(old: str, new: str) -> Callable[[dict[str, Tensor]], None]:
    def change(tensors: dict[str, Tensor]) -> None:
        for key in list(tensors):
            tensors[key.replace(old, new)] = tensors.pop(key)

    return change


def _put(key: str, dtype: str = "F32", shape: tuple[int, ...] = (1,)) -> Any:
    items = {"F32": 4, "F64": 8, "I64": 8, "F16": 2, "BF16": 2, "F8_E4M3": 1, "BOOL": 1}
    raw = bytes(int(np.prod(shape)) * items[dtype])
    return lambda tensors: tensors.update({key: (dtype, list(shape), raw)})


def _value(value: float, dtype: str = "F32", at: int = 0) -> Callable[[dict[str, Tensor]], None]:
    def change(tensors: dict[str, Tensor]) -> None:
        for key, (_, shape, raw) in list(tensors.items()):
            values = np.frombuffer(raw, "<f4").copy()
            if key == B0:
                values[at] = value
            if dtype == "BF16":
                raw = (values.view("<u4") >> 16).astype("<u2").tobytes()
            else:
                raw = values.astype("<f2" if dtype == "F16" else "<f4").tobytes()
            tensors[key] = (dtype, shape, raw)

    return change


def _shape(side: str, shape: tuple[int, ...]) -> Any:
    return _put(A0 if side == "A" else B0, "F32", shape)


def _both(down: tuple[int, int], up: tuple[int, int]) -> Callable[[dict[str, Tensor]], None]:
    def change(tensors: dict[str, Tensor]) -> None:
        _shape("A", down)(tensors)
        _shape("B", up)(tensors)

    return change


TENSORS: dict[str, Kind] = {
    "NaN": _tensors("not_finite", _value(float("nan"))),
    "infinity": _tensors("not_finite", _value(float("-inf"), at=-1)),
    "NaN in bf16": _tensors("not_finite", _value(float("nan"), "BF16")),
    "infinity in bf16": _tensors("not_finite", _value(float("inf"), "BF16", -1)),
    "NaN in fp16": _tensors("not_finite", _value(float("nan"), "F16", -1)),
    "infinity in fp16": _tensors("not_finite", _value(float("-inf"), "F16")),
    "no tensors": _tensors("module_count", dict.clear),
    "no prefix": _tensors("wrong_prefix", _renamed(PREFIX, "")),
    "another tool's prefix": _tensors("wrong_prefix", _renamed(PREFIX, "transformer.")),
    "half a prefix": _tensors(UNKNOWN, _renamed("base_model.model.model", "base_model.model")),
    "the prefix twice": _tensors("unknown_tensor", _renamed(PREFIX, PREFIX * 2)),
    "another layer": _tensors(UNKNOWN, _renamed("layers.1.", "layers.7.")),
    "names with an adapter's name": _tensors(
        "unknown_tensor", _renamed(".weight", ".default.weight")
    ),
    "half a pair": _tensors("unpaired", lambda t: t.pop(A0)),
    "half the adapter": _tensors(
        "missing_module", lambda t: [t.pop(k) for k in list(t) if ".layers.1." in k]
    ),
    "a module the config does not target": _tensors(
        "untargeted", _renamed("x", "x"), target_modules=["q_proj", "v_proj"]
    ),
    "targets that are not held": config(
        "missing_module", target_modules=["q_proj", "v_proj", "down_proj", "up_proj"]
    ),
    "transposed": _tensors(f"rank_mismatch {SHAPE}", _both((16, RANK), (RANK, 16))),
    "another width": _tensors(SHAPE, _both((RANK, 17), (16, RANK))),
    "another height": _tensors(SHAPE, _both((RANK, 16), (17, RANK))),
    "another rank": _tensors("rank_mismatch", _both((2, 16), (16, 2))),
    "a rank beyond every engine": _tensors("rank_limit", _both((600, 16), (16, 600))),
    "factors that do not meet": _tensors("bad_factors", _shape("B", (16, 3))),
    "a factor of one dimension": _tensors("bad_factors", _shape("A", (64,))),
    "a factor of three dimensions": _tensors("bad_factors", _shape("A", (RANK, 16, 1))),
    "a scalar for a factor": _tensors("bad_factors", _shape("A", ())),
    "rank zero": _tensors("bad_factors", _both((0, 16), (16, 0))),
    "an empty factor": _tensors("bad_factors", _both((RANK, 0), (16, RANK))),
    "eight bits": _tensors("wrong_dtype", _put(A0, "F8_E4M3", (RANK, 16))),
    "integers": _tensors("wrong_dtype", _put(A0, "I64", (RANK, 16))),
    "booleans": _tensors("wrong_dtype", _put(A0, "BOOL", (RANK, 16))),
    "double precision": _tensors("wrong_dtype", _put(A0, "F64", (RANK, 16))),
    "two dtypes in one module": _tensors("mixed_dtypes", _put(A0, "BF16", (RANK, 16))),
    "a magnitude vector": _tensors("dora", _put(f"{Q0}.lora_magnitude_vector", "F32", (16,))),
    "a bias of a factor": _tensors("bias", _put(f"{Q0}.lora_B.bias", "F32", (16,))),
    "a bias of the base": _tensors("bias", _put(f"{Q0}.base_layer.bias", "F32", (16,))),
    "a whole module": _tensors(
        "modules_to_save", _put(f"{PREFIX}lm_head.modules_to_save.weight", "F32", (2, 2))
    ),
    "a weight of the base": _tensors("unknown_tensor", _put(f"{PREFIX}lm_head.weight")),
    "LoRA on an embedding": _tensors(
        "embedding_lora", _put(f"{PREFIX}model.embed_tokens.lora_embedding_A")
    ),
    "LoRA on the output layer": _tensors(
        "head_lora",
        lambda t: (
            _put(f"{PREFIX}lm_head.lora_A.weight", "F32", (RANK, 16))(t),
            _put(f"{PREFIX}lm_head.lora_B.weight", "F32", (64, RANK))(t),
        ),
        target_modules=["q_proj", "v_proj", "down_proj", "lm_head"],
    ),
    "a very long name": _tensors("bad_name", _put("x" * 300)),
    "a name with NUL": _tensors("bad_name", _renamed("layers.0", "layers.\0")),
    "a name of two lines": _tensors("bad_name", _renamed("layers.0", "layers\n0")),
    "a name that turns round in it": _tensors("bad_name", _renamed("layers.0", "layers.\u202e0")),
    "a name with letters that look alike": _tensors("bad_name", _renamed("mlp", "m\u0406p")),
    "an empty name": _tensors("unknown_tensor", _put("")),
    "a name that climbs": _tensors("bad_name", _renamed("model.layers", "../model.layers")),
    "more modules than allowed": limit("module_count", modules=5),
}
