"""The model `auto`: a state goes to the selector, its route becomes one skill in one form.

Owns the way from a request to a `State` and from a `Route` to what is served. Refuses to own any
routing rule: a selector is handed in.
"""

import asyncio

from ...adapters.errors import ModelStringError
from ...adapters.expr import Form, Term, parse_term
from ...router.types import Choice, Message, Route, Selector, State
from .body import Fields, messages_of, text_of
from .errors import RequestRefused, unknown_model

MAX_REASON_CHARS = 200


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
    messages = messages_of(fields)
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


def term_of(route: Route) -> Term | None:
    """The skill of a route as a term; None where the router abstains.

    Raises:
        RequestRefused: the route is a mixture.
        NotFound: the router names what cannot be a skill.
    """
    chosen = [choice for choice in route.choice if choice.form != "none"]
    if not chosen:
        return None
    if len(chosen) > 1:
        names = "+".join(choice.skill for choice in chosen)
        raise RequestRefused(
            f"the router chose the mixture {names}, and this server composes none yet; configure "
            "a router that chooses one skill",
            param="model",
        )
    return _term(chosen[0])


def reason_of(route: Route) -> str:
    """The reason, fit for a header: printable ASCII, one line, bounded."""
    plain = "".join(c if " " <= c <= "~" else "?" for c in route.reason)
    return f"auto: {plain[:MAX_REASON_CHARS]}" if plain else "auto"


def _term(choice: Choice) -> Term:
    try:
        term = parse_term(choice.skill)
    except ModelStringError as err:
        raise unknown_model(choice.skill) from err
    form: Form = "text" if choice.form == "text" else "adapter"
    return Term(id=term.id, version=term.version, alias=term.alias, form=form)
