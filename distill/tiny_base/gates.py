"""The gates of the tiny base: what it must do on skills that it never saw, by world and role.

As a follower, with the skill text in the system message: in the string world at least 0.85 for
one and for two steps and 0.75 for three, in any other world at least 0.80 at every level; without
the text at most 0.10 and 0.15. As a solver, where the request says everything: at least 0.80. As
an author, who sees three solved examples of a held-out skill: at least 0.50 of the bodies make
three of four further requests right.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from transformers import PreTrainedModel, PreTrainedTokenizerBase

from ..worlds.string_skills.tasks import NAME as STRINGS
from .author_cases import AUTHORS, NUM_REQUESTS, AuthorCase
from .gate_cases import string_solver_cases, told_cases
from .play import MAX_ACTION, MAX_ANSWER, Episode, greedy_answers, play_greedily

BARS = {
    f"{STRINGS}.text_1": 0.85,
    f"{STRINGS}.text_2": 0.85,
    f"{STRINGS}.text_3": 0.75,
    f"{STRINGS}.no_text": 0.10,
}
"""Bars of the first edition, which every later one keeps."""
TEXT_BAR = 0.80
NO_TEXT_BAR = 0.15
SOLVER_BAR = 0.80
AUTHOR_BAR = 0.50
USABLE = 3
"""Requests, of those an authored body is tried on, that make it usable."""


def bar(gate: str) -> float:
    """What a gate must reach, or for `no_text` must not pass."""
    if gate in BARS:
        return BARS[gate]
    kind = gate.rsplit(".", 1)[1]
    bars = {"no_text": NO_TEXT_BAR, "solver": SOLVER_BAR, "author": AUTHOR_BAR}
    return bars.get(kind, TEXT_BAR)


def meets(gate: str, value: float) -> bool:
    """Whether a value meets its bar."""
    return value <= bar(gate) if gate.endswith(".no_text") else value >= bar(gate)


def measure_gates(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    *,
    seed: int,
    num_items: int,
    max_answer: int = MAX_ANSWER,
) -> dict[str, float]:
    """Every gate's share of passed items: `world.text_LEVEL`, `.no_text`, `.solver`, `.author`.

    A world's items without the text are those of all its levels together.

    Args:
        max_answer: most tokens of an answer.
    """
    asked = _Asked(model, tokenizer, max_answer)
    out: dict[str, float] = {}
    bare: dict[str, list[bool]] = {}
    for gate, (cases, max_turns) in told_cases(num_items, seed=seed).items():
        out[gate] = _mean(asked.passed(cases, max_turns))
        untold = [Episode(None, case.task) for case in cases]
        world = gate.rsplit(".", 1)[0]
        bare.setdefault(world, []).extend(asked.passed(untold, max_turns))
    out |= {f"{world}.no_text": _mean(passed) for world, passed in bare.items()}
    out[f"{STRINGS}.solver"] = _mean(asked.passed(string_solver_cases(num_items, seed=seed)))
    for world, author in AUTHORS.items():
        usable = asked.usable(author.cases(num_items, seed=seed), author.max_turns)
        out[f"{world}.author"] = _mean(usable)
    return out


@dataclass(frozen=True)
class _Asked:
    """A local model and how it is asked."""

    model: PreTrainedModel
    tokenizer: PreTrainedTokenizerBase
    max_answer: int

    def passed(self, episodes: Sequence[Episode], max_turns: int = 1) -> list[bool]:
        verdicts = play_greedily(
            self.model,
            self.tokenizer,
            episodes,
            max_turns=max_turns,
            max_new_tokens=self.max_answer if max_turns == 1 else MAX_ACTION,
        )
        return [verdict.passed for verdict in verdicts]

    def usable(self, cases: Sequence[AuthorCase], max_turns: int) -> list[bool]:
        """Whether the follower, reading what the author wrote, is right often enough."""
        bodies = greedy_answers(
            self.model,
            self.tokenizer,
            [[{"role": "user", "content": case.request}] for case in cases],
            max_new_tokens=self.max_answer,
        )
        episodes = [
            Episode(body, task)
            for body, case in zip(bodies, cases, strict=True)
            for task in case.tasks
        ]
        passed = self.passed(episodes, max_turns)
        return [
            sum(passed[at : at + NUM_REQUESTS]) >= USABLE
            for at in range(0, len(passed), NUM_REQUESTS)
        ]


def _mean(passed: Sequence[bool]) -> float:
    return sum(passed) / len(passed)
