"""Where a result comes from."""

import re
import subprocess
from pathlib import Path

from skillweave.distill.provenance import PACKAGES, code_revision, package_versions


def test_the_revision_is_that_of_this_tree(repository: Path) -> None:
    head = subprocess.run(
        ["git", "rev-parse", "HEAD"], cwd=repository, capture_output=True, text=True, check=True
    ).stdout
    found = code_revision()
    assert re.fullmatch(r"[0-9a-f]{12,}\+?", found)
    assert head.startswith(found.rstrip("+"))


def test_versions_are_of_what_is_installed() -> None:
    found = package_versions()
    assert {"torch", "transformers", "peft"} <= set(found) <= set(PACKAGES)
    assert all(found.values())
