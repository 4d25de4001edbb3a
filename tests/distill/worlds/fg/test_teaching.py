"""What pretraining sees of functions: nothing held out, every word one token, right answers.

The texts are read back here by a reader of their own, so that a leak cannot hide in the writer.
"""

import functools
import random
import re

import pytest
from skillweave.distill.worlds.fg import (
    WORLD,
    FunctionsSpec,
    held_out_compositions,
    is_name_held_out,
    worked_answer,
)
from skillweave.distill.worlds.fg.spec import NAMES
from skillweave.distill.worlds.fg.teaching import (
    DEPTH_SHARES,
    SOURCES,
    author,
    follower,
    open_spec,
    solver,
    telling_lists,
)
from skillweave.distill.worlds.string_skills import Operation
from skillweave.distill.worlds.string_skills.primitives import (
    ALPHABET,
    PRIMITIVES,
    parameter_values,
    phrase,
)
from transformers import PreTrainedTokenizerBase

from ..words import num_tokens, unknown_words

Definitions = dict[str, Operation]
NAME = "|".join(NAMES)
DEFINITION = re.compile(
    rf"\b({NAME})(?: \( x \))?(?: means| be)?(?:[:,=]| =| \|) (.+?)(?: \||\.)?$"
)


@functools.cache
def said() -> dict[str, Operation]:
    """Every way in which an operation may be said."""
    return {
        phrase(kind, params, wording, digits=digits): Operation(kind, params)
        for kind, row in PRIMITIVES.items()
        for params in parameter_values(kind)
        for wording in range(12 if row.params == "order" else len(row.wordings))
        for digits in (False, True)
    }


def definitions(text: str) -> Definitions:
    found = (DEFINITION.search(line) for line in text.splitlines())
    return {match[1]: said()[match[2]] for match in found if match}


def call(request: str, names: list[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The chain and the list of a call, whatever its notation."""
    words = re.findall(r"[a-z]+|\S", request)
    chain = tuple(word for word in words if word in names)
    first = min(i for i, word in enumerate(words) if word in ALPHABET)
    items = tuple(word for word in words[first:] if word in ALPHABET)
    return (chain if " after " in request else chain[::-1]), items


def check(table: Definitions, request: str, answer: str) -> int:
    """The answer follows from the definitions and nothing is held out; returns the depth."""
    chain, items = call(request, list(table))
    states = []
    state = items
    for name in chain:
        state = table[name](state)
        states.append(state)
    assert worked_answer(chain, [table[name] for name in chain], states) == answer
    assert held_out_compositions([table[name] for name in chain]) == ()
    assert not any(is_name_held_out(name, op.kind) for name, op in table.items())
    return len(chain)


def test_five_hundred_followers_show_nothing_held_out_and_answer_rightly() -> None:
    depths = []
    for seed in range(500):
        teaching = follower(random.Random(seed))
        assert teaching.text is not None
        table = definitions(teaching.text)
        assert 2 <= len(table) <= 4, teaching.text
        assert set(re.findall(rf"\b(?:{NAME})\b", teaching.text)) == set(table)
        user, assistant = teaching.draw(random.Random(seed))
        depths.append(check(table, user["content"], assistant["content"]))
    assert set(depths) == {1, 2, 3}
    assert abs(depths.count(1) / 500 - DEPTH_SHARES[0]) < 0.1


def operations_in(request: str) -> tuple[list[Operation], tuple[str, ...]]:
    """The operations of a solver's request in order of application, and its list."""
    if " ( " in request:
        *names, items = request.removeprefix("find ").rstrip(" )").split(" ( ")
        rows = [name.split() for name in names[::-1]]
        return [Operation(row[0], tuple(row[1:])) for row in rows], tuple(items.split())
    words, _, items = request.partition(": ")
    parts = words.removeprefix("first ").split(", then ")
    return [said()[part] for part in parts], tuple(items.split())


def test_five_hundred_solvers_show_no_composition_that_is_held_out() -> None:
    teaching = solver(random.Random(0))
    assert teaching.text is None
    depths = set()
    for seed in range(500):
        request, answer = (turn["content"] for turn in teaching.draw(random.Random(seed)))
        operations, items = operations_in(request)
        assert held_out_compositions(operations) == ()
        lines = []
        for index, operation in enumerate(operations, 1):
            items = operation(items)
            lines.append(f"{index}: {' '.join(items)}")
        assert answer.splitlines() == [*lines, f"final: {' '.join(items)}"]
        depths.add(len(operations))
    assert depths == {1, 2, 3}


def test_authors_define_the_functions_that_three_solved_calls_tell() -> None:
    teaching = author(random.Random(0))
    for seed in range(60):
        request, body = (turn["content"] for turn in teaching.draw(random.Random(seed)))
        table = definitions(body)
        assert len(table) == len(body.splitlines())
        for example in request.split("\n\n")[:3]:
            _, asked, answer = example.split("\n", 2)
            check(table, asked, answer.removeprefix("answer\n"))


def test_functions_that_lists_cannot_tell_apart_are_not_taught() -> None:
    keep = (("blim", Operation("keep-first", ("2",))), ("dax", Operation("keep-last", ("2",))))
    spec = FunctionsSpec(keep, 2)
    assert telling_lists(spec, ("blim", "dax"), random.Random(0)) is None
    assert telling_lists(FunctionsSpec(keep, 1), ("blim",), random.Random(0)) is not None


def test_a_teaching_is_a_function_of_its_generators() -> None:
    assert open_spec(random.Random(1)) == open_spec(random.Random(1))
    for source in SOURCES.values():
        one, two = source(random.Random(4)), source(random.Random(4))
        assert one.text == two.text
        assert one.draw(random.Random(1)) == two.draw(random.Random(1))
        assert len({str(one.draw(random.Random(seed))) for seed in range(20)}) > 15


@pytest.mark.parametrize("name", list(SOURCES))
def test_every_word_of_a_teaching_is_one_token_and_texts_are_short(
    name: str, tokenizer: PreTrainedTokenizerBase
) -> None:
    most = {"system": 130, "user": 300 if name == "author" else 40, "assistant": 60}
    for seed in range(40 if name == "author" else 100):
        teaching = SOURCES[name](random.Random(seed))
        rows = [("system", teaching.text or "")]
        rows += [(t["role"], t["content"]) for t in teaching.draw(random.Random(seed))]
        for role, text in rows:
            assert unknown_words([text], tokenizer) == set(), text
            assert num_tokens(text, tokenizer) <= most[role], text


def test_every_word_of_a_skill_and_its_tasks_is_one_token(
    tokenizer: PreTrainedTokenizerBase,
) -> None:
    for seed in range(30):
        skill = WORLD.skill(1 + seed % 5, seed=seed)
        texts = [skill.body, skill.description]
        assert num_tokens(skill.body, tokenizer) <= 130
        for task in WORLD.tasks(skill, "test", 6, seed=seed):
            assert num_tokens(task.request, tokenizer) <= 40, task.request
            assert num_tokens(task.worked, tokenizer) <= 80, task.worked
            texts += [task.request, task.worked]
        assert unknown_words(texts, tokenizer) == set()
