"""One experiment as it is asked: frozen first, arms reused where they are known, every item logged.

Owns the order: controls, freeze, cache, requests, log. Refuses to own the arms and the criterion
(the recipe's), statistics (`summary`) and how a request is made (the `Ask`).
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from .arm_cache import ArmCache, arm_fingerprint, way_of
from .control_arms import ORACLE, WithOracle
from .controls import Controls, require_controls
from .criterion import Criterion
from .evaluator import Ask, evaluate
from .first_passing import FirstPassing
from .freeze import Freeze, freeze_of, require_frozen
from .item_log import ItemLog
from .summary import require_arms
from .types import Arm, Item, ItemResult


@dataclass(frozen=True)
class Known:
    """What decides an arm's answers beside its texts, by content; see `arm_fingerprint`."""

    base: str
    """Family digest of the base."""
    weights: Mapping[str, str]
    """Model string -> digest of its weights; the base itself with the empty text."""
    sampling: Mapping[str, object]


@dataclass
class Trial:
    """Where an experiment is frozen, cached and logged; each of the three is optional.

    Use one for each run: `frozen` and `reused` tell afterwards what happened.
    """

    freeze_file: Path | None = None
    """Written before the first request, or held against this run where it exists."""
    cache: ArmCache | None = None
    log_file: Path | None = None
    """Results of items as JSONL, reused ones as well."""
    code: str = ""
    """Digest of the code, from `code_digest`."""
    frozen: Freeze | None = None
    """What was run, once it has run."""
    reused: dict[str, str] = field(default_factory=dict)
    """Arm -> fingerprint under which its answers were found."""

    async def ask(
        self,
        arms: Sequence[Arm],
        items: Sequence[Item],
        *,
        criterion: Criterion,
        controls: Controls,
        ask: Ask,
        known: Known | None = None,
        concurrency: int = 64,
    ) -> tuple[ItemResult, ...]:
        """Ask every arm every item, or find its answers; the oracle's arm is answered here.

        Args:
            criterion: written before; its arms must be among `arms`.
            controls: every control by name, or why there is none.
            known: without it nothing is found or kept in the cache.

        Raises:
            EvaluationError: a control is not spoken of, an arm is missing, the experiment is not
                the frozen one; nothing was asked then. Else what `evaluate` raises.
        """
        names = [arm.name for arm in arms]
        require_controls(controls, names)
        require_arms(names, criterion.arms)
        way = way_of(ask)
        asking = () if known is None else (known.base, dict(known.sampling), way)
        self.frozen = freeze_of(items, arms, criterion=criterion, code=self.code, asking=asking)
        if self.freeze_file is not None:
            require_frozen(self.freeze_file, self.frozen)
        with contextlib.ExitStack() as stack:
            write = _unkept
            if self.log_file is not None:
                write = stack.enter_context(ItemLog(self.log_file)).write
            results: list[ItemResult] = []
            for arm in arms:
                key = self._key(arm, items, known, way)
                found = self._found(key, arm, items)
                for row in found or ():
                    write(row)
                results += found or await self._asked(
                    key,
                    arm,
                    items,
                    ask=WithOracle(FirstPassing(ask)),
                    concurrency=concurrency,
                    write=write,
                )
        return tuple(results)

    def _found(
        self, key: str | None, arm: Arm, items: Sequence[Item]
    ) -> tuple[ItemResult, ...] | None:
        """What the cache knows of an arm, noted in `reused`."""
        if self.cache is None or key is None:
            return None
        kept = self.cache.get(key, arm, items)
        if kept is not None:
            self.reused[arm.name] = key
        return kept

    async def _asked(
        self,
        key: str | None,
        arm: Arm,
        items: Sequence[Item],
        *,
        ask: Ask,
        concurrency: int,
        write: Callable[[ItemResult], None],
    ) -> tuple[ItemResult, ...]:
        results = await evaluate([arm], items, ask=ask, concurrency=concurrency, on_result=write)
        if self.cache is not None and key is not None:
            self.cache.put(key, results)
        return results

    def _key(
        self, arm: Arm, items: Sequence[Item], known: Known | None, way: str | None
    ) -> str | None:
        if known is None or way is None or arm.name == ORACLE:
            return None
        return arm_fingerprint(
            arm,
            items,
            base=known.base,
            weights=known.weights,
            sampling=known.sampling,
            asked_by=way,
        )


def _unkept(result: ItemResult) -> None:
    """Where no log was asked for."""
