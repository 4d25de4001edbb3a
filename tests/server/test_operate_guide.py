"""The page for operators is so: its session runs; its metrics, secrets and errors are ours."""

import asyncio
import re
import shlex
import subprocess
from pathlib import Path
from typing import Any

import pytest
from skillweave.scripts.cli import VERBS, main
from skillweave.scripts.commands.serve import build_config
from skillweave.server.access_settings import Limits
from skillweave.server.gateway.errors import TABLE
from skillweave.server.running import serve_in_background
from skillweave.server.settings import SECRETS
from skillweave.server.supervision.listen import free_port

ROW = re.compile(r"^\| `([^|]*)` \|", re.M)


@pytest.fixture
def page(repository: Path) -> str:
    return (repository / "docs" / "guide" / "operate.md").read_text()


def blocks(page: str, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", page, re.S)


def section(page: str, title: str) -> str:
    return page.split(f"\n## {title}\n")[1].split("\n## ")[0]


def first_cells(text: str) -> set[str]:
    """The words in code marks of each row's first cell."""
    return {word for cell in ROW.findall(text) for word in re.split(r"`, `", cell)}


@pytest.mark.slow
def test_the_session_of_the_page_runs(
    page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = str(free_port())
    for place in ("/var/lib/skillweave", "/var/log/skillweave", "/etc/skillweave"):
        page = page.replace(place, str(tmp_path / Path(place).parent.name))
    page = page.replace("8000", port)
    (toml,) = blocks(page, "toml")
    file = tmp_path / "etc" / "serve.toml"
    file.parent.mkdir()
    file.write_text("engine = 'fake'\n" + toml)
    monkeypatch.setenv("SKILLWEAVE_HOME", str(tmp_path / "lib"))
    monkeypatch.setenv("SKILLWEAVE_ADMIN_KEY", "admin-key-of-the-tests")
    before, after = page.split("```console\n", 1)
    lines_before, lines_after = ("".join(blocks(part, "bash")) for part in (before, after))
    run(lines_before, monkeypatch)
    with serve_in_background(build_config(file, {})):
        run(lines_after, monkeypatch)


def run(lines: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for line in lines.replace("\\\n", " ").splitlines():
        command, *words = shlex.split(line)
        if command == "export":
            name, _, value = words[0].partition("=")
            monkeypatch.setenv(name, value)
        elif command == "skillweave":
            assert main(words) == 0, line
        else:
            assert command == "curl", line
            subprocess.run([command, *words], check=True, capture_output=True)


def test_every_metric_is_told_and_no_other(page: str, arena: Any, stock: Any) -> None:
    async def families() -> set[str]:
        stock.put("sql", seed=1)
        async with arena(stock) as a:
            text = (await a.http.get("/metrics")).text
        names = re.findall(r"^# TYPE (\S+) \w+$", text, re.M)
        ours = {name.removeprefix("skillweave_") for name in names if "skillweave_" in name}
        return ours

    assert first_cells(section(page, "Metrics")) == asyncio.run(families())


def test_every_error_of_the_page_is_one_of_ours(page: str) -> None:
    told = re.findall(r"^\| (\d{3}) `(\w+)`", section(page, "Troubleshooting"), re.M)
    assert len(told) > 5
    assert set(told) <= {(str(row.status), row.code) for _, row in TABLE}


def test_every_secret_and_every_verb_is_real(page: str) -> None:
    told = re.findall(r"^\| `(SKILLWEAVE_\w+)`", page, re.M)
    assert set(told) == set(SECRETS)
    assert set(re.findall(r"skillweave ([a-z]+)", "".join(blocks(page, "bash")))) <= set(VERBS)


def test_every_limit_is_told(page: str) -> None:
    told = {name for name in first_cells(section(page, "Security")) if "/" not in name}
    assert told == set(Limits.model_fields)
