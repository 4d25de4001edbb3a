"""Programs that we measure against, or with, in environments of their own.

Their libraries never meet ours: another version of one would change what is measured. An
environment is named by a variable (a Python that has the program), or made once under
`$SKILLWEAVE_HOME/comparators/NAME` from the index that pip is set to.
Owns finding and making them. To add one: a line in `PROGRAMS`, and `requirements/bench-NAME.txt`.
"""

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ...adapters import UsageError
from ...adapters.settings import load_settings

_PIP_S = 900.0


@dataclass(frozen=True)
class Program:
    """How a program shows that it is there, and which variable names a Python that has it."""

    module: str
    variable: str


PROGRAMS: Mapping[str, Program] = {
    "litellm": Program("litellm.proxy.proxy_cli", "SKILLWEAVE_LITELLM_PYTHON"),
    "lm-eval": Program("lm_eval", "SKILLWEAVE_LM_EVAL_PYTHON"),
}
_REQUIREMENTS = Path(__file__).parents[2] / "requirements"


def python_with(name: str) -> Path:
    """The Python of an environment that has the program; made where there is none.

    Raises:
        UsageError: the one that was named lacks it, or pip could not install it; the message says
            how to get it.
    """
    program = PROGRAMS[name]
    given = os.environ.get(program.variable)
    if given is not None:
        if not _has(Path(given), program):
            raise UsageError(_how(name, f"{program.variable}={given} has no {program.module}"))
        return Path(given)
    folder = load_settings().home / "comparators" / name
    python = folder / "bin" / "python"
    if not _has(python, program):
        _make(name, folder)
    return python


def version_in(python: Path, distribution: str) -> str:
    """The version of a distribution in another environment."""
    code = f"from importlib.metadata import version; print(version({distribution!r}))"
    done = subprocess.run([python, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def _has(python: Path, program: Program) -> bool:
    if not python.exists():
        return False
    code = f"import importlib.util as u, sys; sys.exit(u.find_spec({program.module!r}) is None)"
    return subprocess.run([python, "-c", code], capture_output=True).returncode == 0


def _make(name: str, folder: Path) -> None:
    python = folder / "bin" / "python"
    commands = (
        [sys.executable, "-m", "venv", "--clear", str(folder)],
        [str(python), "-m", "pip", "install", "--quiet", "-r", _wanted(name)],
    )
    for command in commands:
        try:
            subprocess.run(command, capture_output=True, text=True, check=True, timeout=_PIP_S)
        except (subprocess.SubprocessError, OSError) as err:
            said = getattr(err, "stderr", "") or str(err)
            raise UsageError(_how(name, f"{' '.join(command)} failed: {said[-500:]}")) from err


def _how(name: str, why: str) -> str:
    return (
        f"{name} is not there: {why}. Make an environment of its own (python3 -m venv DIR; "
        f"DIR/bin/pip install -r {_wanted(name)}) and name it: "
        f"{PROGRAMS[name].variable}=DIR/bin/python"
    )


def _wanted(name: str) -> str:
    """The file of what is installed, at the versions that were measured."""
    return str(_REQUIREMENTS / f"bench-{name}.txt")
