"""Routes of an engine about its adapters: what it holds in truth, remove, pin.

    GET  /v1/skillweave/residency  names in slots, in host memory, pinned; the three limits
    POST /v1/skillweave/remove     {"lora_name"}: the name at once, slot and memory when no request
                                   uses it any more (409 after `WAIT_S`; asking again is right)
    POST /v1/skillweave/pin        {"lora_name", "pinned"}: never push it out of host memory

They lie below /v1, which vLLM guards with the engine's key. Upstream fact (vLLM 0.32,
`entrypoints/openai/models/serving.py`): `unload_lora_adapter` takes the name away and leaves the
adapter in the engine. Here it also frees slot and memory, where no request uses it at that moment.

Owns the wire. Refuses to own what the engine does (`engine_calls.py`).
"""

import asyncio
import logging
from typing import Any, Literal, cast

from fastapi import APIRouter, FastAPI, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from .answers import Held, Pinned, Removed

WAIT_S = 30.0
LOOK_S = 0.02

log = logging.getLogger("vllm.skillweave")
router = APIRouter(prefix="/v1/skillweave")


class Named(BaseModel):
    """Which adapter, by its engine-side name."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    lora_name: str = Field(min_length=1, max_length=1024)


class Pin(Named):
    """Whether it is to stay."""

    pinned: bool


@router.get("/residency")
async def residency(raw: Request) -> JSONResponse:
    """What the engine holds now."""
    held = cast(Held, await _call(raw.app.state.engine_client, "skillweave_held"))
    return JSONResponse(held) if held else _refused(404, "this engine runs without LoRA")


@router.post("/remove")
async def remove(body: Named, raw: Request) -> JSONResponse:
    """Forget a name, wait for its requests, free what it holds."""
    models, name = raw.app.state.openai_serving_models, body.lora_name
    known = await _forget(models, name)
    outcome = await _removed(raw.app.state.engine_client, models, name)
    if outcome == "busy":
        why = "requests still use it" if name not in models.lora_requests else "it was loaded again"
        return _refused(409, f"adapter {name!r} was not removed: {why}")
    if outcome == "unknown" and not known:
        return _refused(404, f"adapter {name!r} is not here")
    return JSONResponse({})


@router.post("/pin")
async def pin(body: Pin, raw: Request) -> JSONResponse:
    """Keep an adapter in host memory, or no longer."""
    engine, name = raw.app.state.engine_client, body.lora_name
    outcome = cast(Pinned, await _call(engine, "skillweave_pin", name, body.pinned))
    if outcome == "unknown":
        return _refused(404, f"adapter {name!r} is not here")
    if outcome == "full":
        return _refused(
            409,
            f"adapter {name!r} was not pinned: host memory must keep room for a whole batch beside "
            "the pinned ones; start the engine with a larger --max-cpu-loras",
        )
    return JSONResponse({})


class ControlRoutes:
    """The endpoint plugin that vLLM's server is handed."""

    name = "skillweave"
    required_tasks = ("generate",)

    def attach_router(self, app: FastAPI) -> None:
        """Add the routes."""
        app.include_router(router)

    async def init_state(self, engine_client: Any, state: Any, args: Any) -> None:
        """Let vLLM's own unload route free what it unloads."""
        models = state.openai_serving_models
        stock = models.unload_lora_adapter

        async def unload_lora_adapter(request: Any) -> Any:
            told = await stock(request)
            if isinstance(told, str):
                outcome = await _call(engine_client, "skillweave_remove", request.lora_name)
                if outcome == "busy":
                    log.info("an unloaded adapter is in use; it stays until others push it out")
            return told

        models.unload_lora_adapter = unload_lora_adapter


async def _forget(models: Any, name: str) -> bool:
    if name not in models.lora_requests:
        return False
    async with models.lora_resolver_lock[name]:
        return models.lora_requests.pop(name, None) is not None


async def _removed(engine: Any, models: Any, name: str) -> Removed:
    """The engine's answer, asked again while requests use the adapter."""
    clock = asyncio.get_running_loop().time
    end = clock() + WAIT_S
    while True:
        outcome = cast(Removed, await _call(engine, "skillweave_remove", name))
        if outcome != "busy" or clock() > end or name in models.lora_requests:
            return outcome
        await asyncio.sleep(LOOK_S)


async def _call(engine: Any, method: str, *args: object) -> object:
    return await engine.engine_core.call_utility_async(method, *args)


def _refused(status: Literal[404, 409], message: str) -> JSONResponse:
    kind = "NotFoundError" if status == 404 else "ConflictError"
    error = {"message": message, "type": kind, "param": "lora_name", "code": status}
    return JSONResponse({"error": error}, status_code=status)
