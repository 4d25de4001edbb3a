"""Tokens used: summed, kept over restarts, and written without stopping anybody."""

import asyncio
from pathlib import Path

import pytest
from skillweave.adapters.errors import StoreError, UsageError
from skillweave.server.gateway.access.usage import Usage
from skillweave.server.gateway.access.usage_file import Sum, UsageFile, Where

DAY = 86_400.0


@pytest.fixture
def file(tmp_path: Path) -> UsageFile:
    return UsageFile(tmp_path / "access" / "usage.sqlite")


def test_sums_by_any_columns_and_since_a_day(file: UsageFile) -> None:
    file.add({Where("2026-01-01", "k1", "data", "sql"): Sum(1, 10, 5)})
    file.add(
        {
            Where("2026-01-02", "k1", "data", "sql"): Sum(2, 20, 5),
            Where("2026-01-02", "k2", "data", "base"): Sum(1, 1, 1),
        }
    )
    assert file.table(["team", "adapter"]) == [
        {
            "team": "data",
            "adapter": "sql",
            "requests": 3,
            "prompt_tokens": 30,
            "completion_tokens": 10,
            "tokens": 40,
        },
        {
            "team": "data",
            "adapter": "base",
            "requests": 1,
            "prompt_tokens": 1,
            "completion_tokens": 1,
            "tokens": 2,
        },
    ]
    assert [row["tokens"] for row in file.table(["key"], since="2026-01-02")] == [25, 2]
    for wrong in ([], ["nope"], ["team; DROP TABLE used"], ["team", "team"]):
        with pytest.raises(UsageError):
            file.table(wrong)


def test_usage_is_kept_over_restarts_and_days(file: UsageFile) -> None:
    async def test() -> None:
        for restart in range(3):
            usage = Usage(file, now=lambda: 10 * DAY)
            assert usage.spent("k") == (7 * restart, 7 * restart)
            usage.charge("k", "t", "sql", prompt=5, completion=2)
            assert usage.spent("k") == (7 * restart + 7, 7 * restart + 7)
            await usage.close()
        assert Usage(file, now=lambda: 11 * DAY).spent("k") == (0, 21)

    asyncio.run(test())


def test_a_day_ends_while_serving() -> None:
    async def test() -> None:
        now = [10 * DAY]
        usage = Usage(None, now=lambda: now[0])
        usage.charge("k", "", "sql", prompt=5, completion=2)
        now[0] = 11 * DAY
        assert usage.spent("k") == (0, 7)

    asyncio.run(test())


def test_what_another_gateway_used_counts_after_the_next_writing(file: UsageFile) -> None:
    async def test() -> None:
        here, there = Usage(file), Usage(file)
        there.charge("k", "", "sql", prompt=100, completion=0)
        await there.close()
        here.charge("k", "", "sql", prompt=1, completion=0)
        await here.close()
        assert here.spent("k") == (101, 101)

    asyncio.run(test())


def test_a_disk_that_says_no_delays_writing_and_loses_nothing(tmp_path: Path) -> None:
    async def test() -> None:
        folder = tmp_path / "access"
        folder.write_text("a file in the way")
        usage = Usage(UsageFile(folder / "usage.sqlite"))
        usage.charge("k", "", "sql", prompt=3, completion=4)
        await usage.close()
        assert usage.spent("k") == (7, 7)
        folder.unlink()
        usage.charge("k", "", "sql", prompt=1, completion=0)
        await usage.close()
        assert UsageFile(folder / "usage.sqlite").table(["key"])[0]["tokens"] == 8

    asyncio.run(test())


def test_only_the_owner_may_read_it(file: UsageFile, tmp_path: Path) -> None:
    file.add({Where("2026-01-01", "k", "", "sql"): Sum(1, 1, 1)})
    for path in (tmp_path / "access").iterdir():
        assert path.stat().st_mode & 0o077 == 0


def test_a_file_whose_maker_was_cut_short_is_finished(file: UsageFile, tmp_path: Path) -> None:
    (tmp_path / "access").mkdir()
    (tmp_path / "access" / "usage.sqlite").touch()
    assert file.table(["key"]) == []
    assert file.spent("2026-01-01") == {}
    file.add({Where("2026-01-01", "k", "", "sql"): Sum(1, 2, 3)})
    assert file.table(["key"])[0]["tokens"] == 5


class Unreadable(UsageFile):
    """A file that takes what is added, and cannot be read."""

    def spent(self, day: str) -> dict[tuple[str, str], int]:
        raise StoreError("the disk does not read")


def test_what_was_written_is_not_written_again_because_reading_failed(tmp_path: Path) -> None:
    async def test() -> None:
        path = tmp_path / "usage.sqlite"
        usage = Usage(Unreadable(path))
        for _ in range(3):
            usage.charge("k", "", "sql", prompt=3, completion=4)
            await usage.flush()
        await usage.close()
        assert UsageFile(path).table(["key"])[0]["tokens"] == 21
        assert usage.spent("k") == (21, 21)

    asyncio.run(test())
