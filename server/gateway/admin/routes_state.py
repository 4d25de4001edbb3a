"""The admin route that looks inside.

Owns the document. Refuses to hold a secret in it.
"""

from fastapi import APIRouter

from ..service import Service


def add_state_routes(router: APIRouter, service: Service) -> None:
    """GET /state."""

    @router.get("/state")
    async def state() -> dict[str, object]:
        return state_document(service)


def state_document(service: Service) -> dict[str, object]:
    """What the server is doing, without a secret in it."""
    state = service.state
    return {
        "ready": service.ready,
        "problem": service.problem,
        "base": state.base_label,
        "family": state.family,
        "store": str(state.store) if state.store else None,
        "max_lora_rank": state.max_lora_rank,
        "auto": service.selector is not None,
        "engines": [
            {"url": engine.url, "pid": engine.pid, "ready": engine.ready and engine.alive}
            for engine in state.engines
        ],
        "loaded": [
            {
                "ref": resident.what.ref,
                "engine_name": resident.what.name,
                "version_digest": resident.what.digest,
                "in_use": resident.in_use,
                "loaded": resident.loaded,
                "retired": resident.retired,
            }
            for resident in service.residency.table
        ],
    }
