"""Draws functions, calls and lists by the held-out rule, from a generator that is passed in."""

import itertools
import random

from ..string_skills.primitives import ALPHABET, PRIMITIVES, Symbols, parameter_values
from ..string_skills.spec import Operation
from .answers import answer_words
from .held_out import chains, kinds_for
from .spec import NAMES, Chain, Compositions, FunctionsSpec

MAX_SYMBOLS = 8
"""Longest list after any function."""
MAX_ANSWER_WORDS = 75
_TRIES_A_CHAIN = 12
MAX_TRIES = 400
"""Calls in a row for which no list is found before the functions are refused."""

NUM_FUNCTIONS = (2, 3, 4)


def draw_functions(
    rng: random.Random, num: int, *, held_out: bool
) -> tuple[tuple[str, Operation], ...]:
    """Functions of different kinds, at most one that grows a list and one that shrinks it."""
    while True:
        names = rng.sample(NAMES, num)
        choices = [kinds_for(name, held_out=held_out) for name in names]
        if not all(choices):
            continue
        kinds = [rng.choice(row) for row in choices]
        rows = [PRIMITIVES[kind] for kind in kinds]
        few = sum(row.grows for row in rows) <= 1 and sum(row.shrinks for row in rows) <= 1
        if few and len(set(kinds)) == num:
            return tuple(
                (name, Operation(kind, rng.choice(parameter_values(kind))))
                for name, kind in zip(names, kinds, strict=True)
            )


def draw_spec(rng: random.Random, depth: int, *, held_out: bool) -> FunctionsSpec:
    """Two to four functions with at least two calls of `depth` that some list suits.

    Held out: every name is held out for its operation, and from depth 2 on so is the composition
    of every call. Otherwise nothing is.

    Raises:
        ValueError: no such depth.
    """
    nested: Compositions = "held-out" if held_out else "seen"
    compositions: Compositions = nested if depth > 1 else "any"
    while True:
        functions = draw_functions(rng, rng.choice(NUM_FUNCTIONS), held_out=held_out)
        spec = FunctionsSpec(functions, depth, (), compositions)
        calls = chains(spec)
        suited = (chain for chain in calls if items_for(spec, chain, rng) is not None)
        if len(list(itertools.islice(suited, 2))) == 2:
            return spec


def draw_call(spec: FunctionsSpec, rng: random.Random) -> tuple[Chain, Symbols]:
    """A call with a list that suits it.

    Raises:
        ValueError: the functions have no such call, or hardly ever.
    """
    calls = chains(spec)
    for _ in range(MAX_TRIES if calls else 0):
        chain = rng.choice(calls)
        items = items_for(spec, chain, rng)
        if items is not None:
            return chain, items
    raise ValueError(
        f"{spec.to_json()} has no call on 3 to 5 symbols that leaves 1 to {MAX_SYMBOLS} of them "
        "after every function; ask for less depth or for other functions"
    )


def items_for(spec: FunctionsSpec, chain: Chain, rng: random.Random) -> Symbols | None:
    """A list of 3 to 5 symbols on which every function of the call counts; None where not found.

    All lists on the way stay short. A function that looks for a symbol usually finds it in the
    list that is given.
    """
    wanted = [
        op.params[0]
        for op in spec.operations(chain)
        if op.kind in ("replace", "remove", "insert-after")
    ]
    for _ in range(_TRIES_A_CHAIN):
        items = rng.sample(ALPHABET, rng.randint(3, 5))
        for symbol in wanted:
            if symbol not in items and rng.random() < 0.8:
                items[rng.randrange(len(items))] = symbol
        states = _short_states(spec, chain, tuple(items))
        if not states or answer_words(spec.operations(chain), states) > MAX_ANSWER_WORDS:
            continue
        if states[-1] not in part_results(spec, chain, tuple(items)):
            return tuple(items)
    return None


def part_results(spec: FunctionsSpec, chain: Chain, items: Symbols) -> set[Symbols]:
    """What the call gives without one or more of its functions, down to the list itself.

    A call whose result stands here could be answered by one who leaves functions out.
    """
    whole, parts = items, set[Symbols]()
    for operation in spec.operations(chain):
        parts |= {operation(part) for part in parts} | {whole}
        whole = operation(whole)
    return parts


def _short_states(spec: FunctionsSpec, chain: Chain, items: Symbols) -> tuple[Symbols, ...]:
    """The list after each function; nothing as soon as one is empty or too long."""
    out = []
    for operation in spec.operations(chain):
        items = operation(items)
        if not 1 <= len(items) <= MAX_SYMBOLS:
            return ()
        out.append(items)
    return tuple(out)
