"""What is so at the moment somebody asks: engines, residency, queues. Read, never counted along.

Owns names, help texts and where each figure comes from. Refuses to own the figures.
To add one: a `_Gauge` line in the function of its topic, and a row in docs/guide/operate.md.
"""

import platform
from collections.abc import Iterable, Iterator
from importlib import metadata

from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric

from ..service import Service

PREFIX = "skillweave_"


def families(service: Service) -> Iterator[Metric]:
    """Every gauge of a gateway."""
    yield from _about_the_build(service)
    yield from _about_engines(service)
    yield from _about_adapters(service)


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
