"""Which base a model folder holds: family, precision, tokenizer, chat template, module shapes.

The family digest is SHA-256 over the sorted file hashes of the original weights; hub caches give
the hashes for free, other files are hashed once (`file_hashes.py`), and the whole identity is kept
(`cache.py`). Owns the identity and the judgement whether an adapter's base fits. Refuses to
own file formats (`files.py`) and the adapter's shapes (`gate/base_rules.py`).
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from pydantic import TypeAdapter

from ..card import CardBase
from ..digests import canonical_json, sha256_hex
from ..errors import BaseMismatch, Problem, UsageError
from ..settings import load_settings
from . import files as files
from .cache import base_state, recall, remember
from .file_hashes import file_sha256


@dataclass(frozen=True)
class BaseIdentity:
    """What makes two bases the same for an adapter.

    `modules` maps every linear module to the shape `(O, I)` of its weight. Digests are 64 hex
    digits. `precision` is how the weights are held: fp32, bf16, fp16, nf4, fp8, awq, ...
    """

    family_digest: str
    precision: str
    tokenizer_digest: str
    template_digest: str
    architecture: str
    modules: Mapping[str, tuple[int, int]]

    def to_json(self) -> bytes:
        """Canonical JSON, for the store."""
        return canonical_json(_IDENTITY.dump_python(self, mode="json"))

    @classmethod
    def from_json(cls, raw: bytes) -> "BaseIdentity":
        """The inverse of `to_json`.

        Raises:
            ValueError: anything else.
        """
        return _IDENTITY.validate_json(raw)

    def for_card(self, *, name: str = "", asserted: bool = False) -> CardBase:
        """What a card says about this base."""
        return CardBase(
            family_digest=self.family_digest,
            precision=self.precision,
            tokenizer_digest=self.tokenizer_digest,
            template_digest=self.template_digest,
            architecture=self.architecture,
            name=name,
            asserted=asserted,
        )


_IDENTITY = TypeAdapter(BaseIdentity)


def identify_base(
    path: Path,
    *,
    precision: str | None = None,
    original: BaseIdentity | None = None,
    cache_dir: Path | None = None,
) -> BaseIdentity:
    """Identify the model in a local folder.

    Args:
        path: folder with config.json, safetensors weights and a tokenizer.
        precision: how the weights will be held when that differs from the files (nf4 on load).
        original: the base that this folder is a quantised copy of; lends family and modules.
        cache_dir: where file hashes and whole identities are cached; by default below the user's
            home. The second call for an unchanged folder reads one small file.

    Raises:
        UsageError: no such folder, no config, no tokenizer, or no safetensors weights.
    """
    cache = cache_dir or load_settings().cache_root / "file-hashes"
    if original is not None:
        return _describe(path, original.family_digest, original.modules, precision)
    if not path.is_dir():
        raise UsageError(f"base {str(path)!r} is no folder: expected a downloaded model")
    state = base_state(path)
    found = _recalled(recall(path, state, cache))
    if found is None:
        weights = files.weight_files(path)
        hashes = sorted(file_sha256(file, cache) for file in weights)
        family = sha256_hex(canonical_json(hashes))
        found = _describe(path, family, files.module_shapes(weights), None)
        if base_state(path) == state:
            remember(path, state, found.to_json(), cache)
    return found if precision is None else replace(found, precision=precision)


def _recalled(raw: bytes | None) -> BaseIdentity | None:
    try:
        return None if raw is None else BaseIdentity.from_json(raw)
    except ValueError:
        return None


def _describe(
    path: Path, family: str, modules: Mapping[str, tuple[int, int]], precision: str | None
) -> BaseIdentity:
    config = files.read_model_config(path)
    return BaseIdentity(
        family_digest=family,
        precision=precision or files.precision_of(config),
        tokenizer_digest=files.tokenizer_digest(path),
        template_digest=files.template_digest(path),
        architecture=files.architecture_of(config),
        modules=dict(modules),
    )


def base_problems(
    wanted: CardBase,
    base: BaseIdentity,
    *,
    verified: Collection[str] = (),
    accept_base: bool = False,
) -> tuple[Problem, ...]:
    """What stands against using an adapter made for `wanted` on `base`. Pure.

    Args:
        wanted: from the adapter's card.
        base: what is there.
        verified: precisions that an attestation lists as verified for this adapter.
        accept_base: the user takes another family or precision; a tokenizer is never waived.
    """
    found = []
    if wanted.tokenizer_digest != base.tokenizer_digest:
        found.append(
            Problem(
                "wrong_tokenizer",
                f"made with tokenizer {wanted.tokenizer_digest}, this base has "
                f"{base.tokenizer_digest}",
                "use the base it was made for, or train it again on this one",
            )
        )
    if accept_base:
        return tuple(found)
    if wanted.family_digest != base.family_digest:
        found.append(
            Problem(
                "wrong_base",
                f"made for base {wanted.family_digest}, this base is {base.family_digest}",
                "use the base it was made for, train it again on this one, or say --accept-base "
                "where the two share shapes and tokenizer",
            )
        )
    elif wanted.precision != base.precision and base.precision not in verified:
        found.append(
            Problem(
                "other_precision",
                f"made on {wanted.precision}, this base is held in {base.precision}",
                "measure it there (an attestation then lists the precision), or --accept-base",
            )
        )
    return tuple(found)


def check_same_family(a: BaseIdentity, b: BaseIdentity) -> None:
    """Refuse two bases that adapters cannot move between.

    Raises:
        BaseMismatch: another family, tokenizer or module shapes; the message has both digests.
    """
    differing = [
        what
        for what, same in (
            ("weights", a.family_digest == b.family_digest),
            ("tokenizer", a.tokenizer_digest == b.tokenizer_digest),
            ("module shapes", dict(a.modules) == dict(b.modules)),
        )
        if not same
    ]
    if differing:
        raise BaseMismatch(
            f"the bases differ in {', '.join(differing)}: family {a.family_digest} with tokenizer "
            f"{a.tokenizer_digest}, and family {b.family_digest} with tokenizer "
            f"{b.tokenizer_digest}; use one base for both"
        )
