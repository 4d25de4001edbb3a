"""What a demo is given and what its phases find. Nothing here acts."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from ...adapters import Version
from ...adapters.skills import Skill
from ...router.router import Router
from ..evaluation import Arm
from ..evaluation.types import ItemResult
from ..evidence import Proof
from ..learning.sft import SftResult
from ..report.model import CostRow, HarmRow, NumericBlock
from ..serving import Launch, ServePlan
from ..skill_training import Carried
from ..workbench import Report
from ..worlds.types import Task
from .routed import StrayItem
from .settings import DemoSettings


@dataclass
class Found:
    """Everything the phases found; the report is made of it alone."""

    carried: list[Carried] = field(default_factory=list)
    shared: Version | None = None
    shared_sft: SftResult | None = None
    router: Router | None = None
    dev: dict[str, list[Task]] = field(default_factory=dict)
    proofs: dict[str, Proof] = field(default_factory=dict)
    dev_strays: list[str] = field(default_factory=list)
    items: list[Task] = field(default_factory=list)
    strays: list[StrayItem] = field(default_factory=list)
    results: list[ItemResult] = field(default_factory=list)
    stray_results: list[ItemResult] = field(default_factory=list)
    arms: list[Arm] = field(default_factory=list)
    cost: list[CostRow] = field(default_factory=list)
    harm: tuple[HarmRow, ...] = ()
    numeric: NumericBlock | None = None
    base_name: str = ""
    base_digest: str = ""
    wall_s: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """Add the block's seconds to `wall_s[name]`."""
        started = time.perf_counter()
        try:
            yield
        finally:
            spent = self.wall_s.get(name, 0.0) + time.perf_counter() - started
            self.wall_s[name] = round(spent, 2)


@dataclass(frozen=True)
class DemoRun:
    """One run: where things lie, how much is done, and who starts servers."""

    base: Path
    skills: Sequence[Skill]
    skills_dir: Path
    out: Path
    settings: DemoSettings
    launch: Launch
    report: Report

    def plan(
        self, *, rank: int, slots: int, prefix_cache: bool = True, router: Path | None = None
    ) -> ServePlan:
        """What one of the engines serves."""
        return ServePlan(
            self.base,
            self.out / "store",
            rank=rank,
            slots=slots,
            skills=self.skills_dir,
            router=router,
            prefix_cache=prefix_cache,
        )
