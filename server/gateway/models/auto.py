"""The model `auto`: a state goes to the selector, its route becomes terms that are served.

Owns the way from a request to a `State` and from a `Route` to terms. Refuses to own any routing
rule: a selector is handed in.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from ....adapters.errors import ModelStringError
from ....adapters.expr import Form, Term, parse_term
from ....router.types import Choice, Message, Route, Selector, State
from ..errors import RequestRefused, unknown_model
from ..relay.body import conversation_of, text_of
from ..relay.kinds import Fields

MAX_REASON_CHARS = 200
GRID = 0.25
"""Weights of a mixture are rounded to it, so that near routes share one composed adapter."""
ABSTAINED = "auto: abstained"


@dataclass(frozen=True)
class Decision:
    """What a route comes to: the terms to serve, none for the base, and what a header says."""

    terms: tuple[Term, ...]
    told: str


async def ask(selector: Selector | None, fields: Fields, *, session: str | None) -> Route:
    """Route one request. A selector computes, so it runs in a thread.

    Raises:
        RequestRefused: no router is configured, or the request holds nothing to route by.
    """
    if selector is None:
        raise RequestRefused(
            "model 'auto' needs a router and none is configured: start the server with "
            "`skillweave serve --router PATH`, or name a skill (GET /v1/models)",
            param="model",
        )
    return await asyncio.to_thread(selector.route, state_of(fields, session=session))


def state_of(fields: Fields, *, session: str | None) -> State:
    """What the policy sees at this decision.

    Raises:
        RequestRefused: the prompt is no text.
    """
    messages = conversation_of(fields)
    if messages is not None:
        turns = (Message(str(m["role"]), text_of(m.get("content"))) for m in messages)
        return State(tuple(turns), session)
    prompt = fields.get("prompt")
    if not isinstance(prompt, str):
        raise RequestRefused(
            "model 'auto' reads text, and this prompt is none; send a string, or name a skill",
            param="prompt",
        )
    return State((Message("user", prompt),), session)


def decide(route: Route, *, may: Callable[[str], bool]) -> Decision:
    """The terms of a route.

    A mixture keeps its weights, on a grid; where a text is part of it, which no sum can hold, the
    strongest choice answers alone. A choice that the caller may not use is an abstention, and a
    reason that may name such a skill is not told.

    Args:
        may: whether the caller may use a skill.

    Raises:
        NotFound: the router names what cannot be a skill.
    """
    chosen = [(each, _snapped(each.weight)) for each in route.choice if each.form != "none"]
    chosen = [(each, weight) for each, weight in chosen if weight != 0.0]
    if not all(may(_id(each.skill)) for each, _ in chosen):
        return Decision((), ABSTAINED)
    terms = tuple(_term(each, weight) for each, weight in chosen)
    known = {*route.scores, *(_id(each.skill) for each in route.choice)}
    told = _told(route) if all(map(may, known)) else "auto"
    if len(terms) > 1 and any(each.form == "text" for each, _ in chosen):
        strongest = max(chosen, key=lambda pair: abs(pair[1]))[0]
        return Decision((_term(strongest, 1.0),), f"{told}; the strongest of a mixture with texts")
    return Decision(terms, told)


def _id(skill: str) -> str:
    """The id in a name that a router gives, which may have a version; what is none stays whole."""
    try:
        return str(parse_term(skill).id)
    except ModelStringError:
        return skill


def _snapped(weight: float) -> float:
    return round(weight / GRID) * GRID


def _told(route: Route) -> str:
    """The reason, fit for a header: printable ASCII, one line, bounded."""
    plain = "".join(c if " " <= c <= "~" else "?" for c in route.reason)
    return f"auto: {plain[:MAX_REASON_CHARS]}" if plain else "auto"


def _term(choice: Choice, weight: float) -> Term:
    try:
        term = parse_term(choice.skill)
    except ModelStringError as err:
        raise unknown_model(choice.skill) from err
    form: Form = "text" if choice.form == "text" else "adapter"
    own = None if weight == 1.0 else weight
    return Term(term.id, term.version, term.alias, form, None if form == "text" else own)
