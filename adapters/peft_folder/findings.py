"""What a finding about an adapter's tensors says: the sentence and the remedy of each code. Pure.

Owns the words. Refuses to own the finding (`header.py`). To add one: one line in `_TEXTS`, and
its code in `gate/codes.py`.
"""

from collections.abc import Mapping, Sequence

from ..errors import Problem
from ..text import some

PREFIX = "base_model.model."
"""What PEFT puts before every module's name."""
MAX_KEY_CHARS = 256
"""Length of a tensor's name; those of real models have some 70 characters."""

_TEXTS: Mapping[str, tuple[str, str]] = {
    "dora": (
        "magnitude vectors of DoRA",
        "merge it (peft: merge_and_unload), subtract the base and extract a LoRA from the "
        "difference, or train with use_dora=False",
    ),
    "embedding_lora": ("LoRA on an embedding", "target linear modules only"),
    "head_lora": (
        "LoRA on the output layer, which vLLM leaves out of prompt_logprobs, so that texts would "
        "be scored as by the base",
        "train without lm_head among the target modules",
    ),
    "modules_to_save": (
        "full copies of modules",
        "train without modules_to_save, or serve the merged model (peft: merge_and_unload)",
    ),
    "bias": ("bias terms", "train with bias='none' and lora_bias=False"),
    "wrong_prefix": (
        f"names without the prefix {PREFIX!r}; vLLM would serve the base silently",
        "save the adapter with peft's save_pretrained on the PeftModel itself",
    ),
    "bad_name": (
        f"names that no module can have (at most {MAX_KEY_CHARS} letters, digits, '_', '-', '.')",
        "save the adapter again with peft",
    ),
    "unknown_tensor": ("tensors that belong to no LoRA", "save the adapter again with peft"),
    "wrong_dtype": (
        "dtypes other than F32, BF16, F16",
        "cast the adapter before saving (model.to(torch.bfloat16))",
    ),
    "mixed_dtypes": ("factors of two dtypes", "cast both factors to one dtype before saving"),
    "unpaired": ("modules with one factor only", "save the adapter again with peft"),
    "bad_factors": (
        "factors whose shapes do not meet in one rank",
        "save it again with peft; under ZeRO-3 or FSDP gather the shards first",
    ),
    "rank_limit": ("ranks above the limit", "truncate the adapter to a lower rank"),
    "rank_mismatch": (
        "ranks that differ from what the config says, so that the scale would be wrong",
        "save config and weights together",
    ),
    "untargeted": (
        "modules outside target_modules, which PEFT would ignore and vLLM would apply",
        "save config and weights together",
    ),
    "bad_scale": ("scales that overflow", "set lora_alpha to what it was trained with"),
    "zero_scale": (
        "scale 0 in float32, every one of them, so that the adapter does nothing",
        "set lora_alpha to what it was trained with",
    ),
    "not_finite": (
        "values that are NaN or infinity",
        "the training diverged: train again with a lower rate",
    ),
}


def finding(code: str, names: Sequence[str]) -> Problem:
    """One problem for all names that share a code."""
    what, remedy = _TEXTS[code]
    return Problem(code, f"{len(names)} with {what}: {some(names)}", remedy)
