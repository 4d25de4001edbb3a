"""Make `requirements/*.lock` from `requirements/*.in` and pyproject.toml, and check them.

Owns which layers exist, what each is made of and what is left out on purpose. Does not install
anything. The locks are additive: `cpu.lock` stands alone, every other layer lists only what it
adds on top. All of them are installed with `pip install --no-deps`
(docs/decisions/0001-set-up-without-resolution.md).

    python -m skillweave.scripts.make_locks             fill gaps, keep every pin that still fits
    python -m skillweave.scripts.make_locks --upgrade   newest versions that fit
    python -m skillweave.scripts.make_locks --check     compare locks with inputs; no network

Making a lock needs `uv` on the PATH (`pip install uv`); checking needs only what is installed.
uv does not read pip's settings: with an index of your own, set UV_INDEX, UV_FIND_LINKS and so on.
To add a layer: write `requirements/NAME.in` and add one line to `LAYERS`.
"""

import argparse
import itertools
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from .check_install import LEFT_OUT

ROOT = Path(__file__).resolve().parent.parent
HEADER = "# Made by scripts/make_locks.py from {sources}; install with `pip install --no-deps`.\n"
PYTHONS = ("3.11", "3.12", "3.13", "3.14")
NEVER = frozenset({"torch", *LEFT_OUT})  # torch is installed first, by a command of its own


@dataclass(frozen=True)
class Layer:
    """One lock: its name, the extra of pyproject.toml it holds, and the layers it stands on."""

    name: str
    extra: str | None = None  # "" means the plain dependencies
    above: tuple[str, ...] = ()


LAYERS = (
    Layer("cpu", extra=""),
    Layer("test", extra="test", above=("cpu",)),
    Layer("trl", above=("cpu", "test")),
)


def requirement_lines(text: str) -> list[str]:
    """The requirements of an .in or .lock file, without comments and blank lines."""
    lines = (re.split(r"(?:^|\s)#", line)[0].strip() for line in text.splitlines())
    return [line for line in lines if line]


def inputs(layer: Layer, root: Path = ROOT) -> list[Requirement]:
    """Everything the layer asks for: its .in file and its part of pyproject.toml."""
    found = requirement_lines((root / "requirements" / f"{layer.name}.in").read_text())
    if layer.extra is not None:
        project = tomllib.loads((root / "pyproject.toml").read_text())["project"]
        extras = project["optional-dependencies"]
        found += extras[layer.extra] if layer.extra else project["dependencies"]
    requirements = [Requirement(line) for line in found]
    return [r for r in requirements if canonicalize_name(r.name) not in NEVER]


def pins(layer: Layer, root: Path = ROOT) -> dict[str, str]:
    """Name -> version for this Python, as `pip install -r` would read the layer's lock."""
    text = (root / "requirements" / f"{layer.name}.lock").read_text()
    found = (Requirement(line) for line in requirement_lines(text))
    return {
        canonicalize_name(r.name): next(iter(r.specifier)).version
        for r in found
        if r.marker is None or r.marker.evaluate()
    }


def for_linux(line: str) -> str | None:
    """A universal lock line reduced to Linux on x86-64.

    Returns:
        The line, without its marker where that holds on every supported Python; None where it
        holds on none.
    """
    requirement = Requirement(line)
    if requirement.marker is None:
        return line
    holds = [_holds(requirement.marker, python) for python in PYTHONS]
    if not any(holds):
        return None
    return line.split(";")[0].strip() if all(holds) else line


def _holds(marker: Marker, python: str) -> bool:
    return marker.evaluate(
        {
            "sys_platform": "linux",
            "platform_system": "Linux",
            "platform_machine": "x86_64",
            "os_name": "posix",
            "implementation_name": "cpython",
            "platform_python_implementation": "CPython",
            "python_version": python,
            "python_full_version": f"{python}.0",
        }
    )


def compile_layer(layer: Layer, *, upgrade: bool) -> None:
    """Resolve one layer with uv and write its lock.

    torch and what is left out are overridden away, so their own dependencies never enter.
    """
    uv = shutil.which("uv")
    if uv is None:
        raise SystemExit("make_locks: `uv` is not on the PATH; install it with `pip install uv`.")
    folder = ROOT / "requirements"
    lock = folder / f"{layer.name}.lock"
    below = [folder / f"{name}.lock" for name in layer.above]
    with tempfile.TemporaryDirectory() as scratch:
        asked, override, out = (Path(scratch) / name for name in ("in", "override", "out"))
        asked.write_text("".join(f"{r}\n" for r in inputs(layer)))
        override.write_text("".join(f"{n} ; sys_platform == 'never'\n" for n in sorted(NEVER)))
        if lock.exists() and not upgrade:
            out.write_text(lock.read_text())
        command = [uv, "pip", "compile", "--universal", "--python-version", PYTHONS[0]]
        command += ["--no-annotate", "--no-header", "--quiet", "--override", str(override)]
        command += [*itertools.chain.from_iterable(("-c", str(path)) for path in below)]
        subprocess.run([*command, "-o", str(out), str(asked)], check=True, stdout=subprocess.PIPE)
        made = [for_linux(line) for line in requirement_lines(out.read_text())]
    known = {line for path in below for line in requirement_lines(path.read_text())}
    kept = [line for line in made if line is not None and line not in known]
    sources = f"{layer.name}.in" + ("" if layer.extra is None else " and pyproject.toml")
    lock.write_text(HEADER.format(sources=sources) + "".join(f"{line}\n" for line in kept))


def stale(layer: Layer, root: Path = ROOT) -> Iterator[str]:
    """What is wrong with a layer's lock, told without a network.

    Compares with the inputs always, and with the demands of the locked packages themselves where
    exactly the locked versions are installed.
    """
    by_name = {each.name: each for each in LAYERS}
    own, below = pins(layer, root), [pins(by_name[name], root) for name in layer.above]
    known = {name: version for part in [*below, own] for name, version in part.items()}
    for name in sorted(own.keys() & NEVER):
        yield f"{layer.name}.lock holds {name}, which is left out on purpose"
    for part, name in itertools.product(below, sorted(own)):
        if name in part:
            yield f"{layer.name}.lock repeats {name}, which a layer below it already pins"
    todo = [("an input", requirement) for requirement in inputs(layer, root)]
    seen: set[tuple[str, str]] = set()  # (distribution, extra)
    while todo:
        by, requirement = todo.pop()
        yield from _unmet(layer, requirement, known, by=by)
        name = canonicalize_name(requirement.name)
        for extra in {"", *requirement.extras} - {extra for n, extra in seen if n == name}:
            seen.add((name, extra))
            if name in known and _version(name) == known[name]:
                todo += [(name, demand) for demand in _demands(name, extra)]
    if all(_version(name) == version for name, version in known.items()):
        for name in sorted(own.keys() - {name for name, _ in seen}):
            yield f"{layer.name}.lock holds {name}, which nothing in the lock asks for"


def _unmet(
    layer: Layer, requirement: Requirement, known: dict[str, str], *, by: str
) -> Iterator[str]:
    name = canonicalize_name(requirement.name)
    if name in NEVER:
        return
    if name not in known:
        yield f"{layer.name}.lock lacks {name}, wanted by {by}"
    elif not requirement.specifier.contains(known[name], prereleases=True):
        yield f"{layer.name}.lock has {name} {known[name]}, but {by} wants {requirement.specifier}"


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _demands(name: str, extra: str) -> list[Requirement]:
    """What an installed distribution asks for here, with one of its extras or ("") without."""
    found = [Requirement(line) for line in metadata.requires(name) or []]
    return [r for r in found if r.marker is None or r.marker.evaluate({"extra": extra})]


def main() -> int:
    """Make or check the locks; 1 where a check finds something."""
    parser = argparse.ArgumentParser(prog="make_locks", description="Make or check the locks.")
    parser.add_argument("--check", action="store_true", help="only compare; no network")
    parser.add_argument("--upgrade", action="store_true", help="newest versions that fit")
    options = parser.parse_args()
    if not options.check:
        for layer in LAYERS:
            compile_layer(layer, upgrade=options.upgrade)
    findings = [finding for layer in LAYERS for finding in stale(layer)]
    for finding in findings:
        print(f"make_locks: {finding}", file=sys.stderr)
    if findings:
        print("make_locks: run `python -m skillweave.scripts.make_locks`.", file=sys.stderr)
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
