"""The one file that touches reasoning-gym: which tasks are allowed, drawing and scoring them.

Owns the allow-list. It was read from the source of one version, so another is refused. A task may
be added after reading its scorer: it must never evaluate, parse as code or compute at length on
the answer. Left out although they look harmless: `coin_flip` (its `Fraction` computes a power of
ten as large as the answer says) and `number_sorting` (numbers off by one score 1.0); and the nine
whose scorers evaluate the answer: n_queens, string_insertion, spiral_matrix, binary_matrix,
countdown, puzzle24, simple_integration, intermediate_integration, polynomial_multiplication.
"""

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import metadata
from typing import Protocol

from ....adapters.errors import SkillError

VERSION = "0.1.25"
SOURCE = f"reasoning-gym {VERSION}"

ALLOWED = (
    "chain_sum", "basic_arithmetic", "gcd", "lcm", "count_bits", "base_conversion",
    "caesar_cipher", "spell_backward", "letter_counting", "word_sequence_reversal",
    "string_manipulation", "binary_alternation", "simple_equations", "leg_counting",
)  # fmt: skip

SPACING = 2_000_000
"""Items of one dataset. Item i is drawn from seed + i, so seeds lie at least so far apart."""

MAX_ANSWER = 1000
"""Characters; a longer answer is never handed to a scorer."""


class Dataset(Protocol):
    """What we use of a reasoning-gym dataset."""

    def __getitem__(self, index: int) -> Mapping[str, object]: ...
    def score_answer(self, answer: str, entry: Mapping[str, object]) -> float: ...


@dataclass(frozen=True)
class Entry:
    """One drawn question with its reference answer, and where it came from."""

    name: str
    level: int
    seed: int
    index: int
    question: str
    answer: str


def draw(name: str, level: int, seed: int, index: int) -> Entry:
    """Item `index` of the dataset of that seed; the level is the package's curriculum.

    Raises:
        SkillError: the package is not installed, or is of another version.
        ValueError: the task is not allowed.
    """
    row = _dataset(name, level, seed)[index]
    return Entry(name, level, seed, index, str(row["question"]), str(row["answer"]))


def raw_score(entry: Entry, answer: str) -> float:
    """What the package's own scorer says; 0.0 where the answer is too long or breaks it."""
    if len(answer) > MAX_ANSWER:
        return 0.0
    dataset = _dataset(entry.name, entry.level, entry.seed)
    try:
        return float(dataset.score_answer(answer, dataset[entry.index]))
    except (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError):
        return 0.0


@functools.lru_cache(maxsize=64)
def _dataset(name: str, level: int, seed: int) -> Dataset:
    if name not in ALLOWED:
        raise ValueError(f"task {name!r} is not allowed, expected one of {', '.join(ALLOWED)}")
    _check_version()
    from reasoning_gym.factory import CURRICULA, create_dataset

    curriculum = CURRICULA[name]()
    curriculum.set_global_level(level - 1)
    config = curriculum.generate_configuration({"seed": seed, "size": SPACING})
    made: Dataset = create_dataset(name, **vars(config))
    return made


@functools.cache
def _check_version() -> None:
    advice = "pip install 'skillweave[envs-text]'"
    try:
        seen = metadata.version("reasoning-gym")
    except metadata.PackageNotFoundError as err:
        raise SkillError(f"the world 'reasoning' needs {SOURCE}, not installed: {advice}") from err
    if seen != VERSION:
        raise SkillError(
            f"the world 'reasoning' found reasoning-gym {seen}, expected {VERSION}, whose scorers "
            f"were read: {advice}"
        )
