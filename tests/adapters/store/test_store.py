"""The store in one process: versions, aliases, references, rows, evidence."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from peft import PeftModel
from skillweave.adapters.base.identity import BaseIdentity
from skillweave.adapters.card import Card
from skillweave.adapters.errors import (
    AdapterRefused,
    Conflict,
    InvalidName,
    ModelStringError,
    NotFound,
    StoreError,
)
from skillweave.adapters.store.store import Store
from skillweave.adapters.store.types import Version
from transformers import Qwen3ForCausalLM

Put = Callable[..., Version]


@pytest.fixture
def put(store: Store, adapter_dir: Path, card: Card) -> Put:
    """`put(seed=2)` adds a version; another seed in the card makes another version."""

    def add(name: str = "sql-report", *, seed: int = 1, **options: object) -> Version:
        change = options.pop("card", card)
        assert isinstance(change, Card)
        numbered = change.model_copy(update={"seed": seed})
        return store.put(adapter_dir, card=numbered, name=name, **options)  # type: ignore[arg-type]

    return add


def other_base(card: Card) -> Card:
    return card.model_copy(
        update={"base": card.base.model_copy(update={"family_digest": "f" * 64})}
    )


def test_a_new_store_is_empty_and_makes_nothing_by_being_read(store: Store) -> None:
    assert store.list() == []
    assert store.fsck() == []
    assert store.gc().removed == ()
    with pytest.raises(NotFound, match="the store is empty"):
        store.resolve("sql-report")
    assert not store.root.exists()


def test_the_first_version_is_the_default_and_later_ones_leave_it(store: Store, put: Put) -> None:
    first, second = put(seed=1), put(seed=2)
    assert (first.ref, second.ref) == ("sql-report@1", "sql-report@2")
    assert store.resolve("sql-report") == first
    assert store.resolve("sql-report@latest") == second
    assert store.resolve("sql-report@2") == second
    assert store.aliases("sql-report") == {"default": 1}
    assert store.versions("sql-report") == [first, second]
    assert store.list() == [first, second]


def test_a_version_is_a_folder_that_peft_loads(put: Put, base_dir: Path, store: Store) -> None:
    version = put()
    assert version.path == store.root / "objects" / version.version_digest
    PeftModel.from_pretrained(Qwen3ForCausalLM.from_pretrained(base_dir), version.path)


def test_the_same_artifact_twice_is_one_version(store: Store, put: Put) -> None:
    assert put() == put()
    assert put("team/other").version_digest == put().version_digest
    assert [v.ref for v in store.list()] == ["sql-report@1", "team/other@1"]
    assert len(list((store.root / "objects").iterdir())) == 1


def test_the_skill_folder_is_kept_and_taken_over_from_an_artifact(
    store: Store, put: Put, skill_dir: Path, tmp_path: Path
) -> None:
    version = put(skill_dir=skill_dir)
    assert (version.path / "skill" / "SKILL.md").read_text() == (skill_dir / "SKILL.md").read_text()
    again = Store(tmp_path / "second").put(version.path, card=version.card, name="copy")
    assert again.version_digest == version.version_digest


def test_aliases_given_to_put_move(store: Store, put: Put) -> None:
    put(seed=1, aliases=("prod",))
    put(seed=2, aliases=("prod", "default"))
    assert store.aliases("sql-report") == {"default": 2, "prod": 2}


def test_versions_and_aliases_belong_to_a_base_family(store: Store, put: Put, card: Card) -> None:
    here, there = put(), put(card=other_base(card))
    assert (here.number, there.number) == (1, 1)
    with pytest.raises(NotFound, match="exists for 2 bases"):
        store.resolve("sql-report")
    assert store.resolve("sql-report", base=here.base) == here
    assert store.resolve("sql-report", base="f" * 8) == there
    assert store.list(base=there.base) == [there]
    store.tag("sql-report", "prod", 1, base=there.base)
    assert store.aliases("sql-report", base=here.base) == {"default": 1}
    with pytest.raises(NotFound, match="no version for base 00"):
        store.versions("sql-report", base="0" * 64)


def test_not_found_says_what_exists(store: Store, put: Put) -> None:
    put()
    put("team/sql-repart")
    for ref, reason in (
        ("sql-reprt", "did you mean sql-report"),
        ("zzz", "it holds sql-report, team/sql-repart"),
        ("sql-report@7", "versions: 1"),
        ("sql-report@prod", "aliases: default; versions: 1"),
    ):
        with pytest.raises(NotFound, match=reason):
            store.resolve(ref)
    with pytest.raises(ModelStringError, match="form or a weight"):
        store.resolve("sql-report:text")


def test_tag_moves_checks_and_remembers(store: Store, put: Put) -> None:
    for seed in (1, 2, 3):
        put(seed=seed)
    assert store.tag("sql-report", "prod", 1, expected=0).number == 1
    assert store.tag("sql-report", "prod", 2, expected=1).number == 2
    with pytest.raises(Conflict, match="is at 2, expected 1"):
        store.tag("sql-report", "prod", 3, expected=1)
    with pytest.raises(Conflict, match="is at 2, expected no version"):
        store.tag("sql-report", "prod", 3, expected=0)
    with pytest.raises(NotFound, match="no version 9"):
        store.tag("sql-report", "prod", 9)
    for alias in ("latest", "base", "auto", "1st", "Prod"):
        with pytest.raises(InvalidName):
            store.tag("sql-report", alias, 1)
    assert store.resolve("sql-report@prod").number == 2


def test_rollback_walks_back_and_skips_what_is_gone(store: Store, put: Put) -> None:
    for seed in (1, 2, 3, 4):
        put(seed=seed)
    for number in (2, 2, 3, 4):  # saying the same twice is one step
        store.tag("sql-report", "default", number)
    store.remove("sql-report", 3)
    assert store.rollback("sql-report").number == 2
    assert store.rollback("sql-report").number == 1
    with pytest.raises(Conflict, match="no earlier version"):
        store.rollback("sql-report")
    with pytest.raises(NotFound, match="no alias 'prod'"):
        store.rollback("sql-report", alias="prod")


def test_a_removed_number_is_never_given_again(store: Store, put: Put) -> None:
    put(seed=1)
    put(seed=2)
    with pytest.raises(Conflict, match="what default means"):
        store.remove("sql-report", 1)
    store.remove("sql-report", 2)
    with pytest.raises(NotFound, match="no version 2"):
        store.remove("sql-report", 2)
    assert put(seed=3).number == 3
    assert store.fsck() == []


def test_the_last_version_takes_its_aliases_along(store: Store, put: Put) -> None:
    put(seed=1, aliases=("prod",))
    store.remove("sql-report", 1)
    assert store.list() == []
    with pytest.raises(NotFound, match="no adapter"):
        store.resolve("sql-report")
    assert put(seed=2).number == 2
    assert store.aliases("sql-report") == {"default": 2}
    assert store.fsck() == []


@pytest.mark.parametrize("name", ["base", "auto", "latest/x", "A", "../up", "", "a/b/c"])
def test_clashing_and_reserved_names_are_refused(put: Put, store: Store, name: str) -> None:
    with pytest.raises(InvalidName):
        put(name)
    assert not store.root.exists()


def test_the_gate_stands_at_the_door(
    store: Store, put: Put, base: BaseIdentity, card: Card, tmp_path: Path
) -> None:
    with pytest.raises(AdapterRefused, match="wrong_base"):
        put(base=replace(base, family_digest="e" * 64))
    (tmp_path / "adapter_model.bin").write_bytes(b"")
    with pytest.raises(AdapterRefused, match="bad_weights_file"):
        store.put(tmp_path, card=card, name="x")
    assert store.list() == []


def test_a_base_once_met_is_checked_without_being_there(
    store: Store, put: Put, base: BaseIdentity, card: Card, make_wide: Path
) -> None:
    put(base=base)
    assert store.known_base(base.family_digest) == base
    with pytest.raises(AdapterRefused, match="wrong_shape"):
        store.put(make_wide, card=card, name="wide")
    nf4 = card.model_copy(update={"base": card.base.model_copy(update={"precision": "nf4"})})
    assert put("quantised", card=nf4).card.base.precision == "nf4"


@pytest.fixture
def make_wide(adapter_dir: Path, tmp_path: Path) -> Path:
    from skillweave.adapters.delta import Delta
    from skillweave.adapters.peft_folder.deltas import read_peft, write_peft

    wide = {
        name: Delta(d.down_RI.repeat(1, 2), d.up_OR, d.scale)
        for name, d in read_peft(adapter_dir).items()
    }
    write_peft(wide, tmp_path / "wide")
    return tmp_path / "wide"


def test_evidence_is_appended_and_changes_no_digest(store: Store, put: Put) -> None:
    version = put()
    assert store.attestations(version.version_digest) == []
    evidence = [{"eval": "a", "score": 0.5}, {"eval": "b"}]
    assert [store.attest(version.version_digest, e) for e in evidence] == [1, 2]
    assert store.attestations(version.version_digest) == evidence
    assert store.resolve("sql-report") == version
    assert store.fsck() == []
    for digest in ("0" * 64, "../x"):
        with pytest.raises(NotFound):
            store.attest(digest, {})
    with pytest.raises(ValueError, match=r"JSON|nan"):
        store.attest(version.version_digest, {"score": float("nan")})


def test_verified_precisions_are_read_from_the_evidence(store: Store, put: Put) -> None:
    digest = put().version_digest
    store.attest(digest, {"type": "precision", "precision": "nf4", "verified": True, "max": 0.01})
    store.attest(digest, {"type": "precision", "precision": "fp8", "verified": False})
    store.attest(digest, {"type": "eval", "precision": "awq", "verified": True})
    assert store.verified_precisions(digest) == {"nf4"}


def test_rows_are_content_addressed(store: Store) -> None:
    rows = [{"messages": [{"role": "user", "content": "a\nb\u2028c"}], "n": 1}, {"n": 2}]
    digest = store.put_rows(iter(rows))
    assert store.put_rows([dict(reversed(row.items())) for row in rows]) == digest
    assert store.get_rows(digest) == rows
    assert store.get_rows(store.put_rows([])) == []
    assert store.put_rows(rows[:1]) != digest
    for unknown in ("0" * 64, "../../etc/passwd"):
        with pytest.raises(NotFound):
            store.get_rows(unknown)
    with pytest.raises(ValueError, match=r"JSON|nan"):
        store.put_rows([{"n": 1}, {"n": float("nan")}])
    assert len(list((store.root / "rows").iterdir())) == 3


def test_a_damaged_version_is_left_out_of_the_listing_and_named_when_asked_for(
    store: Store, put: Put, caplog: pytest.LogCaptureFixture
) -> None:
    put(seed=1)
    second = put(seed=2)
    entry = store.root / "names" / "sql-report" / second.base / "2.json"
    entry.write_text(json.dumps({"version_digest": "../../x"}))
    assert [v.number for v in store.list()] == [1]
    assert "sql-report@2 is left out" in caplog.text
    with pytest.raises(StoreError, match="run fsck"):
        store.resolve("sql-report@2")


def test_rows_that_were_damaged_are_whole_again_when_they_are_put_again(store: Store) -> None:
    digest = store.put_rows([{"n": 1}])
    (store.root / "rows" / f"{digest}.jsonl").write_bytes(b"")
    assert store.put_rows([{"n": 1}]) == digest
    assert store.get_rows(digest) == [{"n": 1}]
    assert store.fsck() == []
