"""Reading expressions: the same language as `re`, and a bound on what backtracking may cost."""

import itertools
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from peft.utils.other import get_pattern_key
from skillweave.adapters.peft_folder.pattern_syntax import Unreadable
from skillweave.adapters.peft_folder.pattern_table import PatternTable
from skillweave.adapters.peft_folder.patterns import Program, read_pattern, worst_steps

ATOMS = ("a", "b", ".", r"\.", "[ab]", "[^a]", r"\d", r"\w", "^", "$", r"\b", "(a|b)", "(?:ab|a)")
REPEATS = ("", "", "", "*", "+", "?", "{1,2}", "*?", "{2}", "{1,}", "|")
expressions = st.lists(
    st.tuples(st.sampled_from(ATOMS), st.sampled_from(REPEATS)), min_size=1, max_size=5
).map(lambda parts: "".join(a + r for a, r in parts))
texts = st.text("ab.0", max_size=6)


def matches(program: Program, text: str) -> bool:
    """Run the steps as a set of places; counts nothing, forgets nothing."""
    steps, first = program.steps, program.first
    todo, seen = [(first, 0)], set[tuple[int, int]]()
    while todo:
        at, position = todo.pop()
        if (at, position) in seen:
            continue
        seen.add((at, position))
        step = steps[at]
        if step.kind == "done" and position == len(text):
            return True
        if step.kind == "take":
            if text[position : position + 1] in step.chars and position < len(text):
                todo.append((step.then[0], position + 1))
        elif step.kind != "at" or re.compile(anchor(step.sign)).match(text, position):
            todo += [(target, position) for target in step.then]
    return False


def anchor(sign: str) -> str:
    return {"^": r"\A", "$": r"\Z"}.get(sign, rf"\{sign}")


@given(expressions, texts)
def test_what_we_read_is_what_re_means(pattern: str, text: str) -> None:
    try:
        program = read_pattern(pattern)
    except Unreadable:
        return
    assert matches(program, text) == bool(re.fullmatch(pattern, text))


@given(expressions, texts)
def test_letters_that_are_taken_alike_cost_alike(pattern: str, text: str) -> None:
    try:
        program = read_pattern(pattern)
        steps = worst_steps(program, text, 1000)
    except Unreadable:
        return
    assert worst_steps(program, text.translate(program.letters), 1000) == steps


def test_all_layers_of_a_usual_pattern_are_one_shape() -> None:
    letters = read_pattern(r".*layers\.[0-9]+\.q_proj").letters
    assert "layers.7.q_proj".translate(letters) == "layers.3.q_proj".translate(letters)
    letters = read_pattern(r".*layers\.[0-6]\.q_proj").letters
    assert "layers.7.q_proj".translate(letters) != "layers.3.q_proj".translate(letters)


@pytest.mark.parametrize(
    ("pattern", "text", "steps"),
    [
        ("ab", "ab", 3),  # take a, take b, done
        ("ab", "b", 1),
        ("a|b", "a", 4),  # fork; take a, done; take b fails
        ("a*", "aa", 9),  # at 0, 1, 2: fork, take, done
        ("(?=a)a", "a", 5),  # fork; look: take, done; then take, done
    ],
)
def test_steps_counted_by_hand(pattern: str, text: str, steps: int) -> None:
    assert worst_steps(read_pattern(pattern), text, 1000) == steps


def test_two_ways_for_each_letter_double_the_tree() -> None:
    program = read_pattern("(a|a)*b")
    counts = [worst_steps(program, "a" * n, 10**9) for n in range(8)]
    assert all(1.9 < b / a < 4.5 for a, b in itertools.pairwise(counts))


def test_the_bound_is_found_without_walking_the_tree() -> None:
    program = read_pattern("(.|.)*" * 3 + "x")
    assert worst_steps(program, "m" * 250, 20_000) == 20_001
    assert worst_steps(read_pattern(r".*\.q_proj"), "model.layers.0.q_proj", 20_000) < 200


@pytest.mark.parametrize(
    "pattern",
    [
        "(a+)+", "(?i)a", "a{1000}", "(", ")", "(?P<x>a)", "a**", "(?>a)", r"\1", "[[a]", "a*+",
        "[z-a]", "[]", "[a", "{1}", "a{2,1}", "^*", "(?<=a)b", "(?#x)", "\\", r"\p",
        "(" * 30 + ")" * 30, "a" * 3000, "((a{60}){60}){60}",
    ],
)  # fmt: skip
def test_what_we_do_not_read_is_refused(pattern: str) -> None:
    with pytest.raises(Unreadable):
        read_pattern(pattern)


def test_a_repeat_of_nothing_is_refused_when_it_is_met() -> None:
    with pytest.raises(Unreadable, match="for ever"):
        worst_steps(read_pattern("(a?)*b"), "a", 100)


KEYS = (
    "q_proj", "self_attn.q_proj", r"self_attn\.q_proj", "^m.self_attn.q_proj", r"^m\.q_proj", "m",
    "m.q_proj", "m.xq_proj", "mxq_proj", ".*proj", "[qv]_proj", r"m\.(x|self_attn)\..*", "",
    "^", "x-y",
)  # fmt: skip
NAMES = (
    "m.self_attn.q_proj",
    "m.q_proj",
    "m.xq_proj",
    "mxq_proj",
    "q_proj",
    "m",
    "a.m.q_proj",
    "x-y",
)


@given(st.lists(st.sampled_from(KEYS), unique=True, max_size=6), st.sampled_from(NAMES))
def test_the_first_match_is_pefts(keys: list[str], name: str) -> None:
    found = PatternTable({key: n + 1 for n, key in enumerate(keys)}).find(name)
    key = get_pattern_key(keys, name)
    hit = re.match(rf"(.*\.)?({key})$", name) and key in keys
    assert found == (keys.index(key) + 1 if hit else None)
