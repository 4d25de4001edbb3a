"""What the tests of admission share: requests that write down when they got their engine."""

import asyncio
from typing import Any

from skillweave.server.admission_settings import AdmissionLimits
from skillweave.server.gateway.admission.admission import Admission, Ticket, Wanted

from .virtual import StillPool


def wanted(adapter: str | None, tenant: str = "t", **more: Any) -> Wanted:
    return Wanted(adapter, tenant, more.pop("cost", 10), **more)


def limits(**fields: Any) -> AdmissionLimits:
    return AdmissionLimits.model_validate({"quantum_s": 1.0, "linger_s": 0.1, **fields})


def now() -> float:
    return asyncio.get_running_loop().time()


class Log:
    """Runs requests and writes down when each got its engine."""

    def __init__(self, admission: Admission) -> None:
        self._admission = admission
        self.began: list[tuple[float, str | None]] = []
        self.tickets: list[Ticket] = []

    async def ask(self, adapter: str | None, *, lasts: float = 0.5, **more: Any) -> float:
        came = now()
        async with self._admission.enter(wanted(adapter, **more)) as ticket:
            self.began.append((round(now(), 3), adapter))
            self.tickets.append(ticket)
            await asyncio.sleep(lasts)
        return now() - came - lasts


def in_order(log: Log) -> list[str | None]:
    return [adapter for _, adapter in log.began]


def check_empty(admission: Admission) -> None:
    gauges = admission.gauges
    assert (gauges.held, gauges.tenants, gauges.waiting_adapters) == (0, 0, 0)
    assert sum(gauges.waiting.values()) == 0


def make(slots: tuple[int | None, ...], **fields: Any) -> Admission:
    return Admission(StillPool(slots), limits(**fields))
