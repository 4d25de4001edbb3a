"""Mutated configs and headers from a seed: some by structure, some byte by byte.

Self-contained: the exam of the gate loads it from outside pytest. `judge` is what a case must
stand: no exception, and whatever the gate takes means to safetensors and to peft what it means to
us (`oracle.py`).
"""

import json
import random
import string
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from skillweave.adapters.gate.policy import GatePolicy
from skillweave.adapters.peft_folder.findings import PREFIX
from skillweave.adapters.peft_folder.header import CONFIG_FILE, WEIGHTS_FILE

from .healthy import BASE, CONFIG, SHAPES, file_of, healthy_tensors, pack
from .oracle import disagreements

PATTERNS = (
    "q_proj",
    "self_attn.q_proj",
    r"self_attn\.v_proj",
    r"^model\.layers\.0\.self_attn\.q_proj",
    "model.layers.1.mlp.down_proj",
    r"layers\.(0|1)\..*_proj",
    ".*",
    ".*_proj",
    "[qv]_proj",
    r"(?!.*visual).*proj",
    r"\w+\.\d+\..*",
    "(a|a)*b",
    "(.+)+x",
    "",
    "(",
    "\\",
    "all-linear",
    "ALL-LINEAR",
    "lm_head",
)
VALUES: tuple[object, ...] = (
    None, True, False, 0, 1, -1, 2, 4, 8, 16, 0.0, -0.0, 0.5, 4.0, 1e308, -8, 10**30, 10**400,
    float("nan"), float("inf"), "", "none", "all", "LORA", "4", "gaussian", "pissa", "\ud800", "é",
    "\0", [], {}, [1], [[0, 2]], ["q_proj"], ["q_proj", "v_proj", "down_proj"], [None], {"a": 1},
    {"q_proj": 4}, {"q_proj": 4.0}, {"q_proj": None}, {"": 4}, [[[[]]]], 1 << 63, "CAUSAL_LM",
)  # fmt: skip


@dataclass(frozen=True)
class Verdict:
    """What became of one case. `faults` is empty where it stood."""

    taken: bool
    codes: frozenset[str]
    faults: tuple[str, ...]
    seconds: float


def case(seed: int) -> tuple[bytes, bytes]:
    """The config and the weights file of one case; the same for the same seed."""
    dice = random.Random(seed)
    config: bytes = json.dumps(CONFIG).encode()
    header, data = pack(healthy_tensors())
    weights = file_of(header, data)
    way = dice.randrange(4)
    if way == 0:
        config = _config(dice)
    elif way == 1:
        weights = _header(dice)
    elif way == 2:
        config = _bytes(dice, config)
    else:
        head = len(weights) - len(data)
        weights = _bytes(dice, weights[:head]) + weights[head:]
    return config, weights


def judge(folder: Path, seed: int) -> Verdict:
    """Write one case into a folder of its own and hold it against gate and oracle."""
    config, weights = case(seed)
    (folder / CONFIG_FILE).write_bytes(config)
    (folder / WEIGHTS_FILE).write_bytes(weights)
    start = time.perf_counter()
    try:
        problems = GatePolicy().check(folder, BASE)
    except Exception as err:  # what a fuzzer is for: recorded with its seed, and the next case runs
        return Verdict(False, frozenset(), (f"{type(err).__name__}: {err}",), 0.0)
    seconds = time.perf_counter() - start
    faults = [p.code for p in problems if not (p.message.isprintable() and p.remedy)]
    faults += disagreements(folder, taken=not problems)
    return Verdict(not problems, frozenset(p.code for p in problems), tuple(faults), seconds)


def _config(dice: random.Random) -> bytes:
    document: dict[str, Any] = json.loads(json.dumps(CONFIG))
    ranks = [2, 4, 4, 4, 8, 0, -1, 4.0, "4", True, 10**20]
    ways: list[Callable[[], object]] = [
        lambda: document.update({dice.choice(list(CONFIG)): dice.choice(VALUES)}),
        lambda: document.pop(dice.choice(list(document)), None),
        lambda: document.update({_word(dice): dice.choice(VALUES)}),
        lambda: document.update(rank_pattern={_pattern(dice): dice.choice(ranks)}),
        lambda: document.update(
            alpha_pattern={_pattern(dice): dice.choice([1, 0.5, -3, 0, 1e300, 7]) for _ in "ab"}
        ),
        lambda: document.update(target_modules=_pattern(dice)),
        lambda: document.update(
            target_modules=[_pattern(dice), *dice.sample(list(CONFIG["target_modules"]), 3)]
        ),
        lambda: document.update(exclude_modules=dice.choice([_pattern(dice), [_pattern(dice)]])),
        lambda: document.update(layers_to_transform=dice.choice([[0], 0, [0, 1], [7], [], True])),
        lambda: document.update(layers_pattern=dice.choice(["layers", ["h", "layers"], "", ".*"])),
        lambda: document.update(use_rslora=True),
        lambda: document.update(target_modules=list(SHAPES)),
        lambda: document.update(peft_version=_word(dice), base_model_name_or_path=None),
    ]
    for _ in range(dice.randint(1, 3)):
        dice.choice(ways)()
    items = list(document.items())
    dice.shuffle(items)
    text = json.dumps(dict(items), ensure_ascii=dice.random() < 0.5, indent=dice.choice([None, 1]))
    if dice.random() < 0.1 and len(text) > 2:
        text = text[:-1] + ', "r": 4}'
    return text.encode("utf-8", "surrogatepass")


def _header(dice: random.Random) -> bytes:
    tensors = list(healthy_tensors().items())
    dice.shuffle(tensors)
    header, data = pack(dict(tensors))
    names = [name for name, _ in tensors]
    fields = ["dtype", "shape", "data_offsets"]
    sizes = [[4, 16], [16, 4], [0, 4], [4], [], [4, 16, 1], [-4, -16], [2, 32], [1 << 62, 1 << 62]]
    spans = [[0, 256], [256, 0], [0, len(data)], [-1, 255], [1 << 63, 1 << 63], [0.0, 256.0]]
    dtypes = ["F32", "F16", "BF16", "F64", "I32", "U8", "F8_E4M3", "F4", "f32", ""]

    def swap(field: str) -> None:
        a, b = dice.sample(names, 2)
        header[a][field], header[b][field] = header[b][field], header[a][field]

    def rename() -> None:
        name = dice.choice(names)
        bits = ["A", "B", "lora_A", PREFIX, "layers.0", "weight", "q_proj", "."]
        header[name.replace(dice.choice(bits), _word(dice), 1)] = header.pop(name, {})

    def shrink() -> None:  # to half the width, all offsets kept whole
        half = {"F32": "F16", "F16": "F8_E4M3"}
        shrunk = {k: (half["F32"], s, raw[: len(raw) // 2]) for k, (_, s, raw) in tensors}
        header.clear()
        packed, smaller = pack(shrunk)
        header.update(packed)
        del_data.append(smaller)

    del_data: list[bytes] = []
    ways: list[Callable[[], object]] = [
        lambda: header[dice.choice(names)].update(shape=dice.choice(sizes)),
        lambda: header[dice.choice(names)].update(data_offsets=dice.choice(spans)),
        lambda: header[dice.choice(names)].update(dtype=dice.choice(dtypes)),
        lambda: header[dice.choice(names)].update({dice.choice(fields): dice.choice(VALUES)}),
        lambda: header[dice.choice(names)].pop(dice.choice(fields), None),
        lambda: swap(dice.choice(fields)),
        lambda: header.pop(dice.choice(names), None),
        lambda: header.update({_word(dice): dice.choice(VALUES)}),
        lambda: header.update(__metadata__=dice.choice(VALUES)),
        lambda: header.pop("__metadata__", None),
        rename,
        shrink,
    ]
    for _ in range(dice.randint(1, 2)):
        try:
            dice.choice(ways)()
        except (KeyError, AttributeError, TypeError):  # an earlier change left nothing to change
            continue
    text = json.dumps(header, ensure_ascii=dice.random() < 0.5).encode("utf-8", "surrogatepass")
    if dice.random() < 0.1:
        text = _twice(dice, text)
    text += b" " * dice.choice([0, 0, 1, 7])
    return file_of(text, del_data[-1] if del_data else data)


def _twice(dice: random.Random, text: bytes) -> bytes:
    """A name that comes again, beside metadata of any kind."""
    document = json.loads(text)
    document.pop("__metadata__", None)
    name = json.dumps(dice.choice([*document, "x"]))
    entry = dice.choice(["1", "null", '"x"', "{}", '{"dtype":"F32","shape":[9,9]}'])
    metadata = dice.choice(["null", "{}", '{"a":"b"}', '{"a":1}', "[]", '"text"'])
    again = f'{{"__metadata__":{metadata},' + f"{name}:{entry}," * dice.randint(1, 4)
    return again.encode("utf-8", "surrogatepass") + json.dumps(document).encode()[1:]


def _bytes(dice: random.Random, raw: bytes) -> bytes:
    changed = bytearray(raw)
    for _ in range(dice.randint(1, 4)):
        place, length = dice.randrange(len(changed) + 1), dice.randint(1, 8)
        way = dice.randrange(5)
        if way == 0 and place < len(changed):
            changed[place] ^= 1 << dice.randrange(8)
        elif way == 1 and place < len(changed):
            changed[place] = dice.choice(b'"{}[],:0129eE.-+\\ntf \0\xff\xc3')
        elif way == 2:
            del changed[place : place + length]
        elif way == 3:
            changed[place:place] = changed[place : place + length]
        else:
            changed[place:place] = bytes(dice.randrange(256) for _ in range(length))
    return bytes(changed)


def _pattern(dice: random.Random) -> str:
    if dice.random() < 0.8:
        return dice.choice(PATTERNS)
    return "".join(dice.choice([*PATTERNS, "|", "(", ")", "*", "+", ".", "?"]) for _ in range(3))


def _word(dice: random.Random) -> str:
    letters = string.ascii_letters + "._-\\\"'\0\n é\u202e"
    return "".join(dice.choice(letters) for _ in range(dice.randint(0, 12)))
