"""What an adapter is: artifact, card, store, base identity, names and the model string.

The public names below are loaded on first use, so that importing an error class or the model
string's grammar does not import torch.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .artifact import artifact_digests, left_behind, read_card, skill_dir_of, write_artifact
    from .base.identity import BaseIdentity, base_problems, check_same_family, identify_base
    from .card import Card, CardBase, Frame, Parent, RecipeRecord
    from .delta import AdapterDelta, Delta
    from .digests import canonical_json, version_digest, weights_digest
    from .errors import (
        AdapterRefused,
        BaseMismatch,
        Conflict,
        EngineError,
        EngineMissing,
        HubError,
        InvalidName,
        ModelStringError,
        NotFound,
        PortInUse,
        Problem,
        RefusedSkill,
        SkillError,
        SkillweaveError,
        StoreError,
        TeacherError,
        UsageError,
    )
    from .expr import (
        ModelAuto,
        ModelBase,
        ModelTerms,
        Term,
        format_model,
        format_term,
        parse_model,
        parse_ref,
        parse_term,
    )
    from .gate.policy import GatePolicy, check_adapter, require_adapter
    from .limits import Limits
    from .names import (
        DEFAULT_ALIAS,
        RESERVED,
        AdapterId,
        slugify,
        validate_alias,
        validate_name,
    )
    from .peft_folder.deltas import read_peft, write_peft
    from .peft_folder.header import AdapterHeader, read_header_of
    from .settings import Settings, default_store_root, load_settings
    from .store.quota import Usage
    from .store.schema import Quotas
    from .store.store import Store
    from .store.types import GcReport, Page, Version

_HOMES = {
    "artifact": ("artifact_digests", "left_behind", "read_card", "skill_dir_of", "write_artifact"),
    "base.identity": ("BaseIdentity", "base_problems", "check_same_family", "identify_base"),
    "card": ("Card", "CardBase", "Frame", "Parent", "RecipeRecord"),
    "delta": ("AdapterDelta", "Delta"),
    "digests": ("canonical_json", "version_digest", "weights_digest"),
    "errors": (
        "AdapterRefused",
        "BaseMismatch",
        "Conflict",
        "EngineError",
        "EngineMissing",
        "HubError",
        "InvalidName",
        "ModelStringError",
        "NotFound",
        "PortInUse",
        "Problem",
        "RefusedSkill",
        "SkillError",
        "SkillweaveError",
        "StoreError",
        "TeacherError",
        "UsageError",
    ),
    "expr": (
        "ModelAuto",
        "ModelBase",
        "ModelTerms",
        "Term",
        "format_model",
        "format_term",
        "parse_model",
        "parse_ref",
        "parse_term",
    ),
    "gate.policy": ("GatePolicy", "check_adapter", "require_adapter"),
    "limits": ("Limits",),
    "names": (
        "DEFAULT_ALIAS",
        "RESERVED",
        "AdapterId",
        "slugify",
        "validate_alias",
        "validate_name",
    ),
    "peft_folder.header": ("AdapterHeader", "read_header_of"),
    "peft_folder.deltas": ("read_peft", "write_peft"),
    "settings": ("Settings", "default_store_root", "load_settings"),
    "store.store": ("Store",),
    "store.quota": ("Usage",),
    "store.schema": ("Quotas",),
    "store.types": ("GcReport", "Page", "Version"),
}
_MODULE_OF = {name: module for module, names in _HOMES.items() for name in names}

__all__ = [
    "DEFAULT_ALIAS",
    "RESERVED",
    "AdapterDelta",
    "AdapterHeader",
    "AdapterId",
    "AdapterRefused",
    "BaseIdentity",
    "BaseMismatch",
    "Card",
    "CardBase",
    "Conflict",
    "Delta",
    "EngineError",
    "EngineMissing",
    "Frame",
    "GatePolicy",
    "GcReport",
    "HubError",
    "InvalidName",
    "Limits",
    "ModelAuto",
    "ModelBase",
    "ModelStringError",
    "ModelTerms",
    "NotFound",
    "Page",
    "Parent",
    "PortInUse",
    "Problem",
    "Quotas",
    "RecipeRecord",
    "RefusedSkill",
    "Settings",
    "SkillError",
    "SkillweaveError",
    "Store",
    "StoreError",
    "TeacherError",
    "Term",
    "Usage",
    "UsageError",
    "Version",
    "artifact_digests",
    "base_problems",
    "canonical_json",
    "check_adapter",
    "check_same_family",
    "default_store_root",
    "format_model",
    "format_term",
    "identify_base",
    "left_behind",
    "load_settings",
    "parse_model",
    "parse_ref",
    "parse_term",
    "read_card",
    "read_header_of",
    "read_peft",
    "require_adapter",
    "skill_dir_of",
    "slugify",
    "validate_alias",
    "validate_name",
    "version_digest",
    "weights_digest",
    "write_artifact",
    "write_peft",
]


def __getattr__(name: str) -> object:
    if name not in _MODULE_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value: object = getattr(import_module(f".{_MODULE_OF[name]}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
