"""The admin route that looks inside.

Owns the document. Refuses to hold a secret in it.
"""

import asyncio

from fastapi import APIRouter

from ..service import Service


def add_state_routes(router: APIRouter, service: Service) -> None:
    """GET /state."""

    @router.get("/state")
    async def state() -> dict[str, object]:
        taken = await asyncio.to_thread(_also_stored, service)
        return {
            **state_document(service),
            "runs": _runs(service, taken),
            "splits": _splits(service),
        }


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
            {
                "url": engine.url,
                "pid": engine.pid,
                "ready": engine.ready and engine.alive,
                "restarts": engine.restarts,
                "recovery_s": engine.recovery_s,
            }
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


def _runs(service: Service, taken: set[str]) -> list[dict[str, object]]:
    """The steps of training runs. `also_stored` says that a skill got the name meanwhile: the run
    goes before it until it has ended."""
    return [
        {
            "run": name,
            "staleness": run.staleness,
            "also_stored": name in taken,
            "steps": [
                {
                    "step": number,
                    "digest": step.servable.digest,
                    "engine_name": step.servable.name,
                }
                for number, step in sorted(run.steps.items())
            ],
        }
        for name, run in service.publishing.ephemeral.steps
    ]


def _also_stored(service: Service) -> set[str]:
    publishing = service.publishing
    return {name for name, _ in publishing.ephemeral.steps if publishing.is_taken(name)}


def _splits(service: Service) -> list[dict[str, object]]:
    return [
        {
            "name": name,
            "alias": alias,
            "version": split.at,
            "weights": {str(number): weight for number, weight in split.parts},
        }
        for (name, alias), split in sorted(service.publishing.splits.table.items())
    ]
