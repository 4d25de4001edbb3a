"""Functions as values: what a call gives by hand, and checkers that are refused."""

import json

import pytest
from skillweave.distill.worlds.fg import FunctionsSpec, chains, held_out_compositions, is_held_out
from skillweave.distill.worlds.fg.held_out import is_name_held_out, kinds_for
from skillweave.distill.worlds.fg.spec import NAMES
from skillweave.distill.worlds.string_skills import Operation, SkillSpec, held_out_parts
from skillweave.distill.worlds.string_skills.primitives import ALPHABET, PRIMITIVES

REVERSE, APPEND = Operation("reverse"), Operation("append", ("k",))
SPEC = FunctionsSpec((("blim", REVERSE), ("dax", APPEND)), 2)


def test_a_chain_is_applied_from_the_inside() -> None:
    items = ("b", "c", "d")
    assert SPEC.operations(("dax", "blim")) == (APPEND, REVERSE)
    assert SPEC.states(("dax", "blim"), items) == (("b", "c", "d", "k"), ("k", "d", "c", "b"))
    assert SPEC.states(("blim", "dax"), items) == (("d", "c", "b"), ("d", "c", "b", "k"))
    with pytest.raises(KeyError):
        SPEC.operations(("wug",))


def test_chains_have_the_depth_and_no_function_twice_running() -> None:
    assert chains(SPEC) == (("blim", "dax"), ("dax", "blim"))
    deep = FunctionsSpec(SPEC.functions, 5)
    assert chains(deep) == (
        ("blim", "dax", "blim", "dax", "blim"),
        ("dax", "blim", "dax", "blim", "dax"),
    )
    three = (*SPEC.functions, ("wug", Operation("sort", ("up",))))
    assert len(chains(FunctionsSpec(three, 3))) == 3 * 2 * 2
    assert chains(FunctionsSpec(three, 1, ("wug",))) == (("wug",),)
    assert {*chains(FunctionsSpec(three, 2, ("wug", "dax")))} == {("wug", "dax"), ("dax", "wug")}


def test_seen_and_held_out_compositions_share_out_all_calls_by_the_rule_of_the_string_world() -> (
    None
):
    kinds = ("reverse", "swap-ends", "swap-pairs", "mirror", "double", "repeat")
    functions = tuple((name, Operation(k)) for name, k in zip(NAMES, kinds, strict=False))
    every = chains(FunctionsSpec(functions, 3))
    seen = chains(FunctionsSpec(functions, 3, (), "seen"))
    held = chains(FunctionsSpec(functions, 3, (), "held-out"))
    assert set(seen) | set(held) == set(every)
    assert not set(seen) & set(held)
    assert len(seen) > 20 < len(held)
    spec = FunctionsSpec(functions, 3)
    for chain in held:
        same = SkillSpec(spec.operations(chain), "plain", "picnic")
        assert held_out_compositions(spec.operations(chain)) == held_out_parts(same) != ()
    assert held_out_compositions([REVERSE]) == ()


def test_names_are_held_out_for_about_a_seventh_of_the_kinds() -> None:
    pairs = [(name, kind) for name in NAMES for kind in PRIMITIVES]
    held = [pair for pair in pairs if is_name_held_out(*pair)]
    assert 0.10 < len(held) / len(pairs) < 0.20
    for name in NAMES:
        both = (*kinds_for(name, held_out=True), *kinds_for(name, held_out=False))
        assert sorted(both) == sorted(PRIMITIVES)
    name, kind = next(pair for pair in held if PRIMITIVES[pair[1]].params == "none")
    assert is_held_out(FunctionsSpec(((name, Operation(kind)),), 1))


def test_no_name_is_a_symbol() -> None:
    assert len(set(NAMES)) == 19
    assert not set(NAMES) & set(ALPHABET)


def checker(**changes: object) -> str:
    rows = {
        "functions": [["blim", "reverse"], ["dax", "append", "k"]],
        "depth": 2,
        "ask": [],
        "compositions": "any",
    }
    return json.dumps(rows | changes)


def test_a_checker_is_read_back() -> None:
    assert FunctionsSpec.from_json(checker()) == SPEC
    assert FunctionsSpec.from_json(SPEC.to_json()) == SPEC
    deeper = FunctionsSpec(SPEC.functions, 3, ("blim", "dax"), "seen")
    assert FunctionsSpec.from_json(deeper.to_json()) == deeper
    assert deeper.definitions_digest == SPEC.definitions_digest


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "Expecting value"),
        ("[]", "does not define functions"),
        ("{}", "does not define functions"),
        (checker(functions=[]), r"1 to 8 functions, each named once, got \[\]"),
        (checker(functions=[["blim", "reverse"]] * 2), "each named once"),
        (checker(functions=[["exec", "reverse"], ["dax", "sort", "up"]]), "expected names among"),
        (checker(functions=[["blim", "exec"], ["dax", "reverse"]]), "operation 'exec' is unknown"),
        (checker(functions=[["blim", "append", "rm"]]), "got parameters"),
        (checker(ask=["wug"]), r"asked for \('wug',\), expected some of \['blim', 'dax'\]"),
        (checker(depth=0), "depth 0, expected 1 to 5"),
        (checker(depth=6), "depth 6, expected 1 to 5"),
        (checker(depth="2"), "does not define functions"),
        (checker(depth=2.5), "does not define functions"),
        (checker(ask=["dax"]), r"depth 2 needs two functions, got \('dax',\)"),
        (checker(compositions="all"), "compositions 'all', expected any, seen or held-out"),
    ],
)
def test_a_checker_that_defines_nothing_is_refused(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        FunctionsSpec.from_json(text)
