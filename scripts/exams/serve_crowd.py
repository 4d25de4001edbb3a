"""Clients that ask without a pause and judge every answer, whatever happens to the server.

What each version answers is learned while all is quiet; from then on an answer is right, refused as
the documentation says, cut off with its connection, or a fault. Owns this judgement. Refuses to
break anything (`serve_kills.py`).
"""

import itertools
import json
import random
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from ..bench.serve_wire import Heard, Line

COMPLETIONS = "/v1/completions"
DOCUMENTED = frozenset({429, 502, 503, 504})
"""What a request that could be answered at another time may get instead."""
HANG_S = 30.0
WORDS = 6
_PAUSE_S = 0.02
TEXTS = ("one two three four", "five six seven", "alpha beta gamma delta epsilon")


@dataclass
class Tally:
    """What the crowd got. Every list holds sentences; `right` and `refused` count."""

    right: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    hangs: list[str] = field(default_factory=list)
    tracebacks: list[str] = field(default_factory=list)
    cut: int = 0

    @property
    def faults(self) -> list[str]:
        """Everything that must not be."""
        return [*self.wrong, *self.hangs, *self.tracebacks]

    @property
    def answered(self) -> int:
        """Right answers of all models."""
        return sum(self.right.values())


class Crowd:
    """Asks one server.

    Args:
        models: what is asked for, by turns.
        stream: whether about half of the requests stream.
    """

    def __init__(self, url: str, models: Sequence[str], *, stream: bool = True) -> None:
        self._url = url
        self._models = list(models)
        self._stream = stream
        self._stop = threading.Event()
        self._right: Mapping[tuple[str, str], str] = {}
        self.tally = Tally()

    def learn(self) -> None:
        """What each model answers to each text, while nothing is broken.

        Raises:
            RuntimeError: two models answer the same, so that a mix-up would not be seen.
        """
        right: dict[tuple[str, str], str] = {}
        with Line(self._url, timeout_s=HANG_S) as line:
            for model, text in itertools.product(self._models, TEXTS):
                right[model, text] = words_of(line.ask(_request(line, model, text, stream=False)))
        for text in TEXTS:
            said = [right[model, text] for model in self._models]
            if len(set(said)) < len(said):
                raise RuntimeError(f"models answer alike: {said}")
        self._right = right

    @contextmanager
    def asking(self, clients: int) -> Iterator[Tally]:
        """So many clients ask while the block runs."""
        self._stop.clear()
        workers = [threading.Thread(target=self._ask, args=(seed,)) for seed in range(clients)]
        for worker in workers:
            worker.start()
        try:
            yield self.tally
        finally:
            self._stop.set()
            for worker in workers:
                worker.join()

    def until_right(self, model: str, *, within_s: float = 120.0) -> float:
        """Seconds until this model answers rightly, asked again and again."""
        start = time.monotonic()
        while time.monotonic() - start < within_s:
            try:
                with Line(self._url, timeout_s=HANG_S) as line:
                    heard = line.ask(_request(line, model, TEXTS[0], stream=False))
                if heard.status == 200 and words_of(heard) == self._right[model, TEXTS[0]]:
                    return time.monotonic() - start
            except OSError:
                pass
            time.sleep(_PAUSE_S)
        self.tally.hangs.append(f"{model} did not come back within {within_s:g} s")
        return within_s

    def _ask(self, seed: int) -> None:
        rng = random.Random(seed)
        line: Line | None = None
        while not self._stop.is_set():
            model, text = rng.choice(self._models), rng.choice(TEXTS)
            stream = self._stream and rng.random() < 0.5
            try:
                line = line or Line(self._url, timeout_s=HANG_S)
                heard = line.ask(_request(line, model, text, stream=stream))
                self.judge(heard, model, text, stream=stream)
            except TimeoutError:
                self.tally.hangs.append(f"{model}: no byte for {HANG_S:g} s")
                _close(line)
                line = None
            except OSError:
                self.tally.cut += 1
                _close(line)
                line = None
                time.sleep(_PAUSE_S)
        _close(line)

    def judge(self, heard: Heard, model: str, text: str, *, stream: bool) -> None:
        """Count one answer."""
        tally, right = self.tally, self._right[model, text]
        if b"Traceback" in heard.body:
            tally.tracebacks.append(f"{model}: {heard.body[:300]!r}")
        elif heard.status != 200:
            if heard.status in DOCUMENTED and is_openai_error(heard.body):
                tally.refused[str(heard.status)] += 1
                time.sleep(_PAUSE_S)
            else:
                tally.wrong.append(f"{model}: status {heard.status}: {heard.body[:200]!r}")
        elif not stream:
            self._compare(model, words_of(heard), right)
        else:
            said, ended, error = events_of(heard)
            if error is not None and right.startswith(said):
                tally.refused["in a stream"] += 1
            elif error is not None or not ended:
                tally.wrong.append(f"{model}: stream {said!r} ended {ended} with {error!r}")
            else:
                self._compare(model, said, right)

    def _compare(self, model: str, said: str, right: str) -> None:
        if said == right:
            self.tally.right[model] += 1
        else:
            self.tally.wrong.append(f"{model} said {said!r}, expected {right!r}")


def words_of(heard: Heard) -> str:
    """The text of a whole completion."""
    return str(json.loads(heard.body)["choices"][0]["text"])


def events_of(heard: Heard) -> tuple[str, bool, str | None]:
    """Text of a streamed completion, whether `[DONE]` came, and the error event if there is one."""
    said, ended, error = "", False, None
    for part in heard.body.split(b"\n\n"):
        data = part.removeprefix(b"data: ")
        if data == b"[DONE]":
            ended = True
        elif data:
            event = json.loads(data)
            if "error" in event:
                error = str(event["error"]["message"])
            elif event.get("choices"):
                said += event["choices"][0]["text"]
    return said, ended, error


def is_openai_error(body: bytes) -> bool:
    """Whether a body is OpenAI's error document."""
    try:
        return isinstance(json.loads(body)["error"]["message"], str)
    except (ValueError, KeyError, TypeError):
        return False


def _request(line: Line, model: str, text: str, *, stream: bool) -> bytes:
    body: dict[str, object] = {
        "model": model,
        "prompt": text,
        "max_tokens": WORDS,
        "temperature": 0,
        "stream": stream,
    }
    return line.request(COMPLETIONS, body)


def _close(line: Line | None) -> None:
    if line is not None:
        line.close()
