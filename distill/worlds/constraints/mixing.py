"""Sets of constraints by category, asked for in plain words: what a study of mixing draws. Pure.

Owns the table of categories, the share of random lists that satisfy a set, and draws of sets and
of requests that state a set themselves. A set that is judged obeys the rules of a skill and is
one that chance seldom satisfies; a practice set is bound by neither, so that every kind can also
be shown alone. To add a category: a row in `CATEGORIES`; every predicate stands in exactly one.
"""

import random
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Literal

from ..string_skills.answers import FINAL, final_text
from ..string_skills.topics import TOPICS
from ..types import Split
from .answers import worked_answer
from .draw import answerable, letters_for, solved_letters
from .predicates import parameter_values
from .solve import LENGTHS
from .spec import Constraint, ConstraintSpec
from .split import is_held_out
from .tasks import ConstraintTask
from .texts import plain_request

Category = Literal["positional", "counting", "order", "repetition", "inclusion"]

CATEGORIES: Mapping[Category, tuple[str, ...]] = {
    "positional": ("starts", "ends", "place"),
    "counting": ("count", "parity"),
    "order": ("sorted", "before", "follows"),
    "repetition": ("unique", "twice"),
    "inclusion": ("contains", "avoids"),
}
"""Category -> its predicates; `inclusion` asks which letters may and must be there."""

MOST_CHANCE = 0.2
"""Largest share of random lists that may satisfy a set that is judged."""

_CHANCE_DRAWS = 200
_MAX_SETS = 2000

Key = frozenset[Constraint]
"""A set of constraints without its order and its topic."""


def kinds_of(categories: Collection[Category]) -> tuple[str, ...]:
    """The predicates of some categories, in the order of the table."""
    return tuple(kind for name, kinds in CATEGORIES.items() if name in categories for kind in kinds)


def categories_of(spec: ConstraintSpec) -> tuple[Category, ...]:
    """The categories that a set draws on, in the order of the table, once each."""
    kinds = {row.kind for row in spec.constraints}
    return tuple(name for name, members in CATEGORIES.items() if kinds & {*members})


def key_of(spec: ConstraintSpec) -> Key:
    """What two wordings of one set have in common."""
    return frozenset(spec.constraints)


def chance(spec: ConstraintSpec, *, num_draws: int = _CHANCE_DRAWS) -> float:
    """Share of random lists that satisfy a set; the same set gives the same share.

    A random list has one of the lengths of an answer and takes every letter, whatever stands
    before it, from the eight that a request for this set offers.
    """
    rng = random.Random(f"chance:{spec.to_json()}")
    passed = 0
    for _ in range(num_draws):
        letters = letters_for(spec, rng)
        passed += not spec.broken(tuple(rng.choices(letters, k=rng.choice(LENGTHS))))
    return passed / num_draws


def judged_set(
    rng: random.Random,
    num_constraints: int,
    *,
    kinds: Sequence[str],
    need: Collection[str] = (),
    taken: Collection[Key] = (),
) -> ConstraintSpec:
    """Draw a set to be judged: a held-out one that chance seldom satisfies.

    Args:
        kinds: predicates that it may have.
        need: predicates of which it must have one; none where this is empty.
        taken: sets that it must not be.

    Raises:
        ValueError: no draw of many is such a set.
    """
    for _ in range(_MAX_SETS):
        spec = _drawn(rng, num_constraints, kinds=kinds, practice=False)
        if spec is None or not is_held_out(spec) or key_of(spec) in taken:
            continue
        wanted = not need or any(row.kind in need for row in spec.constraints)
        if wanted and chance(spec) <= MOST_CHANCE and answerable(spec, rng):
            return spec
    raise ValueError(
        f"no set of {num_constraints} constraints was found among {', '.join(kinds)}; ask for "
        "fewer constraints or more kinds"
    )


def practice_set(
    rng: random.Random, num_constraints: int, *, kinds: Sequence[str], taken: Collection[Key] = ()
) -> ConstraintSpec:
    """Draw a set to be tuned on, whatever chance makes of it and wherever a base has seen it.

    Raises:
        ValueError: as `judged_set`.
    """
    for _ in range(_MAX_SETS):
        spec = _drawn(rng, num_constraints, kinds=kinds, practice=True)
        if spec is not None and key_of(spec) not in taken and answerable(spec, rng):
            return spec
    raise ValueError(
        f"no practice set of {num_constraints} constraints was found among {', '.join(kinds)}; "
        "ask for fewer constraints or more kinds"
    )


def plain_task(
    spec: ConstraintSpec, rng: random.Random, *, family: str, split: Split
) -> ConstraintTask:
    """A request that states the set itself, with the expert's answer."""
    letters, answer = solved_letters(spec, rng)
    request = plain_request(spec, letters, rng)
    worked = worked_answer(spec, answer)
    return ConstraintTask(family, split, request, spec, letters, "seen", worked)


def judged_tasks(
    rng: random.Random,
    num_constraints: int,
    *,
    name: str,
    num_sets: int,
    items_a_set: int,
    kinds: Sequence[str],
    need: Collection[str] = (),
) -> list[ConstraintTask]:
    """Requests of distinct judged sets; every set is a family `NAME-NUMBER`.

    Raises:
        ValueError: as `judged_set`.
    """
    out: dict[str, ConstraintTask] = {}
    taken: set[Key] = set()
    for number in range(num_sets):
        spec = judged_set(rng, num_constraints, kinds=kinds, need=need, taken=taken)
        taken.add(key_of(spec))
        while len(out) < (number + 1) * items_a_set:
            task = plain_task(spec, rng, family=f"{name}-{number:03d}", split="test")
            out[task.id] = task
    return list(out.values())


def practice_tasks(
    rng: random.Random, largest: int, *, kinds: Sequence[str], taken: Collection[Key]
) -> Iterator[ConstraintTask]:
    """Requests to be tuned on, without end: each of a set of its own, of 1 to `largest` alike.

    Args:
        taken: sets that are judged.
    """
    while True:
        spec = practice_set(rng, rng.randint(1, largest), kinds=kinds, taken=taken)
        yield plain_task(spec, rng, family="practice", split="train")


def majority_answer(shown: Sequence[ConstraintTask]) -> tuple[int, ...]:
    """The most frequent answer of the experts, as places among the letters that are offered.

    Letters differ from request to request, so an answer of fixed letters would nearly always use
    one that is not offered: a weaker control than the same places.
    """
    answers = (final_text(task.worked) for task in shown)
    return Counter(
        tuple(task.letters.index(x) for x in answer.split())
        for task, answer in zip(shown, answers, strict=True)
        if isinstance(answer, str)
    ).most_common(1)[0][0]


def passes_with(places: Sequence[int], task: ConstraintTask) -> bool:
    """Whether the offered letters at these places are a right answer."""
    return task.verify(f"{FINAL} {' '.join(task.letters[place] for place in places)}").passed


def _drawn(
    rng: random.Random, num_constraints: int, *, kinds: Sequence[str], practice: bool
) -> ConstraintSpec | None:
    """One attempt; None where the constraints do not go together."""
    if num_constraints > len(kinds):
        raise ValueError(
            f"{num_constraints} constraints of {len(kinds)} kinds: expected at most one of each"
        )
    chosen = rng.sample(list(kinds), num_constraints)
    rows = tuple(Constraint(kind, rng.choice(parameter_values(kind))) for kind in chosen)
    try:
        return ConstraintSpec(rows, rng.choice(tuple(TOPICS)), practice=practice)
    except ValueError:
        return None
