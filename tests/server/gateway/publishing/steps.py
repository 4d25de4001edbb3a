"""What the tests of published steps share."""

import asyncio
from pathlib import Path
from typing import Any

from skillweave.server.gateway.publishing.scratch import noted

from ....one_module import make_adapter

Arena = Any
ADMIN = {"x-skillweave-admin-key": "admin-key-of-the-tests"}


def run(test: Any) -> None:
    asyncio.run(test())


def adapter(stock: Any, seed: int, *, rank: int = 2) -> Path:
    folder: Path = stock.work / f"step-{seed}-{rank}"
    return folder if folder.exists() else make_adapter(folder, seed=seed, rank=rank)


async def until(condition: Any) -> None:
    for _ in range(500):
        if condition():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("this did not come to pass")


def folders_of(a: Any) -> list[str]:
    """What lies in memory for this server."""
    root = noted(a.service.state.run_dir)
    return sorted(each.name for each in root.iterdir() if each.is_dir())


def at_once(a: Any) -> None:
    """What leaves does so without delay."""
    ephemeral = a.service.publishing.ephemeral
    ephemeral.unload_after_s = ephemeral.delete_after_s = 0.0


async def state_of(a: Any) -> dict[str, Any]:
    reply = await a.http.get("/admin/state", headers=ADMIN)
    return dict(reply.json())
