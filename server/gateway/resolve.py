"""From a request to what will answer it: one value that the relay and the headers read.

Owns the meaning of the `model` string on the wire. Refuses to own its grammar
(`adapters/expr.py`), what exists (`catalog.py`) and routing (`auto.py`, `sticky.py`).
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

from ...adapters.errors import ModelStringError
from ...adapters.expr import Model, ModelAuto, ModelBase, ModelTerms, Term, parse_model
from ...adapters.skills import Skill
from ...router.types import Selector
from .access.caller import ANYBODY, Caller
from .auto import ask, reason_of, term_of
from .body import Fields, messages_of
from .catalog import Catalog, Found
from .errors import RequestRefused, unknown_model
from .servable import Servable, of_version
from .sticky import Sticky
from .telemetry.span import Span

GRAMMAR_MARKS = "+*@:"
"""Characters by which a string shows that it was meant as an expression, not as a plain name."""


@dataclass(frozen=True)
class Target:
    """What answers: the base, an adapter, or the base with a skill's text."""

    public: str
    found: Found | None
    route: str

    @property
    def adapter(self) -> Servable | None:
        """What the engine must have loaded; None where the base answers."""
        version = self.found.version if self.found and self.found.form == "adapter" else None
        return of_version(version) if version is not None else None

    @property
    def skill(self) -> Skill | None:
        """The text to put into the system message."""
        return self.found.skill if self.found and self.found.form == "text" else None

    @property
    def template_arguments(self) -> Mapping[str, object]:
        """Defaults for the chat template, from the card of the version that is served."""
        version = self.found.version if self.found else None
        return version.card.frame.template_args if version is not None else {}

    def describe(self, span: Span) -> None:
        """Write down what answers, for metrics and logs."""
        found = self.found
        span.adapter = found.id if found else "base"
        span.version = found.version_label if found else ""
        span.form = found.form if found else "none"
        span.route = self.route

    @property
    def headers(self) -> tuple[tuple[bytes, bytes], ...]:
        """The reply headers; `-error` is the relative error of a composition, 0 for one adapter."""
        found = self.found
        pairs = [
            ("adapter", found.id if found else "base"),
            ("version", found.version_label if found else ""),
            ("form", found.form if found else "none"),
            ("route", self.route),
            ("error", f"{self.adapter.error:.6g}" if self.adapter is not None else ""),
        ]
        return tuple((f"x-skillweave-{k}".encode(), v.encode()) for k, v in pairs if v)


class Resolver:
    """Answers the question which skill in which form answers a request.

    `selector` answers `auto`; None where no router is configured. It may be replaced at any time.
    """

    def __init__(self, catalog: Catalog, *, selector: Selector | None) -> None:
        self._catalog = catalog
        self.selector = selector
        self._sticky = Sticky()

    async def resolve(
        self, fields: Fields, *, session: str | None, caller: Caller = ANYBODY
    ) -> Target:
        """Read `model` and decide; what the caller may not use does not exist.

        Raises:
            NotFound: unknown model.
            RequestRefused: a model that cannot answer this kind of request, or not yet.
            ModelStringError: an expression that does not parse.
        """
        text = str(fields["model"])
        match _parse(text):
            case ModelBase():
                target = Target(text, None, "named")
            case ModelAuto():
                target = await self._auto(text, fields, session)
            case ModelTerms(terms, exact):
                found = await self._find(_single(text, terms, exact=exact))
                target = Target(text, found, "named")
        if target.skill is not None and messages_of(fields) is None:
            raise RequestRefused(
                f"model {text!r} is served as text, which goes into the system message of a "
                "conversation; use /v1/chat/completions",
                param="model",
            )
        return target

    async def _auto(self, text: str, fields: Fields, session: str | None) -> Target:
        messages = messages_of(fields) or []
        kept = self._sticky.recall(messages, session=session)
        if kept is not None:
            found, route = kept[0], "sticky"
        else:
            decision = await ask(self.selector, fields, session=session)
            term = term_of(decision)
            found = await self._find(term) if term is not None else None
            route = reason_of(decision)
        if messages:
            self._sticky.remember(messages, found, session=session)
        return Target(text, found, route)

    async def _find(self, term: Term) -> Found:
        fresh = self._catalog.cached(term)
        return fresh if fresh is not None else await asyncio.to_thread(self._catalog.find, term)


def _parse(text: str) -> Model:
    """A plain name that cannot be a skill is unknown, not malformed: clients expect a 404."""
    try:
        return parse_model(text)
    except ModelStringError as err:
        if any(mark in text for mark in GRAMMAR_MARKS):
            raise
        raise unknown_model(text) from err


def _single(text: str, terms: tuple[Term, ...], *, exact: bool) -> Term:
    if len(terms) > 1 or exact or terms[0].weight is not None:
        raise RequestRefused(
            f"model {text!r} is a composition, and this server composes nothing yet: it serves one "
            "skill per request; name one, without '+', '*' and ':exact'",
            param="model",
        )
    return terms[0]
