"""Counters and histograms of requests, in Prometheus' terms.

Every metric is one line in `Metrics`; what is a state and not an event is read when somebody asks
(`gauges.py`). Each gateway has a registry of its own. A request costs some dictionary look-ups:
the children of its labels are found once and kept.
Owns names, help texts, labels and buckets. Refuses to own what a label may say (`labels.py`).
To add one: a metric below, its observation in `told`, and a row in docs/guide/operate.md.
"""

from dataclasses import dataclass

from prometheus_client import CollectorRegistry, Counter, Histogram

from .labels import Bounded, adapter_word, decision_word
from .span import Span

MAX_ADAPTERS = 50
"""Adapters with series of their own."""
MAX_OUTCOMES = 40
SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0)
LOAD_SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)


@dataclass(frozen=True)
class _Adapter:
    """The children of one adapter."""

    ttft: Histogram
    duration: Histogram
    prompt: Counter
    completion: Counter


class Metrics:
    """What has happened since the gateway was started.

    Args:
        max_adapters: adapters with series of their own; later ones share `other`.
    """

    def __init__(self, registry: CollectorRegistry, *, max_adapters: int = MAX_ADAPTERS) -> None:
        self.requests = Counter(
            "skillweave_requests_total",
            "Requests by route, status and outcome: ok, gone (the client left) or an error.",
            ["route", "status", "outcome"],
            registry=registry,
        )
        self.decisions = Counter(
            "skillweave_decisions_total",
            "What decided on the answer (named, sticky, selector, abstain), and the form.",
            ["decision", "form"],
            registry=registry,
        )
        self.wait = Histogram(
            "skillweave_wait_seconds",
            "From the arrival of a request until it left for an engine.",
            buckets=SECONDS,
            registry=registry,
        )
        self.ttft = Histogram(
            "skillweave_ttft_seconds",
            "From the arrival of a request to the first byte of its stream.",
            ["adapter"],
            buckets=SECONDS,
            registry=registry,
        )
        self.duration = Histogram(
            "skillweave_request_seconds",
            "From the arrival of a request to the end of its answer.",
            ["adapter"],
            buckets=SECONDS,
            registry=registry,
        )
        self.prompt = Counter(
            "skillweave_prompt_tokens_total", "Tokens of prompts.", ["adapter"], registry=registry
        )
        self.completion = Counter(
            "skillweave_completion_tokens_total",
            "Tokens of answers.",
            ["adapter"],
            registry=registry,
        )
        self.loads = Histogram(
            "skillweave_adapter_load_seconds",
            "Loads of an adapter into an engine that succeeded.",
            buckets=LOAD_SECONDS,
            registry=registry,
        )
        self.load_failures = Counter(
            "skillweave_adapter_load_failures_total",
            "Loads that failed, by the status of the engine.",
            ["status"],
            registry=registry,
        )
        self.unloads = Counter(
            "skillweave_adapter_unloads_total",
            "Adapters taken out of an engine.",
            registry=registry,
        )
        self.published = Counter(
            "skillweave_publishes_total",
            "Changes over the admin routes by kind and outcome.",
            ["kind", "outcome"],
            registry=registry,
        )
        self.lines_dropped = Counter(
            "skillweave_log_lines_dropped_total",
            "Lines that the access log could not write.",
            registry=registry,
        )
        self._adapter_word = Bounded(max_adapters)
        self._outcome_word = Bounded(MAX_OUTCOMES)
        self._requests: dict[tuple[str, int, str], Counter] = {}
        self._decisions: dict[tuple[str, str], Counter] = {}
        self._adapters: dict[str, _Adapter] = {}

    def told(self, span: Span) -> None:
        """Count one relayed request that has ended."""
        self.counted(span)
        if not span.adapter:
            return  # refused before it was known what would answer
        self._decision(span.route, span.form).inc()
        adapter = self._children(span.adapter)
        adapter.duration.observe(span.duration_s)
        wait_s, ttft_s = span.wait_s, span.ttft_s
        if wait_s is not None:
            self.wait.observe(wait_s)
        if ttft_s is not None:
            adapter.ttft.observe(ttft_s)
        if span.prompt_tokens:
            adapter.prompt.inc(span.prompt_tokens)
        if span.completion_tokens:
            adapter.completion.inc(span.completion_tokens)

    def counted(self, span: Span) -> None:
        """Count one request on any route."""
        key = (span.path, span.status, span.outcome)
        child = self._requests.get(key)
        if child is None:
            outcome = self._outcome_word(span.outcome)
            child = self.requests.labels(span.path, str(span.status), outcome)
            if outcome == span.outcome:
                self._requests[key] = child
        child.inc()

    def asked_engine(self, path: str, status: int, seconds: float) -> None:
        """An engine was asked to change what it holds.

        Args:
            status: of its answer; 0 where it gave none.
        """
        verb = path.rpartition("/")[2]
        if verb == "load_lora_adapter":
            if status == 200:
                self.loads.observe(seconds)
            else:
                self.load_failures.labels(str(status or "lost")).inc()
        elif verb in ("unload_lora_adapter", "remove") and status == 200:
            self.unloads.inc()

    def _decision(self, route: str, form: str) -> Counter:
        key = (decision_word(route, form), form)
        child = self._decisions.get(key)
        if child is None:
            child = self._decisions[key] = self.decisions.labels(*key)
        return child

    def _children(self, adapter: str) -> _Adapter:
        word = self._adapter_word(adapter_word(adapter))
        found = self._adapters.get(word)
        if found is None:
            found = self._adapters[word] = _Adapter(
                self.ttft.labels(word),
                self.duration.labels(word),
                self.prompt.labels(word),
                self.completion.labels(word),
            )
        return found
