"""The similarity map of a store, and where a lineage is looked up."""

from pathlib import Path

import pytest
import torch
from skillweave.adapters.analysis.facts import parents_of
from skillweave.adapters.analysis.stored import stored_map
from skillweave.adapters.card import Card, CardBase, Parent
from skillweave.adapters.delta import Delta
from skillweave.adapters.peft_folder.deltas import write_peft
from skillweave.adapters.store.store import Store

CARD = Card(
    kind="skill",
    base=CardBase(
        family_digest="1" * 64,
        precision="fp32",
        tokenizer_digest="2" * 64,
        template_digest="3" * 64,
    ),
)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """Five adapters of ranks 1 to 5; `e` has two versions."""
    store = Store(tmp_path / "store")
    for seed, name in enumerate(["a", "b", "c", "d", "e", "e"]):
        generator = torch.Generator().manual_seed(seed)
        rank = min(seed + 1, 5)
        down, up = (torch.randn(*s, generator=generator) for s in ((rank, 6), (7, rank)))
        write_peft({"layers.0.q_proj": Delta(down, up, 1.0)}, tmp_path / str(seed))
        store.put(tmp_path / str(seed), card=CARD, name=name)
    return store


@pytest.mark.parametrize("held_bytes", [0, 1500, 3000])
def test_a_map_in_groups_is_the_map_at_once(store: Store, held_bytes: int) -> None:
    whole = stored_map(store)
    assert set(whole.refs) == {"a@1", "b@1", "c@1", "d@1", "e@2"}
    parts = stored_map(store, held_bytes=held_bytes)
    assert parts.refs == whole.refs
    for ours, theirs in zip(parts.cosines, whole.cosines, strict=True):
        assert ours == pytest.approx(theirs, abs=1e-9)


def test_an_older_version_takes_part_where_it_is_asked_for(store: Store) -> None:
    assert "e@1" in stored_map(store, include=store.resolve("e@1")).refs


def test_a_parent_that_lives_under_another_name_is_found(store: Store, tmp_path: Path) -> None:
    parent = store.resolve("a")
    store.put(parent.path, card=parent.card, name="renamed")
    made = Parent(version_digest=parent.version_digest, ref="a@1")
    card = CARD.model_copy(update={"kind": "composed", "parents": (made,)})
    child = store.put(store.resolve("b").path, card=card, name="child")
    assert parents_of(store, child).relatives[0].ref == "a@1"
    store.remove("a", 1)
    (node,) = parents_of(store, child).relatives
    assert (node.ref, node.missing) == ("renamed@1", False)
    store.remove("renamed", 1)
    (node,) = parents_of(store, child).relatives
    assert (node.ref, node.missing) == ("a@1", True)
