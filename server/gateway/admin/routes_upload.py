"""The admin routes by which something comes into the store: an upload, a promoted step.

    POST /upload   multipart/form-data: adapter_config.json, adapter_model.safetensors, perhaps
                   card.json; fields name, perhaps alias
    POST /upload   application/octet-stream: a bundle (`skillweave export NAME --bundle FILE`)
    POST /promote  {"ref": "run@7", "name": ..., "alias": ...}

Owns their bodies. Refuses to own what they do (`gateway/intake.py`).
"""

from fastapi import APIRouter, Request

from ....adapters.expr import parse_ref
from ....adapters.names import DEFAULT_ALIAS, validate_alias
from ....adapters.store.types import Version
from ..errors import RankAboveCap
from ..service import Service
from .routes_publish import Published, published
from .wire import Strict, checked

BUNDLE = "application/octet-stream"


class UploadForm(Strict):
    """The fields beside the files; `alias` is moved to the new version when it is loaded."""

    name: str
    alias: str | None = None


class PromoteRequest(Strict):
    """Store a step of a run as a version of `name`, and move `alias` to it; null moves none."""

    ref: str
    name: str
    alias: str | None = DEFAULT_ALIAS


class Uploaded(Strict):
    """What is stored now."""

    versions: tuple[Published, ...]


def add_upload_routes(router: APIRouter, service: Service) -> None:
    """POST /upload and /promote."""
    intake = service.publishing.intake

    @router.post("/upload")
    async def upload(request: Request) -> Uploaded:
        kind = request.headers.get("content-type", "")
        if kind.partition(";")[0].strip().lower() == BUNDLE:
            versions = await intake.store_bundle(request)
            return Uploaded(versions=tuple(published(version, None) for version in versions))
        async with intake.receiving(kind) as receiver:
            await receiver.take(request)
            form = checked(receiver.fields, UploadForm)
            if form.alias is not None:
                validate_alias(form.alias)
            version = await intake.store_adapter(receiver, form.name)
        return Uploaded(versions=(await _serve(service, version, form.alias),))

    @router.post("/promote")
    async def promote(body: PromoteRequest) -> Published:
        term = parse_ref(body.ref)
        if body.alias is not None:
            validate_alias(body.alias)
        version = await intake.promote(term, body.name)
        return await _serve(service, version, body.alias)


async def _serve(service: Service, version: Version, alias: str | None) -> Published:
    """Move an alias to what was stored just now; without one, it is loaded when it is asked for.

    Raises:
        RankAboveCap: it is stored, and not servable by the running engines.
    """
    if alias is not None:
        try:
            await service.publisher.publish(ref=version.ref, alias=alias)
        except RankAboveCap as err:
            where = f"{version.ref} is stored, but serving it"
            raise RankAboveCap(err.problems, subject=where) from err
    return published(version, alias)
