"""The gate: what an adapter folder must be before anything uses it, at every door alike.

Safetensors only; plain files only; config and header before any tensor; every module name and
shape in the base; finite numbers; the base it was made for. All problems come in one report.
Owns the policy object that every door passes, and the order of the rules. Refuses to own the
single rules (`file_rules.py`, `base_rules.py`, `adapters/folders.py`, `adapters/base/`,
`adapters/peft_folder/`). To add a rule: a function that returns problems, called in
`GatePolicy.check`, its code in `codes.py`, a kind in `tests/adapters/gate/spoiled.py`.

What was checked must be what is used: a door that copies checks the copy, in a folder that nobody
else writes to. Every file is opened once, never through a link.
"""

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ..base.identity import BaseIdentity, base_problems
from ..card import Card
from ..errors import AdapterRefused, Problem
from ..folders import list_folder
from ..limits import DEFAULT_LIMITS, Limits
from ..peft_folder.header import inspect_peft
from .base_rules import missing_problems, module_problems
from .file_rules import file_problems, hint_subfolder, own_card

_UNSAFE = frozenset({"missing_folder", "symlink", "special_file"})


@dataclass(frozen=True)
class GatePolicy:
    """What a door asks of an adapter.

    Args:
        limits: upper bounds.
        accept_base: the user takes another family or precision; shapes and tokenizer still count.
        verified: precisions an attestation lists as verified for this adapter.
        values: `scan` reads every tensor once for NaN and infinity; `header` reads none, for
            doors behind a door that did.
        max_rank: the rank cap of the engine that is to serve it; None where none is asked.
    """

    limits: Limits = DEFAULT_LIMITS
    accept_base: bool = False
    verified: frozenset[str] = frozenset()
    values: Literal["scan", "header"] = "scan"
    max_rank: int | None = None

    def check(
        self, folder: Path, base: BaseIdentity | None, *, card: Card | None = None
    ) -> tuple[Problem, ...]:
        """Every reason why this adapter may not be used; empty when there is none.

        Args:
            folder: a PEFT folder, or an artifact (then its `card.json` is checked as well).
            base: the base it shall run on; None checks everything that needs no base.
            card: the card it shall get; without one, that of the folder counts.
        """
        limits = self.limits
        listing = list_folder(folder, limits)
        problems = [*listing.problems, *file_problems(listing.files)]
        if any(p.code in _UNSAFE for p in problems):
            return tuple(problems)  # nothing in such a folder is opened
        seen = inspect_peft(folder, limits, values=self.values == "scan")
        problems += hint_subfolder(seen.problems, listing.files)
        own, bad_card = own_card(folder, listing.files, limits)
        problems += bad_card
        wanted = card or own
        if base is not None:
            if wanted is not None:
                problems += base_problems(
                    wanted.base, base, verified=self.verified, accept_base=self.accept_base
                )
            misfits = module_problems(seen.modules, base)
            problems += misfits
            if seen.config is not None and not seen.problems and not misfits:
                problems += missing_problems(seen.config, seen.modules, base, limits)
        if seen.config is not None:
            problems += rank_problems(seen.config.cap_rank, self.max_rank)
        return tuple(problems)

    def require(self, folder: Path, base: BaseIdentity | None, *, card: Card | None = None) -> None:
        """`check`, as a refusal.

        Raises:
            AdapterRefused: with all problems.
        """
        problems = self.check(folder, base, card=card)
        if problems:
            raise AdapterRefused(problems, str(folder))


def rank_problems(rank: int, max_rank: int | None) -> list[Problem]:
    """A rank above an engine's cap: it is stored and listed, but not servable there."""
    if max_rank is None or rank <= max_rank:
        return []
    text = (
        f"rank {rank}, and the running engine was started for at most {max_rank}: not servable here"
    )
    return [Problem("rank_above_cap", text, f"start the server with --max-lora-rank {rank}")]


def check_adapter(
    folder: Path,
    base: BaseIdentity | None,
    *,
    card: Card | None = None,
    verified: Collection[str] = (),
    accept_base: bool = False,
    limits: Limits = DEFAULT_LIMITS,
) -> tuple[Problem, ...]:
    """`GatePolicy.check` with the whole scan, in one call."""
    policy = GatePolicy(limits=limits, accept_base=accept_base, verified=frozenset(verified))
    return policy.check(folder, base, card=card)


def require_adapter(
    folder: Path,
    base: BaseIdentity | None,
    *,
    card: Card | None = None,
    verified: Collection[str] = (),
    accept_base: bool = False,
    limits: Limits = DEFAULT_LIMITS,
) -> None:
    """`GatePolicy.require` with the whole scan, in one call.

    Raises:
        AdapterRefused: with all problems.
    """
    policy = GatePolicy(limits=limits, accept_base=accept_base, verified=frozenset(verified))
    policy.require(folder, base, card=card)
