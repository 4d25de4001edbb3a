"""`skillweave train`: what is refused at once, what a dry run says, and a whole run on HTTP."""

import json
import shutil
from pathlib import Path

import pytest
import torch
from skillweave.adapters.skills import Skill, write_skill
from skillweave.adapters.store.store import Store
from skillweave.distill.recipes.s2l import S2L
from skillweave.distill.tiny_base import tiny_base_path
from skillweave.distill.worlds.string_skills import Operation, SkillSpec, string_skill
from skillweave.scripts.cli import EXIT_FAILED, EXIT_USAGE, main
from transformers import Qwen3Config, Qwen3ForCausalLM

from ...distill.followers import NO_IDEA, follow_the_text
from ...distill.scripted_teacher import ScriptedTeacher

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A skill of the string world."""
    spec = SkillSpec((Operation("reverse"), Operation("double")), "bars", "farm")
    return write_skill(string_skill(spec, seed=0), tmp_path / "farm-routine").parent


@pytest.fixture
def free_text(tmp_path: Path) -> Path:
    """What a newcomer brings along."""
    mine = Skill(
        "commit-messages",
        "Write commit messages. Use when asked for one.",
        body="Write a commit message in the imperative mood and explain why in the body.",
    )
    return write_skill(mine, tmp_path / "commit-messages").parent


@pytest.fixture
def base(tmp_path: Path) -> Path:
    """A random base that speaks the shipped vocabulary."""
    torch.manual_seed(0)
    config = Qwen3Config(
        vocab_size=3392,
        hidden_size=16,
        intermediate_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        num_key_value_heads=1,
        head_dim=8,
        tie_word_embeddings=True,
    )
    place = tmp_path / "small-base"
    Qwen3ForCausalLM(config).save_pretrained(place)
    for name in ("tokenizer.json", "tokenizer_config.json", "chat_template.jinja"):
        shutil.copyfile(tiny_base_path() / name, place / name)
    return place


def test_free_text_on_the_shipped_base_is_refused_with_the_ways_that_work(
    free_text: Path, tmp_path: Path, capsys: Capture
) -> None:
    code = main(["train", str(free_text), "--store", str(tmp_path / "store"), "--json"])
    (row,) = json.loads(capsys.readouterr().out)
    assert code == EXIT_FAILED
    assert (row["skill"], row["status"]) == ("commit-messages", "refused")
    assert "skillweave serve --skills DIR" in row["reason"]
    assert "--base MODEL" in row["reason"]
    assert not (tmp_path / "store").exists()


def test_a_dry_run_says_what_it_would_cost_and_spends_nothing(
    folder: Path, free_text: Path, base: Path, capsys: Capture
) -> None:
    with ScriptedTeacher(follow_the_text) as teacher:
        words = ["--teacher", teacher.url, "--teacher-model", "m", "--dry-run", "--json"]
        code = main(["train", str(folder), str(free_text), "--base", str(base), *words])
    rows = {row["skill"]: row for row in json.loads(capsys.readouterr().out)}
    assert code == EXIT_FAILED  # one of the two was refused
    assert rows["commit-messages"]["status"] == "refused"
    cost = rows["farm-routine"]
    assert cost["status"] == "dry run"
    assert cost["requests"] == S2L().num_requests + 2 * S2L().preflight_requests
    assert min(cost[key] for key in ("teacher_tokens", "memory_bytes", "disk_bytes")) > 0
    assert teacher.requests == []


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["--recipe", "opid"], "'opid' trains no skills, expected s2l"),
        (["--teacher", "http://127.0.0.1:9/v1"], "--teacher-model"),
        (["--teacher-model", "m"], "name both or neither"),
        (["--seed", "-1"], "--seed"),
        (["--seed", str(2**31)], "--seed"),
    ],
)
def test_what_makes_no_sense_is_said_before_anything_is_read(
    tmp_path: Path, words: list[str], reason: str, capsys: Capture
) -> None:
    assert main(["train", str(tmp_path / "nowhere"), *words]) == EXIT_USAGE
    assert reason in capsys.readouterr().err


def test_a_folder_without_a_skill_is_named(tmp_path: Path, capsys: Capture) -> None:
    assert main(["train", str(tmp_path)]) == EXIT_FAILED
    assert str(tmp_path) in capsys.readouterr().err


@pytest.mark.slow
def test_a_teacher_at_an_address_and_a_version_in_the_store(
    folder: Path, base: Path, tmp_path: Path, capsys: Capture
) -> None:
    with ScriptedTeacher(follow_the_text) as teacher:
        words = ["--teacher", teacher.url, "--teacher-model", "m", "--json"]
        place = ["--base", str(base), "--store", str(tmp_path / "store")]
        code = main(["train", str(folder), *place, *words])
    (row,) = json.loads(capsys.readouterr().out)
    assert (code, row["status"], row["text_helps"]) == (0, "trained", "0% -> 100%")
    assert row["kept"] == row["demonstrations"] == S2L().num_requests
    assert row["dev"] == "not measured: with an external teacher no base is served"
    assert {body["model"] for body in teacher.requests} == {"m"}
    version = Store(tmp_path / "store").resolve("farm-routine")
    assert (version.ref, version.version_digest) == (row["ref"], row["version_digest"])
    assert (version.path / "skill" / "SKILL.md").read_bytes() == (folder / "SKILL.md").read_bytes()


@pytest.mark.slow  # the client waits before it tries again
def test_a_dead_teacher_is_a_reason_per_skill(
    folder: Path, base: Path, tmp_path: Path, capsys: Capture
) -> None:
    spec = SkillSpec((Operation("double"), Operation("reverse")), "bars", "picnic")
    other = write_skill(string_skill(spec, seed=0), tmp_path / "picnic-routine").parent
    words = ["--teacher", "http://127.0.0.1:9/v1", "--teacher-model", "m", "--json"]
    place = ["--base", str(base), "--store", str(tmp_path / "store")]
    assert main(["train", str(folder), str(other), *place, *words]) == EXIT_FAILED
    rows = json.loads(capsys.readouterr().out)
    assert [(row["skill"], row["status"]) for row in rows] == [
        ("farm-routine", "failed"),
        ("picnic-routine", "failed"),
    ]
    assert all("http://127.0.0.1:9/v1 did not answer" in row["reason"] for row in rows)


def test_one_malformed_folder_does_not_stop_the_others(
    folder: Path, base: Path, tmp_path: Path, capsys: Capture
) -> None:
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / "SKILL.md").write_text("no frontmatter at all")
    odd = tmp_path / "barn-list"
    odd.mkdir()
    (odd / "SKILL.md").write_text((folder / "SKILL.md").read_text())
    spec = SkillSpec((Operation("double"), Operation("reverse")), "bars", "picnic")
    other = write_skill(string_skill(spec, seed=0), tmp_path / "picnic-routine").parent
    folders = [str(path) for path in (broken, tmp_path / "nowhere", odd, folder, other)]
    code = main(["train", *folders, "--base", str(base), "--dry-run", "--json"])
    shown = capsys.readouterr()
    rows = {row["skill"]: row for row in json.loads(shown.out)}
    assert code == EXIT_FAILED
    assert {name: row["status"] for name, row in rows.items()} == {
        "broken": "refused",
        "nowhere": "refused",
        "farm-routine": "refused",
        "picnic-routine": "dry run",
    }
    # What the reader forgave is said, and two folders of one name are both named.
    assert f"{odd}: " in shown.err
    assert str(odd) in rows["farm-routine"]["reason"]
    assert str(folder) in rows["farm-routine"]["reason"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "sent"), [("OPENAI_API_KEY", False), ("SKILLWEAVE_TEACHER_KEY", True)]
)
def test_only_a_key_that_was_meant_for_the_teacher_is_sent(
    folder: Path, base: Path, tmp_path: Path, name: str, sent: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, "my-secret")
    with ScriptedTeacher(lambda body: NO_IDEA) as teacher:
        words = ["--teacher", teacher.url, "--teacher-model", "m"]
        place = ["--base", str(base), "--store", str(tmp_path / "store")]
        assert main(["train", str(folder), *place, *words]) == EXIT_FAILED
    assert teacher.keys == {"Bearer my-secret" if sent else "Bearer none"}
