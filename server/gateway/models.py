"""/v1/models: what can be asked for, in OpenAI's shape, with `parent` and our own block.

Owns the rendering. Refuses to own what exists (`catalog.py`).
"""

import asyncio
import time

from .catalog import Listed
from .errors import unknown_model
from .service import Service

OWNER = "skillweave"
BASE, AUTO = "base", "auto"


async def list_models(service: Service) -> dict[str, object]:
    """The base, `auto` where a router is configured, and every stored adapter and skill text."""
    listed = await asyncio.to_thread(service.catalog.listing)
    created = int(time.time())
    data = [_entry(BASE, created, parent=None, about={"form": "none"})]
    if service.selector is not None:
        data.append(_entry(AUTO, created, parent=BASE, about={"form": "auto"}))
    data += [_entry(each.id, created, parent=BASE, about=_about(each)) for each in listed]
    return {"object": "list", "data": data}


async def one_model(service: Service, name: str) -> dict[str, object]:
    """One entry of the list.

    Raises:
        NotFound: it is not listed.
    """
    models = (await list_models(service))["data"]
    assert isinstance(models, list)
    for entry in models:
        if entry["id"] == name:
            return dict(entry)
    raise unknown_model(name)


def _entry(
    name: str, created: int, *, parent: str | None, about: dict[str, object]
) -> dict[str, object]:
    head: dict[str, object] = {"id": name, "object": "model", "created": created}
    return {**head, "owned_by": OWNER, "root": name, "parent": parent, "skillweave": about}


def _about(listed: Listed) -> dict[str, object]:
    found = listed.found
    return {
        "form": found.form if found else None,
        "version": found.version_label if found else None,
        "versions": list(listed.versions),
        "aliases": dict(listed.aliases),
    }
