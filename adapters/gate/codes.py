"""Every code that the gate may give, by what it speaks of. Pure.

Codes are stable and meant for programs; a report for people is grouped by these areas. To add one:
its line here, and a kind of spoiled adapter in `tests/adapters/gate/spoiled.py`.
"""

from collections.abc import Mapping

AREAS: Mapping[str, tuple[str, ...]] = {
    "folder": (
        "missing_folder",
        "missing_config",
        "missing_weights",
        "bad_weights_file",
        "case_variant",
        "symlink",
        "special_file",
        "bad_file_name",
        "unreadable",
        "too_many_files",
        "too_deep",
        "too_large",
    ),
    "config": (
        "bad_config",
        "not_lora",
        "unknown_config",
        "unsupported_config",
        "unsafe_pattern",
        "base_rewriting_init",
        "bad_scale",
        "zero_scale",
    ),
    "weights": (
        "bad_header",
        "module_count",
        "bad_name",
        "unknown_tensor",
        "wrong_prefix",
        "wrong_dtype",
        "mixed_dtypes",
        "embedding_lora",
        "head_lora",
        "unpaired",
        "bad_factors",
        "rank_limit",
        "not_finite",
    ),
    "config or weights": ("dora", "bias", "modules_to_save", "rank_mismatch", "untargeted"),
    "base": (
        "unknown_module",
        "wrong_shape",
        "missing_module",
        "wrong_base",
        "wrong_tokenizer",
        "other_precision",
    ),
    "card": ("bad_card",),
    "engine": ("rank_above_cap",),
}
AREA_OF = {code: area for area, codes in AREAS.items() for code in codes}
