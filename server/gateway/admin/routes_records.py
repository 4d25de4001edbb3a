"""The admin routes that read records: tokens used, and what was changed by whom.

Owns their questions. Refuses to own the records (`access/usage_file.py`, `access/audit.py`).
"""

import asyncio
from datetime import date
from typing import Annotated

from fastapi import APIRouter, Query

from ..access.usage_file import UsageFile
from ..service import Service

MAX_ENTRIES = 1000


def add_record_routes(router: APIRouter, service: Service) -> None:
    """GET /usage and /audit."""

    @router.get("/usage")
    async def usage(by: str = "team,adapter", since: date | None = None) -> list[dict[str, object]]:
        path = service.state.access.usage
        if path is None:
            return []
        day = since.isoformat() if since is not None else None
        await service.door.usage.flush()
        return await asyncio.to_thread(UsageFile(path).table, by.split(","), since=day)

    @router.get("/audit")
    async def audit(
        last: Annotated[int, Query(ge=1, le=MAX_ENTRIES)] = 100,
    ) -> list[dict[str, object]]:
        return await asyncio.to_thread(service.audit.last, last)
