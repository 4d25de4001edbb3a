"""What the page's view of traffic stands on: every relayed request is noted when it ends.

Owns the way from a request's facts to the ring, and the clock. Refuses to own the counting
(`recent.py`), the metrics and the log (`telemetry/`). Neither prompts nor answers come here.
"""

import time

from ..telemetry.labels import adapter_word
from ..telemetry.span import Span
from ..telemetry.telemetry import Telemetry
from .recent import Happened, Recent

FINE = frozenset({"ok", "gone"})
"""Outcomes that are no failure: a client may leave when it has read enough."""


class Traffic:
    """Listens from its making on."""

    def __init__(self, telemetry: Telemetry) -> None:
        self._telemetry = telemetry
        self._recent = Recent()
        telemetry.listeners.append(self._ended)

    def document(self) -> dict[str, object]:
        """The last minutes (`Recent.document`), and how many requests are being served now."""
        return {"in_flight": self._telemetry.in_flight, **self._recent.document(time.monotonic())}

    def _ended(self, span: Span) -> None:
        one = Happened(
            adapter=adapter_word(span.adapter) if span.adapter else "",
            ok=span.outcome in FINE and span.status < 400,
            duration_s=span.duration_s,
            ttft_s=span.ttft_s,
            prompt_tokens=span.prompt_tokens or 0,
            completion_tokens=span.completion_tokens or 0,
        )
        self._recent.note(time.monotonic(), one)
