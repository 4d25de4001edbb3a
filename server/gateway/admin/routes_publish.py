"""The admin routes that publish: put a version on, move an alias, take it back.

Owns their bodies. Refuses to own what they do (`gateway/publish.py`).
"""

from typing import Self

from fastapi import APIRouter
from pydantic import Field, model_validator

from ....adapters.names import DEFAULT_ALIAS
from ....adapters.store.types import Version
from ..service import Service
from .wire import Strict


class PublishRequest(Strict):
    """A stored version, by reference or by digest; `alias` is moved to it when it is loaded."""

    ref: str | None = None
    digest: str | None = None
    alias: str | None = None

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.ref is None) == (self.digest is None):
            raise ValueError("give ref (such as 'sql-report@3') or digest, one of the two")
        return self


class AliasRequest(Strict):
    """Move `alias` of `name` to `version`; with `expected`, only away from it (0: from nowhere)."""

    name: str
    alias: str
    version: int = Field(ge=1)
    expected: int | None = Field(default=None, ge=0)


class RollbackRequest(Strict):
    """Move `alias` of `name` back to where it pointed before."""

    name: str
    alias: str = DEFAULT_ALIAS


class Published(Strict):
    """What is served now."""

    ref: str
    version_digest: str
    weights_digest: str
    alias: str | None


def add_publish_routes(router: APIRouter, service: Service) -> None:
    """POST /publish, /alias and /rollback."""

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


def _published(version: Version, alias: str | None) -> Published:
    return Published(
        ref=version.ref,
        version_digest=version.version_digest,
        weights_digest=version.weights_digest,
        alias=alias,
    )
