"""Configs that are none, that lie about the tensors, or that ask for what is not covered."""

import json

from skillweave.adapters.peft_folder.header import CONFIG_FILE

from .healthy import CONFIG
from .spoiling import Kind, config, kind

BOMB = "(.|.)*" * 3 + "x"


def _config_bytes(code: str, raw: bytes) -> Kind:
    return kind(code, lambda folder: (folder / CONFIG_FILE).write_bytes(raw))


CONFIGS: dict[str, Kind] = {
    "an empty config": _config_bytes("bad_config", b""),
    "a config cut short": _config_bytes("bad_config", json.dumps(CONFIG).encode()[:-9]),
    "a config that is a list": _config_bytes("bad_config", b"[]"),
    "a config that is no UTF-8": _config_bytes("bad_config", b'{"r": "\xff"}'),
    "a key twice": _config_bytes("bad_config", json.dumps(CONFIG).encode()[:-1] + b', "r": 8}'),
    "a key twice further in": _config_bytes(
        "bad_config",
        json.dumps(CONFIG).replace('"rank_pattern": {}', '"rank_pattern": {"a":1,"a":2}').encode(),
    ),
    "a config nested without end": _config_bytes("bad_config", b"[" * 200_000),
    "NaN for alpha": config("bad_config", lora_alpha=float("nan")),
    "infinity for alpha": config("bad_config", lora_alpha=float("inf")),
    "an alpha of 400 digits": config("bad_config", lora_alpha=10**400),
    "an alpha that overflows": config("bad_scale", lora_alpha=1e300),
    "alpha zero": config("zero_scale", lora_alpha=0),
    "alpha below float32": config("zero_scale", lora_alpha=1e-60),
    "an alpha that is true": config("bad_config", lora_alpha=True),
    "an alpha that is a text": config("bad_config", lora_alpha="8"),
    "rank nought": config("bad_config", r=0),
    "a rank below nought": config("bad_config", r=-4),
    "a rank that is a fraction": config("bad_config", r=4.5),
    "a rank that is true": config("bad_config", r=True),
    "a rank that is not there": config("bad_config", r=None),
    "another rank than the tensors": config("rank_mismatch", r=8),
    "a rank in a pattern for nobody": config("rank_limit", rank_pattern={"nobody": 4096}),
    "a pattern with another rank": config("rank_mismatch", rank_pattern={"q_proj": 2}),
    "a pattern with rank nought": config("bad_config", rank_pattern={"q_proj": 0}),
    "no patterns but null": config("bad_config", rank_pattern=None),
    "an alpha pattern that is a list": config("bad_config", alpha_pattern=["q_proj"]),
    "a pattern that never ends": config("unsafe_pattern", rank_pattern={BOMB: 4}),
    "an alpha pattern that never ends": config("unsafe_pattern", alpha_pattern={BOMB: 4}),
    "targets that never end": config("unsafe_pattern", target_modules=f"{BOMB}|.*proj"),
    "an exclusion that never ends": config("unsafe_pattern", exclude_modules=BOMB),
    "repeats in repeats": config("unsafe_pattern", target_modules="((m+)+)+_proj"),
    "a back reference": config("unsafe_pattern", target_modules=r"(.*)\1"),
    "a pattern that is none": config("unsafe_pattern", target_modules="*_proj"),
    "targets that name nothing": config("bad_config", target_modules=[]),
    "targets that are numbers": config("bad_config", target_modules=[1]),
    "no targets": config("bad_config", target_modules=None),
    "targets of the output layer only": config("untargeted", target_modules=["lm_head"]),
    "layers that leave others out": config("untargeted", layers_to_transform=[0]),
    "layers of no number": config("bad_config", layers_to_transform=["0"]),
    "layers beside one pattern": config(
        "bad_config", target_modules=".*_proj", layers_to_transform=[0]
    ),
    "an exclusion of what is held": config("untargeted", exclude_modules=["v_proj"]),
    "another method": config("not_lora", peft_type="LOHA"),
    "DoRA": config("dora", use_dora=True),
    "all biases": config("bias", bias="all"),
    "LoRA biases": config("bias", bias="lora_only"),
    "a bias in the factor": config("bias", lora_bias=True),
    "modules to save": config("modules_to_save", modules_to_save=["lm_head"]),
    "PiSSA": config("base_rewriting_init", init_lora_weights="pissa"),
    "fast PiSSA": config("base_rewriting_init", init_lora_weights="pissa_niter_4"),
    "OLoRA": config("base_rewriting_init", init_lora_weights="olora"),
    "CorDA": config("base_rewriting_init", init_lora_weights="corda", corda_config={}),
    "LoftQ": config("base_rewriting_init", init_lora_weights="loftq", loftq_config={"a": 1}),
    "an init from the future": config("base_rewriting_init", init_lora_weights="tomorrow"),
    "an init that is a list": config("base_rewriting_init", init_lora_weights=["pissa"]),
    "aLoRA": config("unsupported_config", alora_invocation_tokens=[1, 2]),
    "replicated layers": config("unsupported_config", layer_replication=[[0, 2]]),
    "target parameters": config("unsupported_config", target_parameters=["mlp.experts"]),
    "trained tokens": config("unsupported_config", trainable_token_indices=[3]),
    "tied weights": config("unsupported_config", ensure_weight_tying=True),
    "QALoRA": config("unsupported_config", use_qalora=True),
    "BD-LoRA": config("unsupported_config", use_bdlora={"nblocks": 2}),
    "BD-LoRA by its default values": config("unsupported_config", use_bdlora={}),
    "Arrow by its default values": config("unsupported_config", arrow_config={}),
    "Arrow": config("unsupported_config", arrow_config={"top_k": 3}),
    "KaSA": config("unsupported_config", kasa_config={"beta": 1e-4}),
    "VeLoRA": config("unsupported_config", velora_config={"a": 1}),
    "MonteCLoRA": config("unsupported_config", monteclora_config={"num_samples": 2}),
    "Megatron": config("unsupported_config", megatron_config={"a": 1}),
    "transposed layers": config("unsupported_config", fan_in_fan_out=True),
    "a key from the future": config("unknown_config", turbo=3),
    "vLLM's own factor": config("unknown_config", vllm_lora_scaling_factor=2.0),
    "a task that is none": config("bad_config", task_type="POETRY"),
    "a dropout that is none": config("bad_config", lora_dropout="much"),
    "a dropout of 400 digits": config("bad_config", lora_dropout=10**400),
}
