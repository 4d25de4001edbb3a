"""/v1/models: what a caller can ask for, in OpenAI's shape, with `parent` and our own block.

Owns the rendering, and that a caller sees only what he may use. Refuses to own what exists
(`catalog.py`) and what a name means (`resolve.py`).
"""

import asyncio
from datetime import datetime

from ....adapters.errors import InvalidName, ModelStringError, NotFound
from ....adapters.expr import ModelAuto, ModelBase, ModelTerms, parse_model
from ..access.caller import Caller
from ..errors import unknown_model
from ..service import Service
from .found import Found, Listed

OWNER = "skillweave"
BASE, AUTO = "base", "auto"
Entry = dict[str, object]


async def list_models(service: Service, caller: Caller) -> dict[str, object]:
    """The base, `auto` where a router is configured, and every stored adapter and skill text."""
    listed = await asyncio.to_thread(service.catalog.listing)
    data = [_base()] if caller.may(BASE) else []
    if service.selector is not None and caller.may(AUTO):
        data.append(_auto())
    data += [_listed(each, service) for each in listed if caller.may(each.id)]
    return {"object": "list", "data": data}


async def one_model(service: Service, caller: Caller, name: str) -> Entry:
    """One entry: of the list, or of any `model` string that can be asked for.

    Raises:
        NotFound: there is none, or not for this caller; the same answer.
    """
    try:
        model = parse_model(name)
    except ModelStringError:
        raise unknown_model(name) from None
    match model:
        case ModelBase() if caller.may(BASE):
            return _base()
        case ModelAuto() if caller.may(AUTO) and service.selector is not None:
            return _auto()
        case ModelTerms(terms) if all(caller.may(str(term.id)) for term in terms):
            return await _named(service, name, model)
    raise unknown_model(name)


async def _named(service: Service, name: str, model: ModelTerms) -> Entry:
    listed = await asyncio.to_thread(service.catalog.listing)
    for each in listed:
        if each.id == name:
            return _listed(each, service)
    try:
        chosen = await service.resolver.choose(model.terms, exact=model.exact)
    except (NotFound, InvalidName):
        raise unknown_model(name) from None
    if isinstance(chosen, Found):
        about: Entry = {"form": chosen.form, "version": chosen.version_label}
        return _entry(name, _created(chosen), parent=BASE, about=about)
    about = {"form": "adapter", "sum": chosen.label}
    return _entry(name, 0, parent=BASE, about=about)


def _base() -> Entry:
    return _entry(BASE, 0, parent=None, about={"form": "none"})


def _auto() -> Entry:
    return _entry(AUTO, 0, parent=BASE, about={"form": "auto"})


def _listed(listed: Listed, service: Service) -> Entry:
    found = listed.found
    about: Entry = {
        "form": found.form if found else None,
        "version": found.version_label if found else None,
        "versions": list(listed.versions),
        "aliases": dict(listed.aliases),
    }
    if splits := service.publishing.splits.of(listed.id):
        about["splits"] = splits
    return _entry(listed.id, _created(found), parent=BASE, about=about)


def _created(found: Found | None) -> int:
    """When the version was made, in seconds of the epoch; 0 where nothing says so."""
    if found is None or found.version is None:
        return 0
    return int(datetime.fromisoformat(found.version.created_at).timestamp())


def _entry(name: str, created: int, *, parent: str | None, about: Entry) -> Entry:
    head: Entry = {"id": name, "object": "model", "created": created}
    return {**head, "owned_by": OWNER, "root": name, "parent": parent, "skillweave": about}
