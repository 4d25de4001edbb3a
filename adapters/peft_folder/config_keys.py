"""Every key of PEFT's LoRA config (0.21), and what we do about it. Pure.

Owns the tables and the judgement of single keys. A key is read (`config.py`), or it changes
nothing that is served and only its form is checked, or it must be neutral because it would change
the function and we do not cover it, or it is unknown: then it must be neutral as well. To admit a
key: one line in a table; where it changes the function, its meaning in `PeftConfig`.
"""

from collections.abc import Callable, Mapping

from ..errors import Problem
from ..text import shown

READ = frozenset(
    {
        "peft_type",
        "r",
        "lora_alpha",
        "use_rslora",
        "rank_pattern",
        "alpha_pattern",
        "target_modules",
        "exclude_modules",
        "layers_to_transform",
        "layers_pattern",
        "init_lora_weights",
    }
)


def _text(value: object) -> bool:
    return value is None or isinstance(value, str)


def _document(value: object) -> bool:
    return value is None or isinstance(value, dict)


def _fields(**wanted: tuple[type, ...]) -> Callable[[object], bool]:
    """An object of these fields and no others: PEFT makes its own class from it."""

    def fits(value: object) -> bool:
        if not isinstance(value, dict):
            return value is None
        return all(type(v) in wanted.get(key, ()) for key, v in value.items())

    return fits


_REAL = (int, float)
_MAYBE = (str, type(None))
_EVA = _fields(
    rho=_REAL,
    tau=_REAL,
    use_label_mask=(bool,),
    label_mask_value=(int,),
    whiten=(bool,),
    adjust_scaling_factors=(bool,),
)
_CORDA = _fields(
    cache_file=_MAYBE,
    covariance_file=_MAYBE,
    corda_method=(str,),
    verbose=(bool,),
    use_float16_for_covariance=(bool,),
    prune_temporary_fields=(bool,),
)
_LORA_GA = _fields(direction=(str,), scale=(str,), stable_gamma=(int,))


def _flag(value: object) -> bool:
    return isinstance(value, bool)


def _share(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1


def _count(value: object) -> bool:
    return type(value) is int and 0 <= value < 1 << 31


def _task(value: object) -> bool:
    return value is None or value in _TASKS


_TASKS = (
    "SEQ_CLS",
    "SEQ_2_SEQ_LM",
    "CAUSAL_LM",
    "TOKEN_CLS",
    "QUESTION_ANS",
    "FEATURE_EXTRACTION",
)
# What changes nothing once an adapter is trained, and the form PEFT wants it in.
_INFORMATIONAL: Mapping[str, tuple[Callable[[object], bool], str]] = {
    "auto_mapping": (_document, "an object or null"),
    "base_model_name_or_path": (_text, "a text or null"),
    "corda_config": (_CORDA, "PEFT's fields or null"),  # inits: init_lora_weights alone decides
    "eva_config": (_EVA, "PEFT's fields or null"),
    "inference_mode": (_flag, "true or false"),
    "loftq_config": (_document, "an object or null"),
    "lora_dropout": (_share, "a number from 0 to 1"),
    "lora_ga_config": (_LORA_GA, "PEFT's fields or null"),
    "megatron_core": (_text, "a text or null"),
    "peft_version": (_text, "a text or null"),
    "qalora_group_size": (_count, "a count"),  # means something only with use_qalora
    "revision": (_text, "a text or null"),
    "runtime_config": (_document, "an object or null"),
    "task_type": (_task, f"null or one of {', '.join(_TASKS)}"),
}
_PLAIN = "train a plain LoRA (LoraConfig without this option)"
_MERGE = "merge it into its base and extract a plain LoRA, or train without this option"
_DORA = (
    "merge it (peft: merge_and_unload), subtract the base and extract a LoRA from the difference, "
    "or train with use_dora=False"
)
_SAVED = (
    "train without modules_to_save; trained copies of whole modules belong in a merged model "
    "(peft: merge_and_unload), not in an adapter"
)
_TYING = "train with ensure_weight_tying=False and without lm_head and embeddings as targets"
_NEUTRAL_ONLY: Mapping[str, tuple[str, str]] = {
    "use_dora": ("dora", _DORA),
    "bias": ("bias", "train with bias='none'; a trained bias is no low-rank update"),
    "lora_bias": ("bias", "train with lora_bias=False"),
    "modules_to_save": ("modules_to_save", _SAVED),
    "alora_invocation_tokens": ("unsupported_config", _PLAIN),
    "arrow_config": ("unsupported_config", _PLAIN),
    "ensure_weight_tying": ("unsupported_config", _TYING),
    "fan_in_fan_out": ("unsupported_config", "use a base whose layers are torch.nn.Linear"),
    "kasa_config": ("unsupported_config", _MERGE),
    "layer_replication": ("unsupported_config", _MERGE),
    "megatron_config": ("unsupported_config", _PLAIN),
    "monteclora_config": ("unsupported_config", _PLAIN),
    "target_parameters": ("unsupported_config", "target linear modules by name"),
    "trainable_token_indices": ("unsupported_config", "train without trainable_token_indices"),
    "use_bdlora": ("unsupported_config", _MERGE),
    "use_qalora": ("unsupported_config", _MERGE),
    "velora_config": ("unsupported_config", _PLAIN),
}
_NEUTRAL: tuple[object, ...] = (None, False, "", [], {})
# Inits that leave the base as it is; the same list as vLLM's `PEFTHelper._init_is_supported`.
_PLAIN_INITS = frozenset({"gaussian", "eva", "orthogonal", "mica", "lora_ga"})


def judge_keys(document: Mapping[str, object]) -> list[Problem]:
    """What stands against the keys of a config that `PeftConfig` does not read."""
    problems = [*_judge_type(document), *_judge_init(document)]
    for key, value in document.items():
        if key in _INFORMATIONAL:
            fits, wanted = _INFORMATIONAL[key]
            if not fits(value):
                problems.append(bad_config(f"{key} is {_brief(value)}: expected {wanted}"))
        elif key not in READ and not _is_neutral(key, value):
            problems.append(_refusal(key, value))
    return problems


def bad_config(text: str) -> Problem:
    """A config that PEFT itself could not have written."""
    return Problem("bad_config", f"adapter_config.json: {text}", "save the adapter again with peft")


def _is_neutral(key: str, value: object) -> bool:
    if key == "bias":  # PEFT fails on anything else that looks empty
        return value == "none"
    if key.endswith("_config") or key == "use_bdlora":  # an empty one means its default values
        return value is None
    return any(value is n or (value == n and type(value) is type(n)) for n in _NEUTRAL)


def _refusal(key: str, value: object) -> Problem:
    known = _NEUTRAL_ONLY.get(key)
    code, remedy = known or (
        "unknown_config",
        "update skillweave, or remove the key if it changes nothing",
    )
    wanted = "'none'" if key == "bias" else "null, false or nothing"
    what = "changes" if known else "is unknown and could change"
    text = f"config key '{shown(key)}' = {_brief(value)} {what} the function: expected {wanted}"
    return Problem(code, text, remedy)


def _judge_type(document: Mapping[str, object]) -> list[Problem]:
    kind = document.get("peft_type")
    if kind == "LORA":
        return []
    text = f"peft_type is {_brief(kind)}: expected 'LORA'"
    remedy = "train a LoRA, or convert it (peft: save_as_lora)"
    return [Problem("not_lora", text, remedy)]


def _judge_init(document: Mapping[str, object]) -> list[Problem]:
    init = document.get("init_lora_weights", True)
    if init is None or isinstance(init, bool):
        return []
    if isinstance(init, str) and init.lower() in _PLAIN_INITS:
        return []
    return [
        Problem(
            "base_rewriting_init",
            f"init_lora_weights is {_brief(init)}, which rewrites the base when the adapter is "
            f"loaded: expected true, false or one of {', '.join(sorted(_PLAIN_INITS))}",
            "save it again with save_pretrained(..., path_initial_model_for_weight_conversion=...)",
        )
    ]


def _brief(value: object) -> str:
    return shown(repr(value)) if isinstance(value, str | float | bool | None) else _structure(value)


def _structure(value: object) -> str:
    if isinstance(value, int):
        return str(value) if abs(value) < 1 << 63 else "a number of too many digits"
    try:
        return shown(repr(value))
    except RecursionError:
        return f"a {type(value).__name__} nested too deeply"
