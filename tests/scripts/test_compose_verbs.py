"""The verbs compose, export and import, on a store of two small adapters."""

import json
import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from skillweave.adapters.peft_folder.deltas import read_peft
from skillweave.adapters.store.store import Store
from skillweave.scripts.cli import EXIT_FAILED, EXIT_USAGE, main

from ..one_module import MODULE, make_adapter, make_base

Capture = pytest.CaptureFixture[str]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a base, and a store with the adapters `a` and `b` of rank 2 each."""
    folder = tmp_path_factory.mktemp("made")
    base = make_base(folder / "base")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SKILLWEAVE_HOME", str(folder / "home"))
        for seed, name in enumerate("ab", 1):
            adapter = make_adapter(folder / name, seed=seed)
            words = ["add", str(adapter), "--name", name, "--base", str(base), "--licence", "MIT"]
            assert main([*words, "--store", str(folder / "store")]) == 0
    return folder


@pytest.fixture
def base(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made / "base", tmp_path / "base"))


@pytest.fixture
def root(made: Path, tmp_path: Path, capsys: Capture) -> Path:
    """A copy of the store, for one test."""
    capsys.readouterr()
    return Path(shutil.copytree(made / "store", tmp_path / "store"))


def dense(store: Path, ref: str) -> torch.Tensor:
    return read_peft(Store(store).resolve(ref).path)[MODULE].dense_OI()


def test_compose_keeps_a_version_and_says_what_it_cost(root: Path, capsys: Capture) -> None:
    assert main(["compose", "a*0.7+b*-0.3", "--name", "mix", "--store", str(root)]) == 0
    told = capsys.readouterr().out
    assert told == "mix@1: a@1*0.7+b@1*-0.3 by linear, rank 4, nothing cut off\n"
    expected = 0.7 * dense(root, "a") - 0.3 * dense(root, "b")
    assert torch.allclose(dense(root, "mix"), expected, atol=1e-6)
    words = ["compose", "a*0.7+b*-0.3", "--name", "mix", "--rank", "3", "--store", str(root)]
    assert main(words) == 0
    assert "mix@2: a@1*0.7+b@1*-0.3 by linear, rank 3, relative error 0." in capsys.readouterr().out


def test_compose_as_json_names_parents_rank_and_error(root: Path, capsys: Capture) -> None:
    words = ["compose", "a+b", "--method", "ties", "--density", "0.5", "--rank", "2", "--json"]
    assert main([*words, "--out", str(root.parent / "out"), "--store", str(root)]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["rank"], told["method"], told["ref"], told["kind"]) == (
        2,
        "ties",
        None,
        "composed",
    )
    assert [(p["ref"], p["weight"]) for p in told["parents"]] == [("a@1", 1.0), ("b@1", 1.0)]
    assert 0 < told["error"] < 1
    card = json.loads((Path(told["path"]) / "card.json").read_bytes())
    assert card["recipe"]["config"]["method"] == {"type": "ties", "density": 0.5}
    assert told["licence"] == card["licence"] == "MIT"


def test_what_a_person_should_know_of_the_card_is_said(
    root: Path, base: Path, capsys: Capture
) -> None:
    adapter = make_adapter(root.parent / "c", seed=3)
    main(["add", str(adapter), "--name", "c", "--base", str(base), "--store", str(root)])
    assert main(["compose", "a+c", "--name", "mix", "--store", str(root)]) == 0
    assert "licence: unknown, because" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["a+b"], "--name NAME"),
        (["a+b", "--name", "x", "--out", "y"], "--name NAME"),
        (["a+b", "--name", "x", "--rank", "many"], "expected exact, auto, or a number"),
        (["a+b", "--name", "x", "--density", "0.5"], "--density means nothing to --method linear"),
        (["a+b", "--name", "x", "--method", "svd"], "there is no such method"),
        (["a+b:exact", "--name", "x", "--rank", "2"], "forbids cutting"),
        (["", "--name", "x"], "model has 0 characters"),
        (["auto", "--name", "x"], "holds no adapter"),
        (["a*nan", "--name", "x"], "weight 'nan' is no plain decimal"),
        (["a+b", "--name", "base"], "'base' is reserved"),
        (["a+b", "--name", "../x"], "namespace '..' is not a slug"),
        (["a+b", "--name", "x", "--method", "dare", "--seed", "9" * 40], "--seed: Input should be"),
    ],
)
def test_a_composition_that_makes_no_sense_is_used_wrongly(
    root: Path, capsys: Capture, words: list[str], complaint: str
) -> None:
    assert main(["compose", *words, "--store", str(root)]) == EXIT_USAGE
    assert complaint in capsys.readouterr().err


def test_export_merged_adds_the_update(root: Path, base: Path, capsys: Capture) -> None:
    out = root.parent / "merged"
    words = ["export", "a", "--merged", str(out), "--base", str(base), "--store", str(root)]
    assert main(words) == 0
    assert "base + a@1" in capsys.readouterr().out
    before = load_file(base / "model.safetensors")[f"{MODULE}.weight"]
    after = load_file(out / "model.safetensors")[f"{MODULE}.weight"]
    assert torch.allclose(after - before, dense(root, "a"), atol=1e-6)
    assert json.loads((out / "merged_from.json").read_text())["adapter"] == "a@1"
    assert main(words) == EXIT_FAILED
    assert "never overwrites" in capsys.readouterr().err


def test_export_merged_of_a_graft_changes_only_that_share(
    root: Path, base: Path, capsys: Capture
) -> None:
    out = root.parent / "merged"
    words = ["export", "a", "--merged", str(out), "--keep", "0.25", "--json"]
    assert main([*words, "--base", str(base), "--store", str(root)]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["ref"], told["modules"], told["rounding"]) == ("a@1", 1, 0.0)
    before = load_file(base / "model.safetensors")[f"{MODULE}.weight"]
    change = load_file(out / "model.safetensors")[f"{MODULE}.weight"] - before
    whole = dense(root, "a")
    assert int((change != 0).sum()) == 32  # a quarter of 16 x 8
    kept = change != 0
    assert torch.allclose(change[kept], whole[kept], atol=1e-6)
    assert whole[kept].abs().min() >= whole[~kept].abs().max()


def test_export_merged_into_another_base_is_refused(root: Path, capsys: Capture) -> None:
    other = make_base(root.parent / "other", into=4)
    words = ["export", "a", "--merged", str(root.parent / "merged"), "--base", str(other)]
    assert main([*words, "--store", str(root)]) == EXIT_FAILED
    assert "[wrong_base]" in capsys.readouterr().err


def test_a_quantised_base_is_refused_before_its_digest_is_asked(
    root: Path, base: Path, capsys: Capture
) -> None:
    config = json.loads((base / "config.json").read_text())
    packed = {**config, "quantization_config": {"quant_method": "awq"}}
    (base / "config.json").write_text(json.dumps(packed))
    words = ["export", "a", "--merged", str(root.parent / "merged"), "--base", str(base)]
    assert main([*words, "--store", str(root)]) == EXIT_FAILED
    assert "[quantised_base]" in capsys.readouterr().err


def test_what_is_not_there_is_named_with_what_to_give(root: Path, capsys: Capture) -> None:
    words = ["export", "a", "--merged", str(root.parent / "m"), "--base", "tiny-name"]
    assert main([*words, "--store", str(root)]) == EXIT_USAGE
    told = capsys.readouterr().err
    assert "--base tiny-name: there is no such folder: give the folder of the base" in told
    assert main(["import", "/nonexistent", "--store", str(root)]) == EXIT_USAGE
    assert "/nonexistent: there is no such file: give a bundle" in capsys.readouterr().err


def test_a_merged_model_that_overflows_is_no_success(
    root: Path, base: Path, capsys: Capture
) -> None:
    weights = load_file(base / "model.safetensors")
    weights[f"{MODULE}.weight"] = torch.full_like(weights[f"{MODULE}.weight"], 3.4e38)
    save_file(weights, base / "model.safetensors", metadata={"format": "pt"})
    adapter = make_adapter(root.parent / "big", seed=3)
    factors = load_file(adapter / "adapter_model.safetensors")
    large = {name: value * 1e19 for name, value in factors.items()}
    save_file(large, adapter / "adapter_model.safetensors", metadata={"format": "pt"})
    words = ["--base", str(base), "--store", str(root)]
    assert main(["add", str(adapter), "--name", "big", *words]) == 0
    out = root.parent / "models" / "merged"
    assert main(["export", "big", "--merged", str(out), *words]) == EXIT_FAILED
    assert f"[overflow] {MODULE}.weight in F32 would hold NaN" in capsys.readouterr().err
    assert list(out.parent.iterdir()) == []


def test_a_composition_that_was_refused_is_not_there(root: Path, capsys: Capture) -> None:
    assert main(["compose", "a", "--out", "/proc/mix", "--store", str(root)]) == EXIT_FAILED
    assert "writing /proc/mix failed" in capsys.readouterr().err
    (root.parent / "link").symlink_to(root.parent / "nowhere")
    words = ["compose", "a", "--out", str(root.parent / "link"), "--store", str(root)]
    assert main(words) == EXIT_FAILED
    assert "never overwrites" in capsys.readouterr().err


def test_export_needs_one_destination(root: Path, capsys: Capture) -> None:
    assert main(["export", "a", "--store", str(root)]) == EXIT_USAGE
    assert "--merged DIR" in capsys.readouterr().err
    words = ["export", "a", "--bundle", "x", "--keep", "0.5", "--store", str(root)]
    assert main(words) == EXIT_USAGE
    assert "--keep goes with --merged" in capsys.readouterr().err


def test_a_bundle_carries_a_version_to_another_store(
    root: Path, base: Path, capsys: Capture
) -> None:
    assert main(["compose", "a+b*-1", "--name", "mix", "--store", str(root)]) == 0
    file, other = root.parent / "mix.bundle", root.parent / "other-store"
    assert main(["export", "mix", "--bundle", str(file), "--store", str(root)]) == 0
    assert "mix@1" in capsys.readouterr().out.splitlines()[-1]
    words = ["import", str(file), "--base", str(base), "--json", "--store", str(other)]
    assert main(words) == 0
    (row,) = json.loads(capsys.readouterr().out)
    assert row["version_digest"] == Store(root).resolve("mix").version_digest
    assert torch.equal(dense(other, row["ref"]), dense(root, "mix"))


@pytest.mark.parametrize("trusted", [False, True])
def test_evidence_in_a_bundle_is_believed_only_where_the_user_says_so(
    root: Path, base: Path, trusted: bool
) -> None:
    measured = {"type": "precision", "precision": "nf4", "verified": True}
    digest = Store(root).resolve("a").version_digest
    Store(root).attest(digest, measured)
    file, other = root.parent / "a.bundle", root.parent / "other-store"
    assert main(["export", "a", "--bundle", str(file), "--store", str(root)]) == 0
    words = ["import", str(file), "--base", str(base), "--store", str(other)]
    assert main([*words, *(["--trust-evidence"] if trusted else [])]) == 0
    assert Store(other).verified_precisions(digest) == ({"nf4"} if trusted else set())
    assert Store(other).attestations(digest) != []


def test_of_a_name_on_two_bases_the_one_on_the_base_at_hand_is_exported(
    root: Path, base: Path, capsys: Capture
) -> None:
    other = make_base(root.parent / "other", into=4)
    adapter = make_adapter(root.parent / "a-other", seed=5, into=4)
    words = ["--base", str(other), "--store", str(root)]
    assert main(["add", str(adapter), "--name", "a", *words]) == 0
    out = root.parent / "merged"
    assert main(["export", "a", "--merged", str(out), "--store", str(root)]) == EXIT_FAILED
    assert main(["export", "a", "--merged", str(out), *words]) == 0
    before = load_file(other / "model.safetensors")[f"{MODULE}.weight"]
    after = load_file(out / "model.safetensors")[f"{MODULE}.weight"]
    assert torch.allclose(after - before, read_peft(adapter)[MODULE].dense_OI(), atol=1e-6)
    capsys.readouterr()
