"""Adapters by name on a base in this process, and the sum behind a model string.

Owns names and versions. Refuses to own how an adapter acts (`row_adapters.py`).
"""

from dataclasses import dataclass
from pathlib import Path

from torch import nn

from ...adapters.delta import AdapterDelta
from ...adapters.errors import MissingAbility, NotFound, UsageError
from ...adapters.expr import ModelAuto, ModelBase, Term, parse_model
from ...adapters.gate.policy import GatePolicy
from ...adapters.peft_folder.deltas import read_peft
from .row_adapters import Mix, check_fits, on_device


@dataclass(frozen=True, eq=False)
class _Named:
    delta: AdapterDelta
    version: str


class NamedAdapters:
    """What a local policy answers under; adapters are checked against `model`."""

    def __init__(self, model: nn.Module) -> None:
        self._model = model
        self._named: dict[str, _Named] = {}

    def put(self, name: str, delta: AdapterDelta, *, version: str | None = None) -> str:
        """Put an adapter under a name, in place of the one that was there; returns its version.

        Requests that have begun keep the adapter that they began with. Factors that lie on the
        base's device in its dtype are not copied: what is trained on is drawn from as it then is.

        Args:
            name: `[namespace/]name[@version|@alias]`, as a model string asks for it.
            version: what its answers are marked with; None counts on from 1.

        Raises:
            ModelStringError: the name is none.
            UsageError: it is `base` or `auto`, or more than a name.
            AdapterRefused: the base has no such modules.
        """
        asked = parse_model(name)
        if isinstance(asked, ModelBase | ModelAuto) or [t.ref for t in asked.terms] != [name]:
            raise UsageError(f"{name!r} is not a name alone, or taken: expected one like 'run@3'")
        check_fits(self._model, delta, name)
        if version is None:
            before = self._named.get(name)
            counted = before is not None and before.version.isdecimal()
            version = str(int(before.version) + 1) if before is not None and counted else "1"
        self._named[name] = _Named(on_device(delta, next(self._model.parameters())), version)
        return version

    def load(self, name: str, folder: Path, *, version: str | None = None) -> str:
        """`put` from a PEFT folder, through the gate.

        Raises:
            AdapterRefused: the folder would not be let into an engine either.
        """
        GatePolicy(values="header").require(folder, None)
        return self.put(name, read_peft(folder), version=version)

    def drop(self, name: str) -> None:
        """Forget a name; one that is not there is no error."""
        self._named.pop(name, None)

    def resolve(self, model: str) -> tuple[Mix, str]:
        """The weighted sum behind a model string, and its version; `base` is the empty sum.

        Raises:
            ModelStringError: it does not parse.
            MissingAbility: it asks for the router or for a skill's text.
            NotFound: nobody put an adapter under a name in it.
        """
        asked = parse_model(model)
        if isinstance(asked, ModelBase):
            return (), ""
        if isinstance(asked, ModelAuto) or any(term.form == "text" for term in asked.terms):
            raise MissingAbility(
                f"{model!r} is for a server: a local policy holds no router and no texts; expected "
                "the name of an adapter, or `base` with the text in the conversation"
            )
        found = [(1.0 if t.weight is None else t.weight, self._find(t)) for t in asked.terms]
        mix = tuple((weight, named.delta) for weight, named in found)
        return mix, "+".join(named.version for _, named in found)

    def _find(self, term: Term) -> _Named:
        if term.ref not in self._named:
            there = ", ".join(sorted(self._named)) or "none"
            raise NotFound(f"no adapter {term.ref!r} here: expected base, or one of {there}")
        return self._named[term.ref]
