"""The verbs of the store on a store of two versions."""

import json
from pathlib import Path

import pytest
from skillweave.adapters.store.store import Store
from skillweave.scripts.cli import EXIT_FAILED, EXIT_USAGE, main

from ..one_module import make_adapter, make_base

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def base(tmp_path: Path) -> Path:
    return make_base(tmp_path / "base")


@pytest.fixture
def root(tmp_path: Path, base: Path, capsys: Capture) -> Path:
    """A store with `sql-report@1` and `@2`, made by the verb `add`."""
    root = tmp_path / "store"
    for seed in (1, 2):
        adapter = make_adapter(tmp_path / f"adapter-{seed}", seed=seed)
        words = ["add", str(adapter), "--name", "sql-report", "--base", str(base)]
        assert main([*words, "--licence", "MIT", "--store", str(root)]) == 0
    capsys.readouterr()
    return root


def run(root: Path, *words: str) -> int:
    return main([*words, "--store", str(root)])


def documents(root: Path, capsys: Capture, *words: str) -> object:
    assert run(root, *words, "--json") == 0
    return json.loads(capsys.readouterr().out)


def test_list_shows_every_version_with_its_aliases(root: Path, capsys: Capture) -> None:
    rows = documents(root, capsys, "list")
    assert isinstance(rows, list)
    assert [(row["adapter"], row["aliases"], row["licence"]) for row in rows] == [
        ("sql-report@1", "default", "MIT"),
        ("sql-report@2", "", "MIT"),
    ]
    assert run(root, "list") == 0
    assert "sql-report@2" in capsys.readouterr().out
    assert run(root.parent / "none", "list") == 0
    assert "holds no adapters" in " ".join(capsys.readouterr().out.split())


def test_list_goes_page_by_page(root: Path, capsys: Capture) -> None:
    first = documents(root, capsys, "list", "--limit", "1")
    assert isinstance(first, dict)
    assert [row["adapter"] for row in first["adapters"]] == ["sql-report@1"]
    second = documents(root, capsys, "list", "--limit", "1", "--after", first["next"])
    assert isinstance(second, dict)
    assert ([row["adapter"] for row in second["adapters"]], second["next"]) == (
        ["sql-report@2"],
        None,
    )
    assert run(root, "list", "--limit", "1") == 0
    assert f"more: --after {first['next']}" in capsys.readouterr().out
    assert run(root, "list", "--after", "sql-report") == EXIT_USAGE
    assert documents(root, capsys, "list", "--kind", "graft") == []


def test_search_finds_by_words(root: Path, capsys: Capture) -> None:
    hits = documents(root, capsys, "search", "rep", "default")
    assert isinstance(hits, list)
    assert [(hit["adapter"], hit["aliases"]) for hit in hits] == [("sql-report@1", "default")]
    assert run(root, "search", "nothing") == 0
    assert "holds every word" in " ".join(capsys.readouterr().out.split())


def test_gc_says_what_is_held_and_allowed(root: Path, capsys: Capture) -> None:
    held = Store(root).usage().bytes
    (root / "store.json").write_text(json.dumps({"schema": 2, "quotas": {"bytes": held + 5}}))
    assert run(root, "gc") == 0
    assert f"the store holds {held} bytes of {held + 5} allowed" in capsys.readouterr().out
    document = documents(root, capsys, "gc")
    assert isinstance(document, dict)
    assert (document["bytes"], document["allowed_bytes"]) == (held, held + 5)
    words = ["add", str(root.parent / "adapter-1"), "--name", "more", "--store", str(root)]
    assert main([*words, "--base", str(root.parent / "base")]) == EXIT_FAILED
    assert f"allowed are {held + 5}" in capsys.readouterr().err


def test_fsck_rebuilds_the_index_or_changes_nothing(root: Path, capsys: Capture) -> None:
    def lines() -> set[str]:
        return {str(path) for path in root.rglob("*")}

    run(root, "list")
    (root / "index.sqlite").unlink()
    before = lines()
    assert run(root, "fsck", "--read-only") == 0
    assert lines() == before
    assert run(root, "fsck", "--rebuild-index") == 0
    assert (root / "index.sqlite").exists()
    assert run(root, "fsck", "--rebuild-index", "--read-only") == EXIT_USAGE


def test_show_and_path_lead_to_the_version(root: Path, capsys: Capture) -> None:
    shown = documents(root, capsys, "show", "sql-report@2")
    assert isinstance(shown, dict)
    assert (shown["ref"], shown["card"]["skill_name"]) == ("sql-report@2", "sql-report")
    assert run(root, "path", "sql-report@latest") == 0
    folder = Path(capsys.readouterr().out.strip())
    assert str(folder) == shown["path"]
    assert (folder / "adapter_model.safetensors").is_file()


def test_tag_moves_an_alias_and_rollback_takes_it_back(root: Path, capsys: Capture) -> None:
    assert run(root, "tag", "sql-report@2", "default", "--expected", "1") == 0
    assert capsys.readouterr().out == "sql-report@default is sql-report@2\n"
    assert run(root, "tag", "sql-report@1", "default", "--expected", "1") == EXIT_FAILED
    assert Store(root).resolve("sql-report").number == 2
    assert run(root, "rollback", "sql-report") == 0
    assert Store(root).resolve("sql-report").number == 1


def test_rm_takes_a_version_out_and_gc_frees_its_files(root: Path, capsys: Capture) -> None:
    folder = Store(root).resolve("sql-report@2").path
    assert run(root, "rm", "sql-report") == EXIT_USAGE
    assert "sql-report@1" in capsys.readouterr().err
    assert run(root, "rm", "sql-report@2") == 0
    assert [version.number for version in Store(root).list()] == [1]
    assert run(root, "gc") == 0
    assert not folder.exists()
    assert run(root, "fsck") == 0


def test_fsck_finds_a_changed_file(root: Path, capsys: Capture) -> None:
    assert run(root, "fsck") == 0
    assert capsys.readouterr().out == "0 problem(s)\n"
    weights = Store(root).resolve("sql-report@1").path / "adapter_model.safetensors"
    raw = bytearray(weights.read_bytes())
    raw[-1] ^= 1
    weights.chmod(0o644)
    weights.write_bytes(raw)
    assert run(root, "fsck") == EXIT_FAILED
    assert "1 problem(s)" in capsys.readouterr().out


@pytest.mark.parametrize("verb", ["show", "path", "tag", "rollback", "rm"])
def test_an_unknown_name_is_one_line_that_says_what_there_is(
    root: Path, capsys: Capture, verb: str
) -> None:
    name = {"rollback": "sql-repot"}.get(verb, "sql-repot@1")
    words = [verb, name, "prod"] if verb == "tag" else [verb, name]
    assert run(root, *words) == EXIT_FAILED
    said = capsys.readouterr().err
    assert said.startswith(f"skillweave {verb}: ")
    assert "sql-repot" in said
