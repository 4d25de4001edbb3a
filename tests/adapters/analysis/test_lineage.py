"""Trees over cards: parents above, what was made below, and what is missing."""

from typing import Any

from skillweave.adapters.analysis.lineage import (
    MAX_NODES,
    Known,
    ancestors,
    by_digest,
    descendants,
    known,
)
from skillweave.adapters.card import Card, CardBase, Parent, RecipeRecord


def one(name: str, *parents: tuple[str, float]) -> Known:
    made = tuple(Parent(version_digest=p * 64, weight=w, ref=f"{p}@1") for p, w in parents)
    return Known(name * 64, f"{name}@1", "composed" if made else "skill", "", None, made)


STORE = by_digest([one("a"), one("b"), one("c", ("a", 0.5), ("b", -1)), one("d", ("c", 1))])


def test_ancestors_go_down_to_those_without_parents() -> None:
    tree = ancestors("d" * 64, STORE)
    assert (tree.ref, tree.weight) == ("d@1", None)
    (c,) = tree.relatives
    assert [(n.ref, n.weight) for n in c.relatives] == [("a@1", 0.5), ("b@1", -1)]
    assert all(n.relatives == () and not n.missing for n in c.relatives)


def test_descendants_are_what_names_it_as_a_parent() -> None:
    tree = descendants("a" * 64, STORE)
    (c,) = tree.relatives
    assert (c.ref, c.weight) == ("c@1", 0.5)
    assert [n.ref for n in c.relatives] == ["d@1"]


def test_a_tree_of_children_names_them_so_at_every_depth() -> None:
    down: Any = descendants("a" * 64, STORE).document("children")
    (c,) = down["children"]
    (d,) = c["children"]
    assert (c["ref"], d["ref"], d["children"]) == ("c@1", "d@1", [])
    assert not {"parents"} & (down.keys() | c.keys() | d.keys())
    up: Any = ancestors("d" * 64, STORE).document()
    (c,) = up["parents"]
    assert [node["ref"] for node in c["parents"]] == ["a@1", "b@1"]


def test_a_parent_that_is_gone_is_shown_as_missing() -> None:
    store = {d: v for d, v in STORE.items() if v.ref != "a@1"}
    (c,) = ancestors("d" * 64, store).relatives
    gone, there = c.relatives
    assert (gone.missing, gone.ref, gone.digest, gone.weight) == (True, "a@1", "a" * 64, 0.5)
    assert not there.missing


def test_a_history_without_end_is_cut_and_says_so() -> None:
    names = [f"{i:064x}" for i in range(40)]
    store = {
        name: Known(
            name, f"{i}", "composed", "", None, tuple([Parent(version_digest=names[i - 1])] * 2)
        )
        if i
        else Known(name, "0", "skill", "", None, ())
        for i, name in enumerate(names)
    }
    nodes = [ancestors(names[-1], store)]  # 2^39 paths
    seen = 0
    cut = False
    while nodes:
        node = nodes.pop()
        seen, cut = seen + 1, cut or node.cut
        nodes.extend(node.relatives)
    assert cut
    assert seen <= MAX_NODES + 2 * 40


def test_what_lineage_needs_comes_from_the_card() -> None:
    base = CardBase(
        family_digest="1" * 64,
        precision="fp32",
        tokenizer_digest="2" * 64,
        template_digest="3" * 64,
    )
    recipe = RecipeRecord(name="compose", config={"method": {"type": "ties"}, "error": 0.25})
    found = known("d" * 64, "x@1", Card(kind="composed", base=base, recipe=recipe))
    assert (found.method, found.error, found.kind) == ("ties", 0.25, "composed")
    trained = Card(kind="skill", base=base, recipe=RecipeRecord(name="s2l"))
    assert (known("d" * 64, "x@1", trained).method, known("d" * 64, "x@1", trained).error) == (
        "s2l",
        None,
    )
