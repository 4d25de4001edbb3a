"""The artifact: exactly its own files, byte for byte, and digests that follow from them."""

import json
import shutil
from pathlib import Path

import pytest
from peft import PeftModel
from safetensors.torch import load_file, save_file
from skillweave.adapters.artifact import (
    artifact_digests,
    left_behind,
    read_card,
    skill_dir_of,
    write_artifact,
)
from skillweave.adapters.base.identity import BaseIdentity
from skillweave.adapters.card import Card
from skillweave.adapters.digests import weights_digest
from skillweave.adapters.errors import AdapterRefused, StoreError
from skillweave.adapters.file_ops import DiskOps
from skillweave.adapters.peft_folder.deltas import read_peft
from skillweave.adapters.peft_folder.header import CONFIG_FILE, WEIGHTS_FILE
from transformers import Qwen3ForCausalLM


@pytest.fixture
def artifact(adapter_dir: Path, card: Card, skill_dir: Path, tmp_path: Path) -> Path:
    write_artifact(tmp_path / "artifact", adapter_dir, card=card, skill_dir=skill_dir)
    return tmp_path / "artifact"


def test_files_are_copied_byte_for_byte_and_nothing_else(
    artifact: Path, adapter_dir: Path, skill_dir: Path, card: Card
) -> None:
    for name in (CONFIG_FILE, WEIGHTS_FILE):
        assert (artifact / name).read_bytes() == (adapter_dir / name).read_bytes()
    for name in ("SKILL.md", "scripts/run.sh"):
        assert (artifact / "skill" / name).read_bytes() == (skill_dir / name).read_bytes()
    assert (artifact / "skill" / "scripts" / "run.sh").stat().st_mode & 0o777 == 0o555
    assert (artifact / "skill" / "SKILL.md").stat().st_mode & 0o777 == 0o444
    names = {p.relative_to(artifact).as_posix() for p in artifact.rglob("*") if p.is_file()}
    assert names == {
        CONFIG_FILE,
        WEIGHTS_FILE,
        "card.json",
        "skill/SKILL.md",
        "skill/scripts/run.sh",
    }
    assert read_card(artifact) == card
    assert skill_dir_of(artifact) == artifact / "skill"
    assert "README.md" in left_behind(adapter_dir)
    assert left_behind(artifact) == ()


def test_peft_loads_it_as_it_is(artifact: Path, base_dir: Path) -> None:
    model = PeftModel.from_pretrained(Qwen3ForCausalLM.from_pretrained(base_dir), artifact)
    assert "default" in model.peft_config


def test_each_part_moves_the_version_and_only_weights_move_the_weights(
    artifact: Path, adapter_dir: Path, card: Card, skill_dir: Path, tmp_path: Path
) -> None:
    first = artifact_digests(artifact)
    assert first.weights == weights_digest(read_peft(adapter_dir))
    assert artifact_digests(Path(shutil.copytree(artifact, tmp_path / "same"))) == first
    changes = {
        CONFIG_FILE: lambda old: old + b"\n",
        "card.json": lambda old: old.replace(b"SQL", b"CSV"),
        "skill/SKILL.md": lambda old: old + b"More.\n",
    }
    seen = {first.version}
    for number, (name, change) in enumerate(changes.items()):
        copy = Path(shutil.copytree(artifact, tmp_path / f"copy{number}"))
        old = (copy / name).read_bytes()
        (copy / name).unlink()
        (copy / name).write_bytes(change(old))
        digests = artifact_digests(copy)
        assert digests.weights == first.weights
        seen.add(digests.version)
    assert len(seen) == 1 + len(changes)


def test_a_skill_with_a_way_out_is_refused(
    adapter_dir: Path, card: Card, skill_dir: Path, tmp_path: Path
) -> None:
    (skill_dir / "secrets").symlink_to("/etc/passwd")
    with pytest.raises(AdapterRefused, match="symlink"):
        write_artifact(tmp_path / "x", adapter_dir, card=card, skill_dir=skill_dir)


def test_nothing_is_written_over(artifact: Path, adapter_dir: Path, card: Card) -> None:
    with pytest.raises(FileExistsError, match="exists"):
        write_artifact(artifact, adapter_dir, card=card)


def test_a_missing_or_damaged_card_is_named(artifact: Path) -> None:
    (artifact / "card.json").unlink()
    with pytest.raises(StoreError, match=r"card\.json"):
        read_card(artifact)
    (artifact / "card.json").write_text("[]")
    with pytest.raises(StoreError, match="no card"):
        read_card(artifact)


class Swapping(DiskOps):
    """A disk on which the weights change between the look and the copy."""

    def __init__(self, other: Path) -> None:
        super().__init__()
        self.other = other

    def copy(self, source: Path, target: Path, *, executable: bool) -> None:
        chosen = self.other if source.name == WEIGHTS_FILE else source
        super().copy(chosen, target, executable=executable)


def test_the_copy_passes_the_gate_and_not_only_the_source(
    adapter_dir: Path, card: Card, base: BaseIdentity, tmp_path: Path
) -> None:
    tensors = load_file(adapter_dir / WEIGHTS_FILE)
    next(iter(tensors.values()))[0, 0] = float("inf")
    save_file(tensors, tmp_path / "other")
    files = Swapping(tmp_path / "other")
    with pytest.raises(AdapterRefused, match="not_finite"):
        write_artifact(tmp_path / "a", adapter_dir, card=card, files=files)
    renamed = {name.replace("layers.1.", "layers.8."): t.abs() for name, t in tensors.items()}
    save_file({name: t.nan_to_num(posinf=1.0) for name, t in renamed.items()}, tmp_path / "other")
    write_artifact(
        tmp_path / "b", adapter_dir, card=card, files=files
    )  # no base to hold it against
    with pytest.raises(AdapterRefused, match="unknown_module"):
        write_artifact(tmp_path / "c", adapter_dir, card=card, files=files, base=base)


def test_a_card_from_an_older_schema_keeps_its_bytes_and_so_the_version_digest(
    artifact: Path, card: Card, tmp_path: Path
) -> None:
    document = json.loads((artifact / "card.json").read_bytes())
    del document["seed"]  # what a schema without this field wrote
    older = tmp_path / "older"
    shutil.copytree(artifact, older)
    (older / "card.json").chmod(0o644)
    (older / "card.json").write_text(json.dumps(document))
    write_artifact(tmp_path / "copy", older, card=read_card(older), skill_dir=older / "skill")
    assert (tmp_path / "copy" / "card.json").read_bytes() == (older / "card.json").read_bytes()
    assert artifact_digests(tmp_path / "copy") == artifact_digests(older)
    assert artifact_digests(older).version != artifact_digests(artifact).version
    other = card.model_copy(update={"licence": "MIT"})
    write_artifact(tmp_path / "relicensed", older, card=other)
    assert read_card(tmp_path / "relicensed") == other
