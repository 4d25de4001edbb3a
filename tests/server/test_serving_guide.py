"""The page about the wire is so: its model strings, headers, commands and statuses are real."""

import asyncio
import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import typer
from skillweave.adapters.expr import parse_model
from skillweave.scripts.cli import VERBS, load
from skillweave.server.gateway.errors import TABLE
from skillweave.server.gateway.relay.asked import SESSION, TIMEOUT


@pytest.fixture
def page(repository: Path) -> str:
    return (repository / "docs" / "guide" / "serving.md").read_text()


def section(page: str, title: str) -> str:
    return page.split(f"\n## {title}\n")[1].split("\n## ")[0]


def rows(text: str) -> list[list[str]]:
    """The cells of a section's tables, without heads."""
    lines = [line for line in text.splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def test_every_model_string_of_the_page_is_one(page: str) -> None:
    told = [word for row in rows(section(page, "The model string"))[1:] for word in words(row[0])]
    name = "picnic-routine"
    for word in told:
        parse_model(word if word[0] not in "@:" else name + word)
    assert {"base", "auto", "a+b+c:exact", "my-run@7"} <= set(told)


def words(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


def test_every_header_of_the_page_is_read_or_sent(page: str, arena: Any, stock: Any) -> None:
    async def sent() -> set[str]:
        stock.put("sql", seed=1)
        async with arena(stock) as a:
            reply = await a.chat("sql")
        return {name for name in reply.headers if name.startswith("x-")}

    first = [words(row[0])[0] for row in rows(section(page, "Headers")) if words(row[0])]
    read = {each.decode() for each in (SESSION, TIMEOUT)}
    read |= {"x-request-id", "x-skillweave-admin-key", "authorization: Bearer sk-sw-..."}
    split = len(read)
    assert set(first[:split]) == read
    assert set(first[split:]) == asyncio.run(sent())


def test_every_command_of_the_page_has_its_options(page: str) -> None:
    lines = [
        line
        for block in re.findall(r"```bash\n(.*?)```", page, re.S)
        for line in block.splitlines()
    ]
    for line in lines:
        command, *rest = shlex.split(line)
        if command != "skillweave":
            continue
        verb = rest[0]
        assert verb in VERBS, line
        options = {o for p in typer.main.get_command(load(verb)).params for o in p.opts}
        assert {word for word in rest if word.startswith("-")} <= options, line


def test_every_refusal_has_a_status_of_the_table(page: str) -> None:
    told = {
        int(number)
        for row in rows(section(page, "What is refused"))[1:]
        for number in re.findall(r"\b[45]\d\d\b", row[1])
    }
    assert {400, 401, 403, 404, 409, 422, 429, 503, 504} <= told
    assert told <= {row.status for _, row in TABLE} | {413}
