from collections.abc import Callable
from pathlib import Path

import pytest
from skillweave.scripts import check_platform
from skillweave.scripts.check_platform import GIB, Report

LINUX = {"system": "Linux", "machine": "x86_64", "release": "6.1.0"}
PYTHON = {"version": (3, 11), "has_venv": True, "libc": ("glibc", "2.36")}
ROOM = {"memory_bytes": 16 * GIB, "disk_bytes": 64 * GIB, "folder": "here"}
CPU = {"cpuinfo": "processor: 0\nflags\t\t: fpu avx2 avx512f\n", "cores": 4}


def findings(check: Callable[..., None], **values: object) -> Report:
    report = Report()
    check(report, **values)
    return report


@pytest.mark.parametrize(
    ("check", "values"),
    [
        (check_platform.check_system, LINUX),
        (check_platform.check_python, PYTHON),
        (check_platform.check_cpu, CPU),
        (check_platform.check_room, ROOM),
    ],
)
def test_a_good_machine_passes_without_notes(
    check: Callable[..., None], values: dict[str, object]
) -> None:
    assert {kind for kind, _ in findings(check, **values).lines} <= {"ok"}


@pytest.mark.parametrize(
    ("check", "values", "words"),
    [
        (check_platform.check_system, LINUX | {"system": "Windows"}, ["Windows", "WSL2", "docker"]),
        (check_platform.check_system, LINUX | {"system": "Darwin"}, ["Darwin", "container"]),
        (check_platform.check_system, LINUX | {"machine": "aarch64"}, ["aarch64", "x86-64"]),
        (check_platform.check_python, PYTHON | {"version": (3, 10)}, ["3.10", "3.11", "PYTHON="]),
        (check_platform.check_python, PYTHON | {"version": (3, 15)}, ["3.15", "below 3.15"]),
        (check_platform.check_python, PYTHON | {"has_venv": False}, ["python3-venv"]),
        (check_platform.check_python, PYTHON | {"libc": ("glibc", "2.17")}, ["2.17", "2.28"]),
        (check_platform.check_python, PYTHON | {"libc": ("", "")}, ["musl"]),
        (check_platform.check_cpu, CPU | {"cpuinfo": "flags : sse4_2\n"}, ["avx2 missing"]),
        (check_platform.check_room, ROOM | {"memory_bytes": 2 * GIB}, ["2.0 GiB", "need 4 GiB"]),
        (check_platform.check_room, ROOM | {"disk_bytes": GIB}, ["1.0 GiB", "need 4.5 GiB"]),
    ],
)
def test_what_is_missing_is_named_with_what_to_do(
    check: Callable[..., None], values: dict[str, object], words: list[str]
) -> None:
    report = findings(check, **values)
    assert report.failed
    (text,) = [text for kind, text in report.lines if kind == "FAIL"]
    assert all(word in text for word in words), text


@pytest.mark.parametrize(
    ("check", "values", "word"),
    [
        (check_platform.check_system, LINUX | {"release": "5.15-microsoft-WSL2"}, "/mnt"),
        (check_platform.check_cpu, CPU | {"cpuinfo": "flags : avx2\n"}, "no AVX-512"),
        (check_platform.check_cpu, CPU | {"cores": 1}, "one core"),
        (check_platform.check_room, ROOM | {"disk_bytes": 8 * GIB}, "CPU index"),
    ],
)
def test_what_is_only_worth_knowing_never_fails(
    check: Callable[..., None], values: dict[str, object], word: str
) -> None:
    report = findings(check, **values)
    assert not report.failed
    assert any(kind == "note" and word in text for kind, text in report.lines)


def test_this_machine_is_measured(tmp_path: Path) -> None:
    report = check_platform.examine(str(tmp_path))
    texts = "\n".join(text for _, text in report.lines)
    assert all(word in texts for word in ("system: ", "Python 3.", "memory available", "disk free"))


def test_it_needs_nothing_but_the_standard_library(repository: Path) -> None:
    source = (repository / "scripts/check_platform.py").read_text()
    imported = {
        line.split()[1] for line in source.splitlines() if line.startswith(("import", "from"))
    }
    assert imported == {"os", "platform", "shutil", "sys"}
