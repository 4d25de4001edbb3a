"""Flags of the engine, derived from store, base and machine, each with its reason. Pure.

Owns the arithmetic and the precedence: what the user passed wins. Refuses to look at the machine
(`facts.py`) and to start anything. To derive one more flag: one function in `_RULES`.
"""

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from ..config import ALLOWED_RANK_CAPS, ServeConfig

DEFAULT_RANK_CAP = 16
PRIORITY = "priority"
SLOT_MARGIN = 2
"""Slots beside the stored adapters: one for a version being published, one for its predecessor."""
MIN_SLOTS, MAX_SLOTS = 4, 32
MAX_HOST_ADAPTERS = 256
MEMORY_SHARE = 0.1
"""Share of free memory that adapter slots may take."""

ONE_PROCESS = "vllm.v1.executor.uniproc_executor.UniProcExecutor"

TOOL_PARSERS = {
    "Qwen2ForCausalLM": "hermes",
    "Qwen2MoeForCausalLM": "hermes",
    "Qwen3ForCausalLM": "hermes",
    "Qwen3MoeForCausalLM": "hermes",
    "LlamaForCausalLM": "llama3_json",
    "MistralForCausalLM": "mistral",
}


@dataclass(frozen=True)
class Facts:
    """What the flags depend on.

    Args:
        num_adapters: stored ids for this base.
        max_rank: largest rank among them; 0 where there is none.
        cores: CPU cores this process may use.
        memory_bytes: free memory of the device that holds the adapters; 0 = unknown.
        bytes_per_rank: bytes of one adapter of rank 1 on every module of the base; 0 = unknown.
        architecture: class name in the base's config; None = unknown.
    """

    device: Literal["cpu", "gpu"]
    num_adapters: int = 0
    max_rank: int = 0
    cores: int = 1
    memory_bytes: int = 0
    bytes_per_rank: int = 0
    architecture: str | None = None


@dataclass(frozen=True)
class Flag:
    """One flag (`--name value`, or a switch where `value` is None) or variable, and why."""

    name: str
    value: str | None
    reason: str

    @property
    def words(self) -> tuple[str, ...]:
        return (self.name,) if self.value is None else (self.name, self.value)


def derive_flags(facts: Facts, config: ServeConfig) -> tuple[Flag, ...]:
    """All derived flags, without those that `config.engine_args` sets itself."""
    given = set(flag_names(config.engine_args))
    derived = [flag for rule in _RULES for flag in rule(facts, config)]
    return tuple(flag for flag in derived if _canonical(flag.name) not in given)


def derive_environment(
    facts: Facts, config: ServeConfig, *, threads: int | None
) -> tuple[Flag, ...]:
    """Environment variables of the engine; `threads` is what the environment asks for."""
    common = (
        Flag("SKILLWEAVE_VLLM", "1", "our LoRA kernel: the stock one also changes base rows"),
        Flag("VLLM_ALLOW_RUNTIME_LORA_UPDATING", "1", "adapters are loaded while serving"),
        Flag("VLLM_LOGGING_LEVEL", "INFO", "at DEBUG vLLM writes pieces of requests into its log"),
        Flag("VLLM_NO_USAGE_STATS", "1", "nothing is reported to anybody"),
        Flag("DO_NOT_TRACK", "1", "nothing is reported to anybody"),
    )
    if facts.device == "gpu":
        return common
    return (*common, *_cpu_environment(facts, config, threads))


def rank_cap(facts: Facts, config: ServeConfig) -> int:
    """Smallest value the engine accepts that holds every stored adapter (or the user's cap)."""
    given = flag_value(config.engine_args, "max-lora-rank")
    if given is not None and given.isdigit():
        return int(given)
    wanted = config.max_lora_rank or max(facts.max_rank, DEFAULT_RANK_CAP)
    return next((cap for cap in ALLOWED_RANK_CAPS if cap >= wanted), ALLOWED_RANK_CAPS[-1])


def slots(facts: Facts, config: ServeConfig) -> int:
    """Adapters in one batch: all stored ones and a margin, within bounds and memory."""
    if config.lora_slots is not None:
        return config.lora_slots
    wanted = min(max(facts.num_adapters + SLOT_MARGIN, MIN_SLOTS), MAX_SLOTS)
    return max(SLOT_MARGIN, min(wanted, _fitting(facts, config)))


def served_slots(facts: Facts, config: ServeConfig) -> int | None:
    """Adapters in one batch, as far as it is known: what the user passes on to the engine wins."""
    if config.engine_url is not None:
        return None
    given = flag_value(config.engine_args, "max-loras")
    return int(given) if given is not None and given.isdigit() else slots(facts, config)


def takes_priority(config: ServeConfig) -> bool:
    """Whether requests may carry `priority`: any other policy answers them with an error."""
    policy = flag_value(config.engine_args, "scheduling-policy") or PRIORITY
    return config.engine_url is None and policy == PRIORITY


def flag_names(words: Sequence[str]) -> list[str]:
    """Canonical names of the flags in a command line: `--no-X`, `--X=1` and `--x_y` are `x-y`."""
    return [_canonical(word) for word in words if word.startswith("--")]


def flag_value(words: Sequence[str], name: str) -> str | None:
    """The value of a flag in a command line, as `--x V` or `--x=V`; the last one counts."""
    value = None
    for word, following in itertools.zip_longest(words, words[1:], fillvalue=""):
        if word.startswith("--") and _canonical(word) == name:
            value = word.split("=", 1)[1] if "=" in word else following
    return value


def _canonical(name: str) -> str:
    stem = name.split("=", 1)[0].removeprefix("--").replace("_", "-")
    return stem.removeprefix("no-")


def _fitting(facts: Facts, config: ServeConfig) -> int:
    """How many slots fit into the memory share; vLLM pads each slot to the rank cap."""
    slot_bytes = facts.bytes_per_rank * rank_cap(facts, config)
    known = slot_bytes and facts.memory_bytes
    return int(MEMORY_SHARE * facts.memory_bytes) // slot_bytes if known else MAX_SLOTS


def _lora_flags(facts: Facts, config: ServeConfig) -> tuple[Flag, ...]:
    cap, num_slots = rank_cap(facts, config), slots(facts, config)
    host = min(max(num_slots, facts.num_adapters + SLOT_MARGIN), max(num_slots, MAX_HOST_ADAPTERS))
    stored = f"{facts.num_adapters} stored adapter(s) for this base"
    rank_reason = (
        f"you asked for {config.max_lora_rank}"
        if config.max_lora_rank
        else f"largest stored rank {facts.max_rank}, at least {DEFAULT_RANK_CAP}"
    )
    slot_reason = (
        f"you asked for {num_slots}"
        if config.lora_slots
        else f"{stored} + {SLOT_MARGIN}, {MIN_SLOTS} to {MAX_SLOTS}, within memory"
    )
    return (
        Flag("--enable-lora", None, "skills are served as adapters"),
        Flag("--max-loras", str(num_slots), slot_reason),
        Flag("--max-cpu-loras", str(host), f"{stored} stay in memory; overflow is silent"),
        Flag("--max-lora-rank", str(cap), f"{rank_reason}, rounded up to what vLLM accepts"),
    )


def _cpu_flags(facts: Facts, config: ServeConfig) -> tuple[Flag, ...]:
    """How a model is computed on a CPU.

    Upstream fact (vLLM 0.32, `gpu_model_runner.py`): where a prompt is computed in two parts, the
    generator of a request with `seed` is set back by an offset, which a CPU's generator does not
    have; the engine dies of it.
    """
    if facts.device != "cpu":
        return ()
    return (
        Flag("--dtype", "float32", "on a CPU faster than bfloat16, and exact to 1e-5"),
        Flag("--enforce-eager", None, "on a CPU compiling costs minutes and LoRA turns it off"),
        Flag("--no-enable-chunked-prefill", None, "a prompt in parts and a seed kill the engine"),
    )


def _process_flags(facts: Facts, config: ServeConfig) -> tuple[Flag, ...]:
    """The model in the engine's own process.

    Upstream fact (vLLM 0.32, `platforms/cpu.py`): on a CPU, `uni` is turned into `mp`, so that
    threads can be bound to cores; the engine then spins on one core while a worker computes on
    another. We bind no threads, and the executor's full name is taken as it is.
    """
    split = {"tensor-parallel-size", "pipeline-parallel-size"}.intersection(
        flag_names(config.engine_args)
    ) or {"-tp", "-pp"}.intersection(config.engine_args)
    if facts.device != "cpu" or split:
        return ()
    reason = "the model in the engine's process: a second one would keep a core busy with waiting"
    return (Flag("--distributed-executor-backend", ONE_PROCESS, reason),)


def _cache_flags(facts: Facts, config: ServeConfig) -> tuple[Flag, ...]:
    on = config.prefix_cache
    name = "--enable-prefix-caching" if on else "--no-enable-prefix-caching"
    return (Flag(name, None, "every version has its own engine-side name" if on else "you asked"),)


def _length_flags(facts: Facts, config: ServeConfig) -> tuple[Flag, ...]:
    if config.max_model_len is None:
        return ()
    return (Flag("--max-model-len", str(config.max_model_len), "you asked"),)


def _tool_flags(facts: Facts, config: ServeConfig) -> tuple[Flag, ...]:
    parser = TOOL_PARSERS.get(facts.architecture or "")
    if parser is None:
        return ()
    reason = f"how {facts.architecture} models write tool calls"
    return (
        Flag("--enable-auto-tool-choice", None, "the model may call tools on its own"),
        Flag("--tool-call-parser", parser, reason),
    )


def _scheduling_flags(facts: Facts, config: ServeConfig) -> tuple[Flag, ...]:
    reason = "the gateway says who is next, so that keys and adapters get equal shares"
    return (Flag("--scheduling-policy", PRIORITY, reason),)


def _log_flags(facts: Facts, config: ServeConfig) -> tuple[Flag, ...]:
    return (
        Flag("--disable-uvicorn-access-log", None, "the gateway is the only caller"),
        Flag("--no-enable-log-requests", None, "prompts stand in no log"),
    )


def _cpu_environment(facts: Facts, config: ServeConfig, threads: int | None) -> tuple[Flag, ...]:
    count, reason = max(1, facts.cores - 1), f"{facts.cores} core(s), one left for the gateway"
    if threads is not None:
        count, reason = threads, "OMP_NUM_THREADS of your environment"
    if config.threads is not None:
        count, reason = config.threads, f"you asked for {config.threads}"
    return (
        Flag("VLLM_TARGET_DEVICE", "cpu", "no GPU is used"),
        Flag("VLLM_CPU_KVCACHE_SPACE", "1", "GiB of KV cache; by default a share of all memory"),
        Flag("OMP_NUM_THREADS", str(count), reason),
        Flag("MKL_NUM_THREADS", str(count), reason),
        Flag("VLLM_CPU_OMP_THREADS_BIND", "nobind", "a bound thread waits for a busy core"),
    )


_RULES: tuple[Callable[[Facts, ServeConfig], tuple[Flag, ...]], ...] = (
    _lora_flags,
    _cpu_flags,
    _process_flags,
    _cache_flags,
    _length_flags,
    _tool_flags,
    _scheduling_flags,
    _log_flags,
)
