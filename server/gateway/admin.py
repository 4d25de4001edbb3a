"""The admin routes: publish a version, move an alias, take it back, set the router, look inside.

They answer to the admin key (`x-skillweave-admin-key`) and to this machine only.
Owns their request and reply shapes. Refuses to own what they do (`publish.py`).
"""

import ipaddress
import secrets
from pathlib import Path
from typing import Self

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, ConfigDict, Field, model_validator

from ...adapters.names import DEFAULT_ALIAS
from ...adapters.store.types import Version
from .errors import Forbidden
from .service import Service

KEY_HEADER = "x-skillweave-admin-key"


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class PublishRequest(_Strict):
    """A stored version, by reference or by digest; `alias` is moved to it when it is loaded."""

    ref: str | None = None
    digest: str | None = None
    alias: str | None = None

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.ref is None) == (self.digest is None):
            raise ValueError("give ref (such as 'sql-report@3') or digest, one of the two")
        return self


class AliasRequest(_Strict):
    """Move `alias` of `name` to `version`; with `expected`, only away from it (0: from nowhere)."""

    name: str
    alias: str
    version: int = Field(ge=1)
    expected: int | None = Field(default=None, ge=0)


class RollbackRequest(_Strict):
    """Move `alias` of `name` back to where it pointed before."""

    name: str
    alias: str = DEFAULT_ALIAS


class RouterRequest(_Strict):
    """Let the saved router in this folder answer `auto`."""

    path: Path


class Published(_Strict):
    """What is served now."""

    ref: str
    version_digest: str
    weights_digest: str
    alias: str | None


def admin_routes(service: Service) -> APIRouter:
    """The routes, below /admin."""

    async def admin(request: Request) -> None:
        _require_admin(request, service.state.admin_key)

    router = APIRouter(prefix="/admin", dependencies=[Depends(admin)])

    @router.post("/publish")
    async def publish(body: PublishRequest) -> Published:
        version = await service.publisher.publish(
            ref=body.ref, digest=body.digest, alias=body.alias
        )
        return _published(version, body.alias)

    @router.post("/alias")
    async def alias(body: AliasRequest) -> Published:
        ref = f"{body.name}@{body.version}"
        version = await service.publisher.publish(ref=ref, alias=body.alias, expected=body.expected)
        return _published(version, body.alias)

    @router.post("/rollback")
    async def rollback(body: RollbackRequest) -> Published:
        version = await service.publisher.rollback(body.name, alias=body.alias)
        return _published(version, body.alias)

    @router.post("/router")
    async def set_router(body: RouterRequest) -> dict[str, str]:
        await service.set_router(body.path)
        return {"router": str(body.path)}

    @router.get("/state")
    async def state() -> dict[str, object]:
        return state_document(service)

    return router


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


def _published(version: Version, alias: str | None) -> Published:
    return Published(
        ref=version.ref,
        version_digest=version.version_digest,
        weights_digest=version.weights_digest,
        alias=alias,
    )


def _require_admin(request: Request, key: str) -> None:
    given = request.headers.get(KEY_HEADER, "")
    host = request.client.host if request.client else ""
    if not _is_loopback(host):
        raise Forbidden("admin routes answer to this machine only")
    if not secrets.compare_digest(given.encode(), key.encode()):
        raise Forbidden(
            f"the admin key in {KEY_HEADER} is missing or wrong; `skillweave serve` prints it at "
            "its start"
        )


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
