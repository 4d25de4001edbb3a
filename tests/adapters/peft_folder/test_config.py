"""Reading `adapter_config.json`: scales and targets as PEFT means them, doubts refused."""

import json
import math

import pytest
from peft import LoraConfig
from peft.tuners.tuners_utils import check_target_module_exists
from peft.utils.other import get_pattern_key
from skillweave.adapters.limits import Limits
from skillweave.adapters.peft_folder.config import PeftConfig, parse_config

Q0, Q1, Q10 = (f"model.layers.{i}.self_attn.q_proj" for i in (0, 1, 10))
DOWN0 = "model.layers.0.mlp.down_proj"
MODULES = (Q0, Q1, Q10, DOWN0, "lm_head", "model.layers.1.xq_proj")


def document(**change: object) -> dict[str, object]:
    return {
        "peft_type": "LORA",
        "r": 8,
        "lora_alpha": 16,
        "target_modules": ["q_proj", "down_proj"],
        **change,
    }


def parsed(**change: object) -> PeftConfig:
    config, problems = parse_config(json.dumps(document(**change)).encode())
    assert problems == ()
    assert config is not None
    return config


def codes(raw: bytes) -> list[str]:
    return [problem.code for problem in parse_config(raw)[1]]


def test_scale_is_alpha_over_rank_and_over_its_root_for_rslora() -> None:
    assert parsed().scale_of(Q0) == 2.0
    assert parsed(use_rslora=True).scale_of(Q0) == 16 / math.sqrt(8)


def test_patterns_give_each_module_its_rank_and_alpha() -> None:
    config = parsed(rank_pattern={"0.self_attn.q_proj": 4}, alpha_pattern={"q_proj": 6})
    assert (config.rank_of(Q0), config.scale_of(Q0)) == (4, 1.5)
    assert (config.rank_of(Q1), config.scale_of(Q1)) == (8, 0.75)
    assert (config.rank_of(DOWN0), config.scale_of(DOWN0)) == (8, 2.0)
    rooted = parsed(rank_pattern={"q_proj": 4}, alpha_pattern={"q_proj": 6}, use_rslora=True)
    assert rooted.scale_of(Q0) == 3.0


@pytest.mark.parametrize(
    "pattern",
    [
        "q_proj",
        "self_attn.q_proj",
        "layers.1.self_attn.q_proj",
        r"^model\.layers\.1\.self_attn\.q_proj",
        r".*\.q_proj",
        r"layers\.(0|1)\.self_attn\.q_proj",
        r"model.layers.\d+.self_attn.q_proj",
        "proj",
        "[qx]_proj",
    ],
)
def test_patterns_match_as_peft_matches_them(pattern: str) -> None:
    config = parsed(rank_pattern={pattern: 3})
    for module in MODULES:
        ours = config.rank_of(module) == 3
        assert ours == (get_pattern_key([pattern], module) == pattern), module


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"target_modules": [Q0]},
        {"target_modules": r"model\.layers\.\d+\.self_attn\.q_proj"},
        {"exclude_modules": ["self_attn.q_proj"]},
        {"exclude_modules": r".*\.q_proj"},
        {"layers_to_transform": 1},
        {"layers_to_transform": [0, 10]},
        {"layers_to_transform": [10], "layers_pattern": "layers"},
        {"layers_to_transform": [0], "layers_pattern": ["h"]},
    ],
)
def test_targets_are_what_peft_would_target(change: dict[str, object]) -> None:
    config = parsed(**change)
    keys = ("target_modules", "exclude_modules", "layers_to_transform", "layers_pattern")
    peft = LoraConfig(**{k: v for k, v in document(**change).items() if k in keys})
    peft.target_modules = document(**change)["target_modules"]  # lists as they are in the file
    for module in MODULES:
        theirs = check_target_module_exists(peft, module)
        excluded = type(theirs).__name__ == "_ExcludedModule"
        assert config.targets_module(module) == (bool(theirs) and not excluded), module


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"peft_type": "LOHA"}, "not_lora"),
        ({"use_dora": True}, "dora"),
        ({"bias": "all"}, "bias"),
        ({"lora_bias": True}, "bias"),
        ({"modules_to_save": ["lm_head"]}, "modules_to_save"),
        ({"init_lora_weights": "pissa"}, "base_rewriting_init"),
        ({"init_lora_weights": "pissa_niter_4"}, "base_rewriting_init"),
        ({"init_lora_weights": "olora"}, "base_rewriting_init"),
        ({"init_lora_weights": "loftq"}, "base_rewriting_init"),
        ({"init_lora_weights": "corda"}, "base_rewriting_init"),
        ({"alora_invocation_tokens": [1]}, "unsupported_config"),
        ({"layer_replication": [[0, 2]]}, "unsupported_config"),
        ({"trainable_token_indices": [3]}, "unsupported_config"),
        ({"target_parameters": ["x"]}, "unsupported_config"),
        ({"use_qalora": True}, "unsupported_config"),
        ({"fan_in_fan_out": True}, "unsupported_config"),
        ({"turbo": 3}, "unknown_config"),
        ({"turbo": 0}, "unknown_config"),
        ({"turbo": True}, "unknown_config"),
        ({"r": 0}, "bad_config"),
        ({"r": True}, "bad_config"),
        ({"r": "8"}, "bad_config"),
        ({"r": None}, "bad_config"),
        ({"lora_alpha": float("nan")}, "bad_config"),
        ({"lora_alpha": float("inf")}, "bad_config"),
        ({"rank_pattern": {"q_proj": -1}}, "bad_config"),
        ({"alpha_pattern": [1]}, "bad_config"),
        ({"target_modules": []}, "bad_config"),
        ({"target_modules": [1]}, "bad_config"),
        ({"target_modules": "(a+)+"}, "unsafe_pattern"),
        ({"rank_pattern": {"((q|k)*)*proj": 2}}, "unsafe_pattern"),
        ({"rank_pattern": {"(": 2}}, "unsafe_pattern"),
        ({"rank_pattern": {"q_proj)|(k": 2}}, "unsafe_pattern"),
        ({"rank_pattern": {"(?i)Q": 2}}, "unsafe_pattern"),
        ({"exclude_modules": r"(a)\1"}, "unsafe_pattern"),
        ({"layers_to_transform": 1, "layers_pattern": "(h"}, "unsafe_pattern"),
        ({"alpha_pattern": {f"a{i}": 1 for i in range(2049)}}, "unsafe_pattern"),
        ({"layers_pattern": "layers"}, "bad_config"),
        ({"target_modules": "q_proj", "layers_to_transform": [1]}, "bad_config"),
        ({"task_type": "POETRY"}, "bad_config"),
        ({"lora_dropout": 7}, "bad_config"),
        ({"inference_mode": "yes"}, "bad_config"),
        ({"bias": None}, "bias"),
    ],
)
def test_each_doubt_has_its_code(change: dict[str, object], code: str) -> None:
    assert set(codes(json.dumps(document(**change)).encode())) == {code}


def test_an_expression_that_could_run_for_ever_is_refused_for_the_names_it_meets() -> None:
    for pattern in (".*.*.*.*x", "(.|.)*x", "(.|m)*(.|m)*(.|m)*x"):
        for key in ("rank_pattern", "alpha_pattern"):
            problem = parsed(**{key: {pattern: 2}}).cost_problem(MODULES)
            assert problem is not None
            assert problem.code == "unsafe_pattern"
        assert parsed(target_modules=pattern).cost_problem(MODULES) is not None
    assert parsed(rank_pattern={"(x|x)*y": 2}).cost_problem(MODULES) is None  # meets no x
    many = parsed(rank_pattern={".*_proj": 2}).cost_problem(["m" * 250] * 50, Limits(steps=5000))
    assert many is not None
    assert "all names together" in many.message


@pytest.mark.parametrize("neutral", [None, False, "", [], {}])
def test_unknown_keys_that_say_nothing_are_taken(neutral: object) -> None:
    assert parsed(from_the_future=neutral).r == 8


@pytest.mark.parametrize("init", [True, False, None, "gaussian", "eva", "orthogonal", "mica"])
def test_inits_that_leave_the_base_alone_are_taken(init: object) -> None:
    assert parsed(init_lora_weights=init).r == 8


@pytest.mark.parametrize(
    "raw", [b"", b"{", b"[]", b"3", b'{"r": 1, "r": 2}', b"\xff", b"[" * 100_000]
)
def test_what_is_no_json_object_is_a_problem_not_a_crash(raw: bytes) -> None:
    assert codes(raw) == ["bad_config"]


def test_all_problems_come_at_once() -> None:
    raw = json.dumps(document(use_dora=True, bias="all", r=-1, turbo=1, peft_type="X")).encode()
    assert set(codes(raw)) == {"dora", "bias", "bad_config", "unknown_config", "not_lora"}
