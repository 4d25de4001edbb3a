"""The admin routes that publish: put a version or a step on, move or split an alias, take it back.

Owns their bodies. Refuses to own what they do (`gateway/publish.py`, `gateway/ephemeral.py`).
"""

from typing import Self

from fastapi import APIRouter, Request
from pydantic import Field, model_validator

from ....adapters.names import DEFAULT_ALIAS
from ....adapters.store.types import Version
from ..publishing.step_folders import Asked
from ..publishing.steps import MAX_STALENESS, Step
from ..service import Service
from .wire import Strict, checked, is_json, length_of, read_json


class PublishRequest(Strict):
    """A stored version, by reference or by digest; `alias` is moved to it when it is loaded.

    With `run` and `step` the version of this digest is served as a step of a run.
    """

    ref: str | None = None
    digest: str | None = None
    alias: str | None = None
    run: str | None = None
    step: int | None = Field(default=None, ge=1)
    staleness: int = Field(default=1, ge=0, le=MAX_STALENESS)

    @model_validator(mode="after")
    def _one(self) -> Self:
        if self.run is not None or self.step is not None:
            if None in (self.run, self.step, self.digest) or self.ref or self.alias:
                raise ValueError(
                    "a step needs run, step and digest and nothing else; its bytes can be sent as "
                    "multipart/form-data"
                )
        elif (self.ref is None) == (self.digest is None):
            raise ValueError("give ref (such as 'sql-report@3') or digest, one of the two")
        return self


class StepForm(Strict):
    """The fields beside the files of a step; older steps within `staleness` stay in use."""

    run: str
    step: int = Field(ge=1)
    staleness: int = Field(default=1, ge=0, le=MAX_STALENESS)


class EndRequest(Strict):
    """Let go of every step of a run."""

    run: str


class AliasRequest(Strict):
    """Move `alias` of `name` to `version`; with `expected`, only away from it (0: from nowhere)."""

    name: str
    alias: str
    version: int = Field(ge=1)
    expected: int | None = Field(default=None, ge=0)


class UnloadRequest(Strict):
    """Let the engines go of a stored version that no alias means."""

    ref: str


class RollbackRequest(Strict):
    """Move `alias` of `name` back to where it pointed before."""

    name: str
    alias: str = DEFAULT_ALIAS


class SplitRequest(Strict):
    """Let versions answer for `alias` of `name`, each for its part; `{"3": 90, "4": 10}`."""

    name: str
    alias: str
    weights: dict[int, int]


class Published(Strict):
    """What is served now."""

    ref: str
    version_digest: str
    weights_digest: str
    alias: str | None


class StepPublished(Strict):
    """The step that is served now, and all of its run that are kept."""

    ref: str
    run: str
    step: int
    digest: str
    kept: tuple[int, ...]


class SplitMade(Strict):
    """Who answers for an alias now; `version` is what it means in the store."""

    name: str
    alias: str
    version: int
    weights: dict[int, int]


def add_publish_routes(router: APIRouter, service: Service) -> None:
    """POST /publish, /unload, /end, /alias, /rollback and /split."""

    @router.post("/publish")
    async def publish(request: Request) -> Published | StepPublished:
        if not is_json(request):
            return await _publish_bytes(request, service)
        body = await read_json(request, PublishRequest)
        if body.run is not None and body.step is not None:
            came = await service.publisher.version(digest=body.digest)
            asked = Asked(body.run, body.step, body.staleness)
            return _step(await service.publishing.ephemeral.publish(asked, came), service)
        version = await service.publisher.publish(
            ref=body.ref, digest=body.digest, alias=body.alias
        )
        return published(version, body.alias)

    @router.post("/unload")
    async def unload(body: UnloadRequest) -> dict[str, str]:
        return {"ref": (await service.publisher.unload(body.ref)).ref}

    @router.post("/end")
    async def end(body: EndRequest) -> dict[str, object]:
        return {"run": body.run, "ended": await service.publishing.ephemeral.end(body.run)}

    @router.post("/alias")
    async def alias(body: AliasRequest) -> Published:
        ref = f"{body.name}@{body.version}"
        version = await service.publisher.publish(ref=ref, alias=body.alias, expected=body.expected)
        return published(version, body.alias)

    @router.post("/rollback")
    async def rollback(body: RollbackRequest) -> Published:
        version = await service.publisher.rollback(body.name, alias=body.alias)
        return published(version, body.alias)

    @router.post("/split")
    async def split(body: SplitRequest) -> SplitMade:
        made = await service.publisher.split(body.name, body.alias, body.weights)
        return SplitMade(
            name=body.name, alias=body.alias, version=made.at, weights=dict(made.parts)
        )


async def _publish_bytes(request: Request, service: Service) -> StepPublished:
    """A step whose files come in the body: written once, judged, loaded."""
    ephemeral = service.publishing.ephemeral
    kind = request.headers.get("content-type", "")
    async with ephemeral.receiving(kind, length_of(request)) as receiver:
        await receiver.take(request)
        form = checked(receiver.fields, StepForm)
        asked = Asked(form.run, form.step, form.staleness)
        return _step(await ephemeral.publish(asked, receiver), service)


def _step(step: Step, service: Service) -> StepPublished:
    return StepPublished(
        ref=step.servable.ref,
        run=step.run,
        step=step.number,
        digest=step.servable.digest,
        kept=service.publishing.ephemeral.steps.kept(step.run),
    )


def published(version: Version, alias: str | None) -> Published:
    """What a version that is served now looks like in a reply."""
    return Published(
        ref=version.ref,
        version_digest=version.version_digest,
        weights_digest=version.weights_digest,
        alias=alias,
    )
