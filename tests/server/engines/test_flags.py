"""Derived flags: the arithmetic, the reasons, and that the user's word is the last one."""

from typing import Literal

import pytest
from skillweave.server.config import ServeConfig
from skillweave.server.engines.flags import (
    Facts,
    Flag,
    derive_environment,
    derive_flags,
    flag_names,
    rank_cap,
    served_slots,
    slots,
    takes_priority,
)

CPU = Facts(device="cpu", num_adapters=6, max_rank=8, cores=2, architecture="Qwen3ForCausalLM")


def config(**fields: object) -> ServeConfig:
    return ServeConfig.model_validate({"base": "b", **fields})


def values(flags: tuple[Flag, ...]) -> dict[str, str | None]:
    return {flag.name: flag.value for flag in flags}


@pytest.mark.parametrize(
    ("stored", "cap"), [(0, 16), (8, 16), (16, 16), (17, 32), (200, 256), (300, 320), (512, 512)]
)
def test_rank_cap_is_the_next_value_that_vllm_accepts(stored: int, cap: int) -> None:
    assert rank_cap(Facts(device="cpu", max_rank=stored), config()) == cap


def test_rank_cap_of_the_user_is_rounded_up_and_not_raised_by_the_store() -> None:
    assert rank_cap(Facts(device="cpu", max_rank=64), config(max_lora_rank=20)) == 32


@pytest.mark.parametrize(("stored", "expected"), [(0, 4), (2, 4), (6, 8), (100, 32)])
def test_slots_follow_the_store_within_bounds(stored: int, expected: int) -> None:
    assert slots(Facts(device="cpu", num_adapters=stored), config()) == expected


@pytest.mark.parametrize("words", [("--max-lora-rank", "64"), ("--max_lora_rank=64",)])
def test_rank_cap_passed_to_the_engine_is_known_to_the_gateway(words: tuple[str, ...]) -> None:
    assert rank_cap(Facts(device="cpu"), config(engine_args=words)) == 64


def test_slots_stay_within_memory() -> None:
    # one slot: 1000 bytes per rank * cap 16; a tenth of 800 kB holds five of them
    facts = Facts(device="cpu", num_adapters=30, bytes_per_rank=1000, memory_bytes=800_000)
    assert slots(facts, config()) == 5


def test_cpu_flags() -> None:
    flags = values(derive_flags(CPU, config()))
    assert flags["--dtype"] == "float32"
    assert flags["--max-loras"] == "8"
    assert flags["--max-cpu-loras"] == "8"
    assert flags["--tool-call-parser"] == "hermes"
    assert {"--enforce-eager", "--enable-lora", "--enable-prefix-caching"} <= flags.keys()
    assert "--no-enable-chunked-prefill" in flags
    assert "--no-enable-chunked-prefill" not in values(
        derive_flags(CPU, config(engine_args=("--enable-chunked-prefill",)))
    )


def test_gpu_keeps_dtype_and_compilation() -> None:
    flags = values(derive_flags(Facts(device="gpu"), config()))
    assert not {"--dtype", "--enforce-eager", "--tool-call-parser"} & flags.keys()
    assert "--no-enable-chunked-prefill" not in flags


@pytest.mark.parametrize(
    ("device", "words", "derived"),
    [
        ("cpu", (), True),
        ("gpu", (), False),
        ("cpu", ("--tensor-parallel-size", "2"), False),
        ("cpu", ("-pp", "2"), False),
        ("cpu", ("--distributed-executor-backend", "mp"), False),
    ],
)
def test_one_process_computes_where_one_is_enough(
    device: Literal["cpu", "gpu"], words: tuple[str, ...], derived: bool
) -> None:
    flags = values(derive_flags(Facts(device=device), config(engine_args=words)))
    assert ("--distributed-executor-backend" in flags) == derived


def test_prefix_cache_off() -> None:
    flags = values(derive_flags(CPU, config(prefix_cache=False)))
    assert "--no-enable-prefix-caching" in flags
    assert "--enable-prefix-caching" not in flags


@pytest.mark.parametrize(
    "words",
    [
        ("--max-loras", "3"),
        ("--max-loras=3",),
        ("--max_loras", "3"),
    ],
)
def test_what_the_user_says_is_not_derived(words: tuple[str, ...]) -> None:
    assert "--max-loras" not in values(derive_flags(CPU, config(engine_args=words)))


def test_a_switch_is_overridden_by_its_opposite() -> None:
    flags = values(derive_flags(CPU, config(engine_args=("--no-enable-prefix-caching",))))
    assert "--enable-prefix-caching" not in flags


def test_every_flag_has_a_reason() -> None:
    every = (*derive_flags(CPU, config()), *derive_environment(CPU, config(), threads=None))
    assert all(flag.reason for flag in every)


@pytest.mark.parametrize(
    ("cores", "environment", "asked", "expected"),
    [(1, None, None, "1"), (8, None, None, "7"), (8, 3, None, "3"), (8, 3, 5, "5")],
)
def test_threads(cores: int, environment: int | None, asked: int | None, expected: str) -> None:
    flags = derive_environment(
        Facts(device="cpu", cores=cores), config(threads=asked), threads=environment
    )
    assert values(flags)["OMP_NUM_THREADS"] == expected


def test_flag_names_are_canonical() -> None:
    assert flag_names(["--no-x-y", "1", "--a_b=2", "-c"]) == ["x-y", "a-b"]


def test_the_gateway_decides_who_is_next_unless_you_say_otherwise() -> None:
    assert values(derive_flags(CPU, config()))["--scheduling-policy"] == "priority"
    assert takes_priority(config())
    given = config(engine_args=("--scheduling-policy", "fcfs"))
    assert "--scheduling-policy" not in values(derive_flags(CPU, given))
    assert not takes_priority(given)
    assert not takes_priority(ServeConfig(engine_url="http://127.0.0.1:9"))


@pytest.mark.parametrize(
    ("fields", "expected"),
    [({}, 8), ({"lora_slots": 3}, 3), ({"engine_args": ("--max-loras", "5")}, 5)],
)
def test_the_gateway_knows_how_many_adapters_fit_in_a_batch(
    fields: dict[str, object], expected: int
) -> None:
    assert served_slots(CPU, config(**fields)) == expected
    assert served_slots(CPU, ServeConfig(engine_url="http://127.0.0.1:9")) is None
