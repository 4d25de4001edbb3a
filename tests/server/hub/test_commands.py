"""`skillweave hub token`, `push` and `pull`, as a person types them."""

import json
from pathlib import Path

import pytest
from huggingface_hub import constants
from skillweave.adapters.base.identity import identify_base
from skillweave.adapters.card import Card
from skillweave.adapters.delta import Delta
from skillweave.adapters.peft_folder.deltas import write_peft
from skillweave.adapters.settings import default_store_root
from skillweave.adapters.store.store import Store
from skillweave.adapters.store.types import Version
from skillweave.distill.tiny_base import tiny_base_path
from skillweave.scripts.cli import main

from .running_hub import RunningHub

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def version(tmp_path: Path) -> Version:
    """An adapter of the shipped base, in the store of the test's home."""
    import torch

    base = identify_base(tiny_base_path())
    name = "model.layers.0.self_attn.q_proj"
    outs, ins = base.modules[name]
    write_peft({name: Delta(torch.ones(4, ins), torch.ones(outs, 4), 1.0)}, tmp_path / "peft")
    skill = tmp_path / "skill"
    skill.mkdir()
    (skill / "SKILL.md").write_text("---\nname: up\ndescription: Up.\nlicense: MIT\n---\nDo.\n")
    card = Card(kind="skill", base=base.for_card(name="skillweave-tiny"), skill_name="up")
    store = Store(default_store_root())
    return store.put(tmp_path / "peft", card=card, name="up", base=base, skill_dir=skill)


@pytest.fixture
def _at_site(site: RunningHub, monkeypatch: pytest.MonkeyPatch) -> None:
    template = f"{site.url}/{{repo_id}}/resolve/{{revision}}/{{filename}}"
    monkeypatch.setattr(constants, "ENDPOINT", site.url)
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
    monkeypatch.setenv("HF_TOKEN", site.token("ada"))


@pytest.mark.usefixtures("_at_site")
def test_push_and_pull(version: Version, tmp_path: Path, capsys: Capture) -> None:
    assert main(["push", "up", "ada/up", "--dry-run", "--json"]) == 0
    plan = json.loads(capsys.readouterr().out)
    assert (plan["exists"], plan["private"], plan["licence"]) == (False, True, "apache-2.0")
    assert main(["push", "up", "ada/up", "--tag-version"]) == 0
    assert "/ada/up/tree/" in capsys.readouterr().out
    assert main(["push", "up", "ada/up", "--dry-run"]) == 0
    assert "0 bytes would be sent" in capsys.readouterr().out
    there = ["--store", str(tmp_path / "there")]
    assert main(["pull", "ada/up@v1", "--name", "team/up", "--alias", "prod", *there]) == 0
    assert capsys.readouterr().out == f"team/up@1  {version.version_digest}\n"
    assert Store(tmp_path / "there").aliases("team/up") == {"default": 1, "prod": 1}
    assert main(["pull", "ada/absent", *there]) == 1
    assert "no such repository" in capsys.readouterr().err
    assert main(["pull", "ada/up@", *there]) == 2
    assert "'ada/up@' names no revision" in capsys.readouterr().err


@pytest.mark.usefixtures("_at_site")
def test_a_public_push_asks_for_every_licence(version: Version, capsys: Capture) -> None:
    store = Store(default_store_root())
    store.attest(version.version_digest, {"type": "training", "teacher": "some-model"})
    assert main(["push", "up", "ada/open", "--public"]) == 2
    assert "--teacher-licence" in capsys.readouterr().err
    assert main(["push", "up", "ada/open", "--public", "--teacher-licence", "cc-by-nd-4.0"]) == 2
    assert "lets nobody pass on" in capsys.readouterr().err
    for part, known in (("skill", "mit"), ("base", "apache-2.0")):
        lie = ["--teacher-licence", "mit", f"--{part}-licence", "cc0-1.0"]
        assert main(["push", "up", "ada/open", "--public", *lie]) == 2
        told = capsys.readouterr().err.lower()
        assert f"the {part} is under {known}, which is known" in told
    assert main(["push", "up", "ada/open", "--public", "--teacher-licence", "mit"]) == 0


def test_a_port_that_cannot_be(tmp_path: Path, capsys: Capture) -> None:
    root = ["--root", str(tmp_path / "root")]
    assert main(["hub", "serve", "--port", "99999", *root]) == 2
    assert "port 99999: expected 0" in capsys.readouterr().err


def test_tokens(tmp_path: Path, capsys: Capture) -> None:
    root = ["--root", str(tmp_path / "root")]
    assert main(["hub", "token", "create", "ada", "--write", "--days", "3", *root]) == 0
    text = capsys.readouterr().out.strip()
    assert main(["hub", "token", "list", "--json", *root]) == 0
    (row,) = json.loads(capsys.readouterr().out)
    assert (row["name"], row["rights"], row["state"]) == ("ada", "write", "valid")
    assert text.split("_", 2)[2] not in json.dumps(row)
    assert main(["hub", "token", "create", "ada", *root]) == 1
    assert main(["hub", "token", "revoke", "ada", *root]) == 0
    assert main(["hub", "token", "revoke", "ada", *root]) == 1
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("x")
    assert main(["hub", "token", "create", "ada", "--root", str(tmp_path / "mine")]) == 2
    assert "holds 'thesis.txt'" in capsys.readouterr().err
