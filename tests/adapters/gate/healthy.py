"""A sound adapter on a small base, written byte by byte, so that any byte can be spoiled.

The config is what peft 0.21.2 saves, key by key; that peft's own folders pass as well is shown in
`tests/adapters/peft_folder/test_parity.py`. Self-contained: the exam of the gate loads it from
outside pytest.
"""

import json
import struct
from pathlib import Path
from typing import Any

import numpy as np
from skillweave.adapters.base.identity import BaseIdentity
from skillweave.adapters.peft_folder.findings import PREFIX
from skillweave.adapters.peft_folder.header import CONFIG_FILE, WEIGHTS_FILE

RANK, HIDDEN = 4, 16
SHAPES = {
    f"model.layers.{layer}.{name}": shape
    for layer in range(2)
    for name, shape in {
        "self_attn.q_proj": (16, HIDDEN),
        "self_attn.v_proj": (8, HIDDEN),
        "mlp.down_proj": (HIDDEN, 24),
    }.items()
}
BASE = BaseIdentity(
    family_digest="a" * 64,
    precision="fp32",
    tokenizer_digest="b" * 64,
    template_digest="c" * 64,
    architecture="Qwen3ForCausalLM",
    modules={**SHAPES, "model.layers.0.mlp.up_proj": (24, HIDDEN), "lm_head": (64, HIDDEN)},
)
CONFIG: dict[str, Any] = {
    "alora_invocation_tokens": None,
    "alpha_pattern": {},
    "arrow_config": None,
    "auto_mapping": None,
    "base_model_name_or_path": "/somewhere/else",
    "bias": "none",
    "corda_config": None,
    "ensure_weight_tying": False,
    "eva_config": None,
    "exclude_modules": None,
    "fan_in_fan_out": False,
    "inference_mode": True,
    "init_lora_weights": True,
    "kasa_config": None,
    "layer_replication": None,
    "layers_pattern": None,
    "layers_to_transform": None,
    "loftq_config": {},
    "lora_alpha": 8,
    "lora_bias": False,
    "lora_dropout": 0.0,
    "lora_ga_config": None,
    "megatron_config": None,
    "megatron_core": "megatron.core",
    "modules_to_save": None,
    "monteclora_config": None,
    "peft_type": "LORA",
    "peft_version": "0.21.2",
    "qalora_group_size": 16,
    "r": RANK,
    "rank_pattern": {},
    "revision": None,
    "target_modules": ["v_proj", "down_proj", "q_proj"],
    "target_parameters": None,
    "task_type": "CAUSAL_LM",
    "trainable_token_indices": None,
    "use_bdlora": None,
    "use_dora": False,
    "use_qalora": False,
    "use_rslora": False,
    "velora_config": None,
}
Tensor = tuple[str, list[int], bytes]
"""dtype, shape and bytes."""


def healthy_tensors(seed: int = 0) -> dict[str, Tensor]:
    """Both factors of every module of `SHAPES`, float32."""
    random = np.random.default_rng(seed)
    found: dict[str, Tensor] = {}
    for name, (out, into) in SHAPES.items():
        for side, shape in (("A", [RANK, into]), ("B", [out, RANK])):
            values = random.standard_normal(shape).astype("<f4")
            found[f"{PREFIX}{name}.lora_{side}.weight"] = ("F32", shape, values.tobytes())
    return found


def pack(tensors: dict[str, Tensor]) -> tuple[dict[str, Any], bytes]:
    """The header's document and the data behind it."""
    header: dict[str, Any] = {"__metadata__": {"format": "pt"}}
    data = b""
    for name, (dtype, shape, raw) in tensors.items():
        header[name] = {
            "dtype": dtype,
            "shape": shape,
            "data_offsets": [len(data), len(data) + len(raw)],
        }
        data += raw
    return header, data


def file_of(header: object, data: bytes) -> bytes:
    """A safetensors file; a header given as bytes is taken as it is."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


def write_healthy(folder: Path) -> Path:
    """A folder that passes the gate for `BASE`."""
    folder.mkdir(parents=True)
    (folder / CONFIG_FILE).write_text(json.dumps(CONFIG, indent=2))
    (folder / WEIGHTS_FILE).write_bytes(file_of(*pack(healthy_tensors())))
    return folder
