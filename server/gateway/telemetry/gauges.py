"""What is so at the moment somebody asks: engines, residency, queues. Read, never counted along.

Owns names, help texts and where each figure comes from. Refuses to own the figures.
To add one: a `_Gauge` line in the function of its topic, and a row in docs/guide/operate.md.
"""

import platform
from collections.abc import Iterable, Iterator, Mapping
from importlib import metadata

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric

from ...engines.client import EngineResidency
from ..service import Service
from .labels import OTHER

PREFIX = "skillweave_"


def families(service: Service, truths: Mapping[str, EngineResidency]) -> Iterator[Metric]:
    """Every gauge of a gateway.

    Args:
        truths: what engines say that they hold, by their address.
    """
    yield from _about_the_build(service)
    yield from _about_engines(service)
    yield from _about_adapters(service)
    yield from _about_truth(service, truths)
    yield from _about_waiting(service)


class Scrape:
    """One scrape as a collector: the counters of a registry, then the gauges of this moment."""

    def __init__(self, counters: CollectorRegistry, gauges: Iterable[Metric]) -> None:
        self._counters = counters
        self._gauges = tuple(gauges)

    def collect(self) -> Iterator[Metric]:
        """All families; the time at which a series began is left out, for it doubles the text."""
        for family in self._counters.collect():
            family.samples = [s for s in family.samples if not s.name.endswith("_created")]
            yield family
        yield from self._gauges

    def describe(self) -> list[Metric]:
        """Nothing: names are not checked against other collectors."""
        return []


def _gauge(name: str, text: str, value: float) -> Metric:
    return GaugeMetricFamily(PREFIX + name, text, value=value)


def _each(name: str, text: str, label: str, values: Iterable[tuple[str, float]]) -> Metric:
    family = GaugeMetricFamily(PREFIX + name, text, labels=[label])
    for word, value in values:
        family.add_metric([word], value)
    return family


def _count(name: str, text: str, label: str, values: Iterable[tuple[str, float]]) -> Metric:
    family = CounterMetricFamily(PREFIX + name, text, labels=[label])
    for word, value in values:
        family.add_metric([word], value)
    return family


def _about_the_build(service: Service) -> Iterator[Metric]:
    about = {
        "version": metadata.version("skillweave"),
        "python": platform.python_version(),
        "family": (service.state.family or "")[:12],
    }
    family = GaugeMetricFamily(PREFIX + "build_info", "What runs here.", labels=list(about))
    family.add_metric(list(about.values()), 1)
    yield family
    yield _gauge("ready", "1 while requests can be answered.", float(service.ready))
    yield _gauge("in_flight", "Relayed requests being served.", service.telemetry.in_flight)
    yield _gauge(
        "gateway_restarts", "Times this gateway was started again.", service.state.gateway_restarts
    )


def _about_engines(service: Service) -> Iterator[Metric]:
    engines = [(str(index), engine) for index, engine in enumerate(service.state.engines)]
    yield _each(
        "engine_up",
        "1 while the process of an engine lives.",
        "engine",
        ((index, float(engine.alive)) for index, engine in engines),
    )
    yield _each(
        "engine_ready",
        "1 while an engine takes requests.",
        "engine",
        ((index, float(engine.ready and engine.alive)) for index, engine in engines),
    )
    yield _each(
        "engine_restarts",
        "Times an engine was started again since the server was started.",
        "engine",
        ((index, engine.restarts) for index, engine in engines),
    )
    yield _each(
        "engine_recovery_seconds",
        "From the last end of an engine until it was ready again.",
        "engine",
        ((i, engine.recovery_s) for i, engine in engines if engine.recovery_s is not None),
    )


def _about_adapters(service: Service) -> Iterator[Metric]:
    table = service.residency.table
    yield _gauge(
        "adapters_loaded",
        "Adapter versions declared to the engines.",
        sum(resident.loaded for resident in table),
    )
    yield _gauge(
        "adapters_in_use",
        "Loaded versions that a running request uses.",
        sum(resident.in_use > 0 for resident in table),
    )
    yield _gauge(
        "adapters_retired",
        "Versions that go when their last request ends.",
        sum(resident.retired for resident in table),
    )


def _about_truth(service: Service, truths: Mapping[str, EngineResidency]) -> Iterator[Metric]:
    places = {engine.url: str(index) for index, engine in enumerate(service.state.engines)}
    held = [(places.get(url, OTHER), truth) for url, truth in truths.items()]
    yield _each(
        "engine_slots",
        "Adapters that an engine can have in one batch.",
        "engine",
        ((engine, truth.max_loras) for engine, truth in held),
    )
    yield _each(
        "engine_slots_used",
        "Adapters that an engine has in batch slots, as it says itself.",
        "engine",
        ((engine, len(truth.slots)) for engine, truth in held),
    )
    yield _each(
        "engine_host_adapters",
        "Adapters that an engine has in host memory, as it says itself.",
        "engine",
        ((engine, len(truth.host)) for engine, truth in held),
    )


def _about_waiting(service: Service) -> Iterator[Metric]:
    now, so_far = service.admission.gauges, service.admission.figures
    yield _gauge("held_requests", "Requests in hand, waiting ones included.", now.held)
    yield _each(
        "waiting_requests",
        "Requests that wait: their adapter has no slot, or no more share of it now.",
        "reason",
        now.waiting.items(),
    )
    yield _gauge("waiting_adapters", "Adapters that requests wait for.", now.waiting_adapters)
    yield _gauge("oldest_wait_seconds", "The longest wait that is going on.", now.oldest_wait_s)
    yield _gauge("longest_wait_seconds", "The longest wait ever seen.", so_far.longest_wait_s)
    yield _count(
        "refused_requests",
        "Requests without a place in the queue, or too late.",
        "reason",
        so_far.refused.items(),
    )
    yield _count(
        "prefetches",
        "Adapters loaded before they were asked for.",
        "outcome",
        so_far.prefetches.items(),
    )
    engines = {engine.url: str(index) for index, engine in enumerate(service.state.engines)}
    yield _each(
        "engine_in_flight",
        "Requests that an engine is answering.",
        "engine",
        ((engines.get(each.url, OTHER), each.in_flight) for each in now.engines),
    )
    yield _each(
        "engine_draining",
        "1 while an engine gets no new requests.",
        "engine",
        ((engines.get(each.url, OTHER), float(each.draining)) for each in now.engines),
    )
