"""Open-loop traffic over many adapters: who asks for what and when, and what came of it.

Arrivals do not wait for answers, as users do not. Owns the plan of arrivals (by a seed, the same
for every side), asking, and the figures of a run. Refuses to know whom it asks.
"""

import asyncio
import json
import random
import statistics
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import aiohttp

PROMPT = "Reverse the words of this line and keep their order otherwise: number {number}"
NUM_PROMPTS = 4
PATH = "/v1/completions"
EMPTY = 0
"""Status of an answer without a word."""


@dataclass(frozen=True)
class Arrival:
    """One request: when (seconds after the start), for which adapter, with which prompt."""

    at_s: float
    adapter: int
    prompt: int


@dataclass(frozen=True)
class Answer:
    """What came of it; times in seconds since the request was sent."""

    arrival: Arrival
    status: int
    first_s: float
    total_s: float
    text: str


@dataclass(frozen=True)
class Run:
    """One run: every answer, and how long it took until the last."""

    answers: tuple[Answer, ...]
    wall_s: float

    @property
    def failed(self) -> int:
        """Answers that are none."""
        return sum(answer.status != 200 for answer in self.answers)

    @property
    def per_s(self) -> float:
        """Answers a second."""
        return (len(self.answers) - self.failed) / self.wall_s

    def ttft_s(self, q: float) -> float:
        """Quantile of the time to the first token, by the nearest rank."""
        ordered = sorted(a.first_s for a in self.answers if a.status == 200)
        return ordered[max(0, -(-round(q * 1000) * len(ordered) // 1000) - 1)]

    def document(self) -> dict[str, object]:
        """For a row."""
        return {
            "requests": len(self.answers),
            "failed": self.failed,
            "ttft_p50_s": self.ttft_s(0.5),
            "ttft_p95_s": self.ttft_s(0.95),
            "ttft_longest_s": self.ttft_s(1.0),
            "ttft_mean_s": statistics.fmean(a.first_s for a in self.answers),
            "requests_per_s": self.per_s,
            "wall_s": self.wall_s,
        }


def zipf(num: int, exponent: float = 1.0) -> list[float]:
    """Weights of `num` adapters, the most popular first."""
    return [1 / rank**exponent for rank in range(1, num + 1)]


def arrivals(*, per_s: float, seconds: float, adapters: int, seed: int) -> list[Arrival]:
    """Poisson arrivals; which adapter by Zipf, which prompt in turn."""
    chance, weights = random.Random(seed), zipf(adapters)
    found: list[Arrival] = []
    at_s = chance.expovariate(per_s)
    while at_s <= seconds:
        (adapter,) = chance.choices(range(adapters), weights)
        found.append(Arrival(at_s, adapter, len(found) % NUM_PROMPTS))
        at_s += chance.expovariate(per_s)
    return found


async def drive(
    url: str, names: Sequence[str], plan: Sequence[Arrival], *, key: str | None, tokens: int
) -> Run:
    """Ask everything at its time; nothing waits for anything else.

    Args:
        names: the model string of each adapter.
        tokens: length of every answer.
    """
    headers = _headers(key)
    connector = aiohttp.TCPConnector(limit=0)
    timeout = aiohttp.ClientTimeout(total=None)
    async with aiohttp.ClientSession(connector=connector, timeout=timeout) as session:
        began = time.perf_counter()
        work = []
        for arrival in plan:
            await asyncio.sleep(arrival.at_s - (time.perf_counter() - began))
            body = _body(names[arrival.adapter], arrival.prompt, tokens)
            work.append(asyncio.ensure_future(_ask(session, url + PATH, headers, body, arrival)))
        answers = await asyncio.gather(*work)
        return Run(tuple(answers), time.perf_counter() - began)


async def saturate(
    url: str,
    names: Sequence[str],
    *,
    clients: int,
    requests: int,
    tokens: int,
    seed: int,
    key: str | None = None,
) -> float:
    """Answers a second when `clients` ask one after another without a pause."""
    plan = iter(arrivals(per_s=1e6, seconds=requests / 1e6, adapters=len(names), seed=seed))
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector) as session:

        async def client() -> int:
            return sum([await _one(arrival) for arrival in plan])

        async def _one(arrival: Arrival) -> int:
            body = _body(names[arrival.adapter], arrival.prompt, tokens)
            answer = await _ask(session, url + PATH, _headers(key), body, arrival)
            return answer.status == 200

        began = time.perf_counter()
        done = await asyncio.gather(*(client() for _ in range(clients)))
        return sum(done) / (time.perf_counter() - began)


def texts(runs: Iterable[Run]) -> dict[tuple[int, int], set[str]]:
    """Which answers there were to the same prompt by the same adapter."""
    found: dict[tuple[int, int], set[str]] = {}
    for run in runs:
        for answer in run.answers:
            if answer.status == 200:
                asked = (answer.arrival.adapter, answer.arrival.prompt)
                found.setdefault(asked, set()).add(answer.text)
    return found


def _headers(key: str | None) -> dict[str, str]:
    return {"authorization": f"Bearer {key}"} if key else {}


def _body(model: str, prompt: int, tokens: int) -> dict[str, object]:
    return {
        "model": model,
        "prompt": PROMPT.format(number=prompt),
        "max_tokens": tokens,
        "temperature": 0,
        "ignore_eos": True,
        "stream": True,
    }


async def _ask(
    session: aiohttp.ClientSession,
    url: str,
    headers: Mapping[str, str],
    body: Mapping[str, object],
    arrival: Arrival,
) -> Answer:
    began = time.perf_counter()
    first_s: float | None = None
    parts: list[str] = []
    async with session.post(url, json=body, headers=headers) as reply:
        async for line in reply.content:
            if not line.startswith(b"data: {"):
                continue
            if first_s is None:
                first_s = time.perf_counter() - began
            if reply.status == 200:
                choices = json.loads(line[6:]).get("choices") or [{}]
                parts.append(choices[0].get("text", ""))
    total_s = time.perf_counter() - began
    status = reply.status if first_s is not None or reply.status != 200 else EMPTY
    return Answer(arrival, status, first_s or total_s, total_s, "".join(parts))
