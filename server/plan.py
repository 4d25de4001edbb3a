"""What has to be known before an engine starts: the base's identity, and what the store holds.

Owns reading base and store once, and the sentences about it. Refuses to derive flags
(`engines/flags.py`) and to serve (`gateway/catalog.py`).
"""

from dataclasses import dataclass, field
from pathlib import Path

from ..adapters.base.identity import BaseIdentity, identify_base
from ..adapters.errors import AdapterRefused, UsageError
from ..adapters.peft_folder.header import read_header_of
from ..adapters.settings import default_store_root
from ..adapters.skills import discover_skills
from ..adapters.store.store import Store
from ..adapters.store.types import Version
from ..router.router import Router
from .config import ServeConfig
from .engines.facts import architecture, device, free_memory_bytes, usable_cores
from .engines.flags import Facts, rank_cap

BYTES_PER_WEIGHT = 4
"""Of an adapter slot on a CPU; on a GPU slots take half, so that the bound is on the safe side."""


@dataclass(frozen=True)
class Plan:
    """Facts for the flags, the base's family digest, and lines for people."""

    facts: Facts = field(default_factory=lambda: Facts(device="cpu"))
    family: str | None = None
    store: Path | None = None
    max_lora_rank: int | None = None
    lines: tuple[str, ...] = ()


def make_plan(config: ServeConfig) -> Plan:
    """Look at base, store, skills and machine. Reads files; may hash a base once.

    Raises:
        UsageError: a folder that was named does not exist, or holds no base.
        SkillError: the skills folder cannot be read.
        RouterError, StaleRouter: no router there, or one for another base.
    """
    root = config.store or default_store_root()
    identity = _identify(config.base)
    if config.router is not None:  # loaded to find faults before an engine starts
        Router.load(config.router, base=identity.family_digest if identity else None)
    versions = _versions(root, identity)
    facts = Facts(
        device=device(),
        num_adapters=len({version.id for version in versions}),
        max_rank=max((_rank(version) for version in versions), default=0),
        cores=usable_cores(),
        memory_bytes=free_memory_bytes() if device() == "cpu" else 0,
        bytes_per_rank=_bytes_per_rank(identity),
        architecture=architecture(config.base or ""),
    )
    return Plan(
        facts=facts,
        family=identity.family_digest if identity else None,
        store=root,
        max_lora_rank=None if config.engine_url is not None else rank_cap(facts, config),
        lines=(*_about_base(config, identity), *_about_skills(config, facts, root)),
    )


def _identify(base: str | None) -> BaseIdentity | None:
    if base is None or not Path(base).is_dir():
        return None
    return identify_base(Path(base))


def _versions(root: Path, identity: BaseIdentity | None) -> list[Version]:
    if identity is None or not root.is_dir():
        return []
    return Store(root).list(base=identity.family_digest)


def _rank(version: Version) -> int:
    """A damaged version must not keep the others from being served; asking for it says why."""
    try:
        return read_header_of(version.path).rank
    except AdapterRefused:
        return 0


def _bytes_per_rank(identity: BaseIdentity | None) -> int:
    shapes = identity.modules.values() if identity else ()
    return BYTES_PER_WEIGHT * sum(out + into for out, into in shapes)


def _about_base(config: ServeConfig, identity: BaseIdentity | None) -> tuple[str, ...]:
    if config.base is None:
        return ("no --base given: skill texts and the base are served, stored adapters are not",)
    if identity is None:
        if config.base.startswith((".", "/", "~")):
            raise UsageError(f"base {config.base!r} is no folder: expected a downloaded model")
        return (
            f"base {config.base} is no local folder: stored adapters are not served beside it; "
            "download it and name the folder",
        )
    return (f"base {config.base}, family {identity.family_digest[:12]}",)


def _about_skills(config: ServeConfig, facts: Facts, root: Path) -> tuple[str, ...]:
    lines = [f"store {root}: {facts.num_adapters} adapter(s) for this base"]
    if config.skills is not None:
        found = discover_skills(config.skills)
        lines.append(f"skills {config.skills}: {len(found)} skill text(s)")
        lines += [f"  {problem}" for problem in found.skipped]
    return tuple(lines)
