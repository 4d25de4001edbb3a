"""The verbs that look: show, lineage, similar; on a store with a composition in it."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from skillweave.adapters.errors import AdapterRefused
from skillweave.adapters.peft_folder.deltas import read_peft
from skillweave.adapters.store.store import Store
from skillweave.scripts.cli import EXIT_FAILED, EXIT_USAGE, main
from skillweave.scripts.commands.json_out import print_json

from ..one_module import MODULE, make_adapter, make_base

Capture = pytest.CaptureFixture[str]
PNG, SVG = b"\x89PNG", b"<?xml"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with `a`, `b`, and `mix`, which is `a*0.7+b*-0.3`."""
    folder = tmp_path_factory.mktemp("made")
    root, base = folder / "store", make_base(folder / "base")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SKILLWEAVE_HOME", str(folder / "home"))
        for seed, name in enumerate("ab", 1):
            adapter = make_adapter(folder / name, seed=seed)
            words = ["add", str(adapter), "--name", name, "--base", str(base), "--licence", "MIT"]
            assert main([*words, "--store", str(root)]) == 0
        words = ["compose", "a*0.7+b*-0.3", "--name", "mix", "--store", str(root)]
        assert main(words) == 0
    return root


@pytest.fixture
def root(made: Path, tmp_path: Path, capsys: Capture) -> Path:
    """A copy of the store, for one test."""
    capsys.readouterr()
    return Path(shutil.copytree(made, tmp_path / "store"))


def told(root: Path, capsys: Capture, *words: str) -> Any:
    assert main([*words, "--store", str(root), "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def page(root: Path, capsys: Capture, *words: str) -> str:
    assert main([*words, "--store", str(root)]) == 0
    return " ".join(capsys.readouterr().out.split())


def test_show_for_programs_has_what_can_be_known_without_tensors(
    root: Path, capsys: Capture
) -> None:
    found = told(root, capsys, "show", "mix")
    assert (found["ref"], found["aliases"], found["rank"]) == ("mix@1", ["default"], 4)
    assert (found["modules"], found["parameters"]) == ([MODULE], 4 * (16 + 8))
    files = [file for file in Path(found["path"]).rglob("*") if file.is_file()]
    assert found["size_bytes"] == sum(file.stat().st_size for file in files)
    assert [(p["ref"], p["weight"]) for p in found["lineage"]["parents"]] == [
        ("a@1", 0.7),
        ("b@1", -0.3),
    ]
    assert {"card", "attestations", "version_digest", "weights_digest"} <= found.keys()
    assert "spectrum" not in found


def test_show_for_people_names_base_parents_and_evidence(root: Path, capsys: Capture) -> None:
    store = Store(root)
    store.attest(store.resolve("mix").version_digest, {"type": "probe", "means": {"text": 0.5}})
    shown = page(root, capsys, "show", "mix")
    for text in (
        "mix@1 composed @default",
        "rank 4, 1 module (q_proj), 96 parameters, F32",
        "compose, a@1*0.7+b@1*-0.3, by linear, nothing cut off",
        "-0.3 x b@1 (skill)",
        "probe means (text 0.5)",
        "as somebody says",
    ):
        assert text in shown
    assert "nothing was measured on it yet" in page(root, capsys, "show", "a")


def test_words_of_others_are_no_markup(root: Path, capsys: Capture) -> None:
    store = Store(root)
    version = store.resolve("a")
    card = version.card.model_copy(update={"description": "[/red] [bold]x[/bold]"})
    store.put(version.path, card=card, name="odd")
    store.attest(store.resolve("odd").version_digest, {"type": "[/x]"})
    shown = page(root, capsys, "show", "odd")
    assert "[/red] [bold]x[/bold]" in shown
    assert "[/x]" in shown


def test_the_spectrum_is_that_of_the_dense_update(root: Path, capsys: Capture) -> None:
    found = told(root, capsys, "show", "mix", "--spectrum")["spectrum"]
    dense = read_peft(Store(root).resolve("mix").path)[MODULE].dense_OI()
    values = torch.linalg.svdvals(dense)
    assert found["modules"][MODULE] == pytest.approx(values[:4].tolist(), rel=1e-5)
    assert found["norm"] == pytest.approx(float(dense.norm()), rel=1e-6)
    lost = float(values[2:].norm() / values.norm())
    assert found["error_at_rank"][2] == pytest.approx(lost, rel=1e-4)
    assert "Error when every module is cut to a rank" in page(
        root, capsys, "show", "mix", "--spectrum"
    )


def test_lineage_goes_both_ways(root: Path, capsys: Capture) -> None:
    up = told(root, capsys, "lineage", "mix")
    assert [node["ref"] for node in up["parents"]] == ["a@1", "b@1"]
    assert up["children"] == []
    assert main(["compose", "mix*2", "--name", "twice", "--store", str(root)]) == 0
    capsys.readouterr()
    down = told(root, capsys, "lineage", "a")
    (child,) = down["children"]
    assert [(node["ref"], node["weight"]) for node in child["children"]] == [("twice@1", 2.0)]
    assert "parents" not in child
    assert [(node["ref"], node["weight"]) for node in down["children"]] == [("mix@1", 0.7)]
    shown = page(root, capsys, "lineage", "a")
    assert "Made of it" in shown
    assert "+0.7 x mix@1" in shown


def test_a_missing_parent_is_shown(root: Path, capsys: Capture) -> None:
    store = Store(root)
    digest = store.resolve("b").version_digest
    store.remove("b", 1)
    assert f"b@1 (not in this store: {digest[:12]})" in page(root, capsys, "lineage", "mix")


def test_similar_shows_cosines_of_the_updates(root: Path, capsys: Capture) -> None:
    found = told(root, capsys, "similar")
    dense = {r: read_peft(Store(root).resolve(r).path)[MODULE].dense_OI() for r in found["refs"]}
    for i, one in enumerate(found["refs"]):
        for j, other in enumerate(found["refs"]):
            cosine = torch.cosine_similarity(dense[one].ravel(), dense[other].ravel(), dim=0)
            assert found["cosines"][i][j] == pytest.approx(float(cosine), abs=1e-5)
    nearest = told(root, capsys, "similar", "a")["nearest"]
    assert nearest[0]["ref"] == "mix@1"
    assert page(root, capsys, "similar", "a").startswith(f"{nearest[0]['cosine']:+.4f} mix@1")
    assert "mix@1" in page(root, capsys, "similar")


def test_similar_does_not_mix_bases(root: Path, tmp_path: Path, capsys: Capture) -> None:
    base = make_base(tmp_path / "other", into=4)
    adapter = make_adapter(tmp_path / "z", seed=9, into=4)
    main(["add", str(adapter), "--name", "z", "--base", str(base), "--store", str(root)])
    capsys.readouterr()
    assert main(["similar", "--store", str(root)]) == EXIT_USAGE
    assert "adapters of 2 bases" in capsys.readouterr().err
    assert {row["ref"] for row in told(root, capsys, "similar", "a")["nearest"]} == {"b@1", "mix@1"}


def test_an_empty_store_has_nothing_to_compare(tmp_path: Path, capsys: Capture) -> None:
    assert main(["similar", "--store", str(tmp_path / "none")]) == EXIT_FAILED
    assert "holds no adapters" in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.parametrize("verb", [["show", "mix"], ["lineage", "mix"], ["similar"]])
@pytest.mark.parametrize(("suffix", "magic"), [("png", PNG), ("svg", SVG)])
def test_plots_are_pictures_and_the_same_twice(
    root: Path, verb: list[str], suffix: str, magic: bytes
) -> None:
    pictures = []
    for name in ("one", "two"):
        file = root.parent / f"{name}.{suffix}"
        assert main([*verb, "--plot", str(file), "--store", str(root)]) == 0
        pictures.append(file.read_bytes())
    assert pictures[0].startswith(magic)
    assert pictures[0] == pictures[1]


@pytest.mark.parametrize("verb", [["show", "mix"], ["lineage", "mix"], ["similar"]])
@pytest.mark.parametrize(
    ("name", "code"),
    [("plot.jpg", EXIT_USAGE), ("nowhere/plot.png", EXIT_USAGE), ("there.png", EXIT_FAILED)],
)
def test_a_plot_that_cannot_be_drawn_is_refused_before_a_word(
    root: Path, capsys: Capture, verb: list[str], name: str, code: int
) -> None:
    (root.parent / "there.png").write_text("mine")
    assert main([*verb, "--plot", str(root.parent / name), "--store", str(root)]) == code
    told = capsys.readouterr()
    assert (told.out, "--plot" in told.err) == ("", True)
    assert (root.parent / "there.png").read_text() == "mine"


def test_figures_that_json_has_not_are_refused(capsys: Capture) -> None:
    with pytest.raises(AdapterRefused, match="NaN or infinite"):
        print_json({"error": float("nan")})
    assert capsys.readouterr().out == ""


def test_a_reference_that_means_nothing_is_used_wrongly(root: Path, capsys: Capture) -> None:
    for words in (["show", "a:text"], ["lineage", "a*2"], ["similar", "../a"]):
        assert main([*words, "--store", str(root)]) == EXIT_USAGE
        assert words[1] in capsys.readouterr().err
