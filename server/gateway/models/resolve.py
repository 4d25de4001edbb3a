"""From a request to what will answer it: one value that the relay and the headers read.

Owns the meaning of the `model` string on the wire, and that what a caller may not use does not
exist for him. Refuses to own its grammar (`adapters/expr.py`), what exists (`catalog.py`), making
sums (`sums/composer.py`) and routing (`auto.py`, `sticky.py`).
"""

import asyncio
from dataclasses import replace

from ....adapters.errors import ModelStringError, NotFound
from ....adapters.expr import Model, ModelAuto, ModelBase, ModelTerms, Term, parse_model
from ....router.types import Route, Selector
from ..access.caller import ANYBODY, Caller
from ..errors import RequestRefused, unknown_model
from ..publishing.ephemeral import Ephemeral
from ..publishing.splits import Splits
from ..relay.body import conversation_of
from ..relay.kinds import Fields
from ..sums.composer import Composer
from ..sums.recipe import Part, Recipe, recipe_of
from .auto import Decision, ask, decide
from .catalog import Catalog
from .found import Found
from .sticky import Chosen, Sticky
from .target import Target, of_base, of_found, of_mix

AUTO, BASE = "auto", "base"
GRAMMAR_MARKS = "+*@:"
"""Characters by which a string shows that it was meant as an expression, not as a plain name."""


class Resolver:
    """Answers the question which skill in which form answers a request.

    `selector` answers `auto`; None where no router is configured. It may be replaced at any time.
    """

    def __init__(
        self,
        catalog: Catalog,
        *,
        selector: Selector | None,
        composer: Composer,
        runs: Ephemeral,
        splits: Splits,
    ) -> None:
        self._catalog = catalog
        self._runs = runs
        self._splits = splits
        self._composer = composer
        self.selector = selector
        self._sticky = Sticky()

    async def resolve(
        self, fields: Fields, *, session: str | None, caller: Caller = ANYBODY
    ) -> Target:
        """Read `model` and decide.

        Raises:
            NotFound: unknown model, or one that the caller may not use.
            RequestRefused: a model that cannot answer this kind of request.
            ModelStringError: an expression that does not parse.
            Conflict, BaseMismatch, UsageError, AdapterRefused, NoRoom, TooBusy, StoreError: a sum
                that cannot be made; see `Composer.mix`.
        """
        text = str(fields["model"])
        match _parse(text):
            case ModelBase():
                _permit(caller, BASE)
                target = of_base(text, "named")
            case ModelAuto():
                _permit(caller, AUTO)
                target = await self._auto(text, fields, session, caller)
            case ModelTerms(terms, exact):
                for term in terms:
                    _permit(caller, str(term.id))
                chosen = await self.choose(terms, exact=exact, session=session)
                target = await self._target(text, chosen, "named", exact=exact)
        if target.skill is not None and conversation_of(fields) is None:
            raise RequestRefused(
                f"model {text!r} is served as text, which goes into the system message of a "
                "conversation; use /v1/chat/completions",
                param="model",
            )
        return target

    async def choose(
        self, terms: tuple[Term, ...], *, exact: bool = False, session: str | None = None
    ) -> Found | Recipe:
        """What terms mean now: one skill in a form, or a sum of versions.

        Args:
            session: who asks again gets the same version of an alias that is split.

        Raises:
            NotFound: a name that nobody knows. RequestRefused: a sum of what is no adapter.
        """
        if len(terms) == 1 and terms[0].weight is None and not exact:
            return await self.find(terms[0], session=session)
        recipe = recipe_of([await self._part(term, session) for term in terms])
        (only, *others) = recipe.parts
        if others or only.weight != 1.0:
            return recipe
        return Found(str(only.version.id), "adapter", only.version)  # nothing to add up

    async def find(self, term: Term, *, session: str | None = None) -> Found:
        """What one term means now: a step of a run, or what the catalog knows.

        Raises:
            NotFound: nothing. RequestRefused: it has no text, and was asked for as one.
        """
        step = self._runs.find(term)
        if step is not None:
            return Found(str(term.id), "adapter", step=step)
        found = self._catalog.cached(term)
        if found is None:
            found = await asyncio.to_thread(self._catalog.find, term)
        if term.version is not None or found.version is None:
            return found
        meant = found.version.number
        number = self._splits.pick(str(term.id), term.alias, meant, session=session)
        if number == meant:
            return found
        return await self.find(replace(term, alias=None, version=number))

    async def _part(self, term: Term, session: str | None) -> Part:
        """One term of a sum, which is its adapter, whatever form the evidence prefers."""
        wanted = replace(term, form="adapter", weight=None)
        try:
            found = await self.find(wanted, session=session)
        except NotFound:
            await self.find(replace(wanted, form=None))  # unknown altogether: the same answer
            raise RequestRefused(
                f"{term.ref} has no adapter, it is served as text: a sum, a weight and ':exact' "
                f"need adapters; ask for {term.ref} alone, or train it",
                param="model",
            ) from None
        if found.version is None:
            raise RequestRefused(
                f"{term.ref} is a step of a training run, and a sum holds stored adapters only: "
                "promote it first (`skillweave promote`)",
                param="model",
            )
        return Part(found.version, 1.0 if term.weight is None else term.weight)

    async def _target(
        self, public: str, chosen: Chosen, route: str, *, exact: bool = False
    ) -> Target:
        if chosen is None:
            return of_base(public, route)
        if isinstance(chosen, Found):
            return of_found(public, chosen, route)
        return of_mix(public, await self._composer.mix(chosen, exact=exact), route)

    async def _auto(self, text: str, fields: Fields, session: str | None, caller: Caller) -> Target:
        messages = conversation_of(fields) or []
        kept = self._sticky.recall(messages, session=session, tenant=caller.tenant)
        if kept is not None and _may_use(caller, kept[0]):
            chosen, route = kept[0], "sticky"
        else:
            decision = await self._decision(fields, session, caller)
            terms = decision.terms
            chosen = await self.choose(terms, session=session) if terms else None
            route = decision.told
        if chosen is None:
            _permit(caller, BASE, shown=AUTO)
        if messages:
            self._sticky.remember(messages, chosen, session=session, tenant=caller.tenant)
        return await self._target(text, chosen, route)

    async def _decision(self, fields: Fields, session: str | None, caller: Caller) -> Decision:
        route: Route = await ask(self.selector, fields, session=session)
        return decide(route, may=caller.may)


def _permit(caller: Caller, name: str, *, shown: str | None = None) -> None:
    if not caller.may(name):
        raise unknown_model(shown or name)


def _may_use(caller: Caller, chosen: Chosen) -> bool:
    if chosen is None:
        return caller.may(BASE)
    if isinstance(chosen, Found):
        return caller.may(chosen.id)
    return all(caller.may(str(part.version.id)) for part in chosen.parts)


def _parse(text: str) -> Model:
    """A plain name that cannot be a skill is unknown, not malformed: clients expect a 404."""
    try:
        return parse_model(text)
    except ModelStringError as err:
        if any(mark in text for mark in GRAMMAR_MARKS):
            raise
        raise unknown_model(text) from err
