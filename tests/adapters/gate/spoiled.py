"""Every kind of spoiled adapter that we know, each with the codes that it must be refused with.

Each starts from the sound adapter of `healthy.py` and has one thing done to it. Self-contained:
the exam of the gate loads it from outside pytest. To add a kind: one line in a table below.
"""

import json
import os
import shutil
import socket
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from skillweave.adapters.base.identity import BaseIdentity
from skillweave.adapters.card import CARD_FILE, Card, card_bytes
from skillweave.adapters.gate.policy import GatePolicy
from skillweave.adapters.limits import Limits
from skillweave.adapters.peft_folder.findings import PREFIX
from skillweave.adapters.peft_folder.header import CONFIG_FILE, WEIGHTS_FILE

from .healthy import BASE, CONFIG, RANK, Tensor, file_of, healthy_tensors, pack

Q0 = f"{PREFIX}model.layers.0.self_attn.q_proj"
A0, B0 = f"{Q0}.lora_A.weight", f"{Q0}.lora_B.weight"


@dataclass(frozen=True)
class Kind:
    """One way to spoil an adapter."""

    codes: frozenset[str]
    spoil: Callable[[Path], object]
    policy: GatePolicy = field(default_factory=GatePolicy)
    base: BaseIdentity | None = BASE


def _kind(code: str, spoil: Callable[[Path], object], **more: Any) -> Kind:
    return Kind(frozenset(code.split()), spoil, **more)


def _config(code: str, **change: object) -> Kind:
    text = json.dumps({**CONFIG, **change})
    return _kind(code, lambda folder: (folder / CONFIG_FILE).write_text(text))


def _config_bytes(code: str, raw: bytes) -> Kind:
    return _kind(code, lambda folder: (folder / CONFIG_FILE).write_bytes(raw))


def _tensors(code: str, change: Callable[[dict[str, Tensor]], object], **more: object) -> Kind:
    def spoil(folder: Path) -> None:
        tensors = healthy_tensors()
        change(tensors)
        (folder / WEIGHTS_FILE).write_bytes(file_of(*pack(tensors)))
        if more:
            (folder / CONFIG_FILE).write_text(json.dumps({**CONFIG, **more}))

    return _kind(code, spoil)


def _header(code: str, change: Callable[[dict[str, Any]], object]) -> Kind:
    def spoil(folder: Path) -> None:
        header, data = pack(healthy_tensors())
        change(header)
        (folder / WEIGHTS_FILE).write_bytes(file_of(header, data))

    return _kind(code, spoil)


def _header_bytes(code: str, change: Callable[[bytes], bytes]) -> Kind:
    def spoil(folder: Path) -> None:
        header, data = pack(healthy_tensors())
        raw = change(json.dumps(header).encode())
        (folder / WEIGHTS_FILE).write_bytes(file_of(raw, data))

    return _kind(code, spoil)


def _file(code: str, change: Callable[[bytes], bytes]) -> Kind:
    def spoil(folder: Path) -> None:
        path = folder / WEIGHTS_FILE
        path.write_bytes(change(path.read_bytes()))

    return _kind(code, spoil)


def _card(code: str, **change: object) -> Kind:
    def spoil(folder: Path) -> None:
        base = BASE.for_card().model_copy(update=change)
        (folder / CARD_FILE).write_bytes(card_bytes(Card(kind="skill", base=base)))

    return _kind(code, spoil)


def _limit(code: str, **limits: int) -> Kind:
    return _kind(code, lambda folder: None, policy=GatePolicy(limits=Limits(**limits)))


def _add(name: str, data: bytes = b"x") -> Callable[[Path], object]:
    return lambda folder: (folder / name).write_bytes(data)


def _renamed(old: str, new: str) -> Callable[[dict[str, Tensor]], None]:
    def change(tensors: dict[str, Tensor]) -> None:
        for key in list(tensors):
            tensors[key.replace(old, new)] = tensors.pop(key)

    return change


def _put(key: str, dtype: str = "F32", shape: tuple[int, ...] = (1,)) -> Any:
    items = {"F32": 4, "F64": 8, "I64": 8, "F16": 2, "BF16": 2, "F8_E4M3": 1, "BOOL": 1}
    raw = bytes(int(np.prod(shape)) * items[dtype])
    return lambda tensors: tensors.update({key: (dtype, list(shape), raw)})


def _beside_null(times: int, entry: bytes = b"1") -> Callable[[bytes], bytes]:
    """Metadata of null, and a name that comes again so often before its tensor."""

    def change(header: bytes) -> bytes:
        document = json.loads(header)
        del document["__metadata__"]
        again = (b'"' + A0.encode() + b'":' + entry + b",") * times
        return b'{"__metadata__":null,' + again + json.dumps(document).encode()[1:]

    return change


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


def _field(name: str, value: object) -> Callable[[dict[str, Any]], object]:
    return lambda header: header[A0].update({name: value})


def _link(name: str, target: str) -> Callable[[Path], object]:
    def spoil(folder: Path) -> None:
        (folder / name).unlink(missing_ok=True)
        (folder / name).symlink_to(target)

    return spoil


def _instead(name: str, make: Callable[[Path], object]) -> Callable[[Path], object]:
    def spoil(folder: Path) -> None:
        (folder / name).unlink(missing_ok=True)
        make(folder / name)

    return spoil


def _bind_socket(path: Path) -> None:
    here = os.getcwd()
    os.chdir(path.parent)  # a socket's path must be short
    try:
        with socket.socket(socket.AF_UNIX) as made:
            made.bind(path.name)
    finally:
        os.chdir(here)


def _deep(folder: Path) -> None:
    inner = folder
    for _ in range(40):
        inner /= "d"
    inner.mkdir(parents=True)


def _flood(folder: Path) -> None:
    for number in range(60):
        (folder / f"{number}" / "x").mkdir(parents=True)


def _sparse(folder: Path) -> None:
    os.truncate(folder / WEIGHTS_FILE, 6 << 30)


def _to_subfolder(folder: Path) -> None:
    (folder / "mine").mkdir()
    for name in (CONFIG_FILE, WEIGHTS_FILE):
        (folder / name).rename(folder / "mine" / name)


BOMB = "(.|.)*" * 3 + "x"
UNKNOWN, SHAPE = "unknown_module", "wrong_shape"

FOLDERS: dict[str, Kind] = {
    "no folder": _kind("missing_folder", shutil.rmtree),
    "a file for a folder": _kind(
        "missing_folder", lambda f: (shutil.rmtree(f), f.write_bytes(b"x"))
    ),
    "no config": _kind("missing_config", lambda f: (f / CONFIG_FILE).unlink()),
    "no weights": _kind("missing_weights", lambda f: (f / WEIGHTS_FILE).unlink()),
    "a folder for a config": _kind("missing_config", _instead(CONFIG_FILE, Path.mkdir)),
    "a folder for weights": _kind("missing_weights", _instead(WEIGHTS_FILE, Path.mkdir)),
    "weights in a pickle": _kind(
        "bad_weights_file missing_weights",
        lambda f: (f / WEIGHTS_FILE).rename(f / "adapter_model.bin"),
    ),
    "a pickle besides": _kind("bad_weights_file", _add("adapter_model.bin")),
    "a pickle in capitals": _kind("bad_weights_file", _add("X.PT")),
    "a checkpoint": _kind("bad_weights_file", _add("model.ckpt")),
    "more safetensors": _kind("bad_weights_file", _add("new_embeddings.safetensors")),
    "the config twice but for case": _kind("case_variant", _add("Adapter_Config.json")),
    "the weights twice but for case": _kind("case_variant", _add("ADAPTER_MODEL.safetensors")),
    "in a subfolder": _kind("missing_config missing_weights", _to_subfolder),
    "linked weights": _kind("symlink", _link(WEIGHTS_FILE, "/etc/passwd")),
    "a linked config": _kind("symlink", _link(CONFIG_FILE, "/etc/passwd")),
    "a linked card": _kind("symlink", _link(CARD_FILE, "/etc/passwd")),
    "a linked folder": _kind("symlink", _link("skill", "/etc")),
    "a way out": _kind("symlink", _link("notes", "../../secret")),
    "a link to nothing": _kind("symlink", _link("notes", "nowhere")),
    "a link to itself": _kind("symlink", _link("loop", "loop")),
    "a pipe": _kind("special_file", lambda f: os.mkfifo(f / "pipe")),
    "a pipe for weights": _kind("special_file", _instead(WEIGHTS_FILE, os.mkfifo)),
    "a socket": _kind("special_file", lambda f: _bind_socket(f / "s")),
    "a name with a line break": _kind("bad_file_name", _add("a\nb")),
    "a name that turns round": _kind("bad_file_name", _add("a\u202etxt.exe")),
    "a name that is no text": _kind("bad_file_name", _add(os.fsdecode(b"a\xff"))),
    "a name with a backslash": _kind("bad_file_name", _add("..\\..\\x")),
    "too deep": _kind("too_deep", _deep),
    "too many": _kind("too_many_files", _flood, policy=GatePolicy(limits=Limits(files=50))),
    "a sparse giant": _kind(
        "bad_header too_large", _sparse, policy=GatePolicy(limits=Limits(folder_bytes=1 << 30))
    ),
    "more bytes than allowed": _limit("too_large", folder_bytes=1000),
    "a config beyond its limit": _limit("too_large", config_bytes=10),
    "weights beyond their limit": _limit("bad_header", tensors_bytes=1000),
}
FILES: dict[str, Kind] = {
    "empty weights": _file("bad_header", lambda raw: b""),
    "half a length": _file("bad_header", lambda raw: raw[:4]),
    "truncated in the header": _file("bad_header", lambda raw: raw[:100]),
    "truncated in the data": _file("bad_header", lambda raw: raw[:-1]),
    "bytes behind the data": _file("bad_header", lambda raw: raw + b"\0"),
    "a length beyond the file": _file("bad_header", lambda raw: b"\xff" * 7 + b"\x7f" + raw[8:]),
    "a length of all ones": _file("bad_header", lambda raw: b"\xff" * 8 + raw[8:]),
    "a pickle under our name": _file("bad_header", lambda raw: b"\x80\x04\x95" + raw),
    "an archive under our name": _file("bad_header", lambda raw: b"PK\x03\x04" + raw),
    "a header that is no UTF-8": _header_bytes("bad_header", lambda h: h[:-1] + b"\xff}"),
    "a header with a space first": _header_bytes("bad_header", lambda h: b" " + h),
    "a header with a mark first": _header_bytes("bad_header", lambda h: b"\xef\xbb\xbf" + h),
    "a header that is a list": _header_bytes("bad_header", lambda h: b"[" + h + b"]"),
    "a tensor named twice": _header_bytes(
        "bad_header", lambda h: h[:-1] + b', "' + A0.encode() + b'": {}}'
    ),
    "a tensor named twice beside metadata of null": _header_bytes("bad_header", _beside_null(4)),
    "a field named twice beside metadata of null": _header_bytes(
        "bad_header",
        lambda h: _beside_null(0)(h).replace(
            b'"shape": [', b'"shape":[9],"shape":[9],"shape": [', 2
        ),
    ),
    "a tensor named twice with another shape beside metadata of null": _header_bytes(
        "bad_header", _beside_null(1, b'{"dtype":"F32","shape":[9,9]}')
    ),
    "a header nested without end": _header_bytes("bad_header", lambda h: b'{"a":' + b"[" * 200_000),
    "NaN in a header": _header_bytes("bad_header", lambda h: h[:-1] + b', "x": NaN}'),
    "half a surrogate": _header_bytes("bad_header", lambda h: h[:-1] + b', "\\ud800": 1}'),
    "a number of 5000 digits": _header_bytes(
        "bad_header", lambda h: h.replace(b'"shape": [4', b'"shape": [4' + b"0" * 5000, 1)
    ),
    "metadata that is no text": _header("bad_header", lambda h: h.update(__metadata__={"a": 1})),
    "metadata that is a list": _header("bad_header", lambda h: h.update(__metadata__=[])),
    "an unknown dtype": _header("bad_header", _field("dtype", "F33")),
    "a dtype that is a number": _header("bad_header", _field("dtype", 32)),
    "a negative size": _header("bad_header", _field("shape", [-4, -16])),
    "a size that is a fraction": _header("bad_header", _field("shape", [4.0, 16])),
    "a size that is true": _header("bad_header", _field("shape", [True, 64])),
    "sizes that overflow": _header("bad_header", _field("shape", [1 << 40, 1 << 40])),
    "a size beyond 64 bits": _header("bad_header", _field("shape", [1 << 70, 0])),
    "a shape that is a text": _header("bad_header", _field("shape", "4,16")),
    "offsets the wrong way": _header("bad_header", _field("data_offsets", [256, 0])),
    "three offsets": _header("bad_header", _field("data_offsets", [0, 128, 256])),
    "overlapping tensors": _header("bad_header", lambda h: h[B0].update(data_offsets=[0, 256])),
    "a hole between tensors": _header("bad_header", lambda h: h.pop(B0)),
    "a field too many": _header("bad_header", _field("strides", [1, 1])),
    "a field too few": _header("bad_header", lambda h: h[A0].pop("dtype")),
}
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
    "targets that are not held": _config(
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
    "more modules than allowed": _limit("module_count", modules=5),
}
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
    "NaN for alpha": _config("bad_config", lora_alpha=float("nan")),
    "infinity for alpha": _config("bad_config", lora_alpha=float("inf")),
    "an alpha of 400 digits": _config("bad_config", lora_alpha=10**400),
    "an alpha that overflows": _config("bad_scale", lora_alpha=1e300),
    "alpha zero": _config("zero_scale", lora_alpha=0),
    "alpha below float32": _config("zero_scale", lora_alpha=1e-60),
    "an alpha that is true": _config("bad_config", lora_alpha=True),
    "an alpha that is a text": _config("bad_config", lora_alpha="8"),
    "rank nought": _config("bad_config", r=0),
    "a rank below nought": _config("bad_config", r=-4),
    "a rank that is a fraction": _config("bad_config", r=4.5),
    "a rank that is true": _config("bad_config", r=True),
    "a rank that is not there": _config("bad_config", r=None),
    "another rank than the tensors": _config("rank_mismatch", r=8),
    "a rank in a pattern for nobody": _config("rank_limit", rank_pattern={"nobody": 4096}),
    "a pattern with another rank": _config("rank_mismatch", rank_pattern={"q_proj": 2}),
    "a pattern with rank nought": _config("bad_config", rank_pattern={"q_proj": 0}),
    "no patterns but null": _config("bad_config", rank_pattern=None),
    "an alpha pattern that is a list": _config("bad_config", alpha_pattern=["q_proj"]),
    "a pattern that never ends": _config("unsafe_pattern", rank_pattern={BOMB: 4}),
    "an alpha pattern that never ends": _config("unsafe_pattern", alpha_pattern={BOMB: 4}),
    "targets that never end": _config("unsafe_pattern", target_modules=f"{BOMB}|.*proj"),
    "an exclusion that never ends": _config("unsafe_pattern", exclude_modules=BOMB),
    "repeats in repeats": _config("unsafe_pattern", target_modules="((m+)+)+_proj"),
    "a back reference": _config("unsafe_pattern", target_modules=r"(.*)\1"),
    "a pattern that is none": _config("unsafe_pattern", target_modules="*_proj"),
    "targets that name nothing": _config("bad_config", target_modules=[]),
    "targets that are numbers": _config("bad_config", target_modules=[1]),
    "no targets": _config("bad_config", target_modules=None),
    "targets of the output layer only": _config("untargeted", target_modules=["lm_head"]),
    "layers that leave others out": _config("untargeted", layers_to_transform=[0]),
    "layers of no number": _config("bad_config", layers_to_transform=["0"]),
    "layers beside one pattern": _config(
        "bad_config", target_modules=".*_proj", layers_to_transform=[0]
    ),
    "an exclusion of what is held": _config("untargeted", exclude_modules=["v_proj"]),
    "another method": _config("not_lora", peft_type="LOHA"),
    "DoRA": _config("dora", use_dora=True),
    "all biases": _config("bias", bias="all"),
    "LoRA biases": _config("bias", bias="lora_only"),
    "a bias in the factor": _config("bias", lora_bias=True),
    "modules to save": _config("modules_to_save", modules_to_save=["lm_head"]),
    "PiSSA": _config("base_rewriting_init", init_lora_weights="pissa"),
    "fast PiSSA": _config("base_rewriting_init", init_lora_weights="pissa_niter_4"),
    "OLoRA": _config("base_rewriting_init", init_lora_weights="olora"),
    "CorDA": _config("base_rewriting_init", init_lora_weights="corda", corda_config={}),
    "LoftQ": _config("base_rewriting_init", init_lora_weights="loftq", loftq_config={"a": 1}),
    "an init from the future": _config("base_rewriting_init", init_lora_weights="tomorrow"),
    "an init that is a list": _config("base_rewriting_init", init_lora_weights=["pissa"]),
    "aLoRA": _config("unsupported_config", alora_invocation_tokens=[1, 2]),
    "replicated layers": _config("unsupported_config", layer_replication=[[0, 2]]),
    "target parameters": _config("unsupported_config", target_parameters=["mlp.experts"]),
    "trained tokens": _config("unsupported_config", trainable_token_indices=[3]),
    "tied weights": _config("unsupported_config", ensure_weight_tying=True),
    "QALoRA": _config("unsupported_config", use_qalora=True),
    "BD-LoRA": _config("unsupported_config", use_bdlora={"nblocks": 2}),
    "BD-LoRA by its default values": _config("unsupported_config", use_bdlora={}),
    "Arrow by its default values": _config("unsupported_config", arrow_config={}),
    "Arrow": _config("unsupported_config", arrow_config={"top_k": 3}),
    "KaSA": _config("unsupported_config", kasa_config={"beta": 1e-4}),
    "VeLoRA": _config("unsupported_config", velora_config={"a": 1}),
    "MonteCLoRA": _config("unsupported_config", monteclora_config={"num_samples": 2}),
    "Megatron": _config("unsupported_config", megatron_config={"a": 1}),
    "transposed layers": _config("unsupported_config", fan_in_fan_out=True),
    "a key from the future": _config("unknown_config", turbo=3),
    "vLLM's own factor": _config("unknown_config", vllm_lora_scaling_factor=2.0),
    "a task that is none": _config("bad_config", task_type="POETRY"),
    "a dropout that is none": _config("bad_config", lora_dropout="much"),
    "a dropout of 400 digits": _config("bad_config", lora_dropout=10**400),
}
CARDS: dict[str, Kind] = {
    "a card for another base": _card("wrong_base", family_digest="f" * 64),
    "a card for another tokenizer": _card("wrong_tokenizer", tokenizer_digest="f" * 64),
    "a card for another precision": _card("other_precision", precision="nf4"),
    "an empty card": _kind("bad_card", _add(CARD_FILE, b"{}")),
    "a card that is no JSON": _kind("bad_card", _add(CARD_FILE, b"{")),
    "a card nested without end": _kind("bad_card", _add(CARD_FILE, b"[" * 200_000)),
    "a card with a field too many": _kind(
        "bad_card",
        lambda f: (f / CARD_FILE).write_text(
            json.dumps({"kind": "skill", "base": BASE.for_card().model_dump(), "turbo": 1})
        ),
    ),
    "a base without the module": _kind(
        UNKNOWN, lambda f: None, base=replace(BASE, modules={"lm_head": (64, 16)})
    ),
    "a base of another width": _kind(
        SHAPE,
        lambda f: None,
        base=replace(BASE, modules={k: (o + 8, i) for k, (o, i) in BASE.modules.items()}),
    ),
    "an engine of a lower rank": _kind(
        "rank_above_cap", lambda f: None, policy=GatePolicy(max_rank=2)
    ),
}
KINDS: dict[str, Kind] = {**FOLDERS, **FILES, **TENSORS, **CONFIGS, **CARDS}
