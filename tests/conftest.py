"""What every test stands on: no network, nothing of the user's, one thread for torch.

Set before any test module is imported, because libraries read these once.
"""

import os
import signal
import tempfile
from pathlib import Path

import pytest

os.environ["HF_HUB_OFFLINE"] = "1"
os.environ.setdefault("OMP_NUM_THREADS", "1")
# For what is read at import; every test then gets a home of its own.
os.environ["SKILLWEAVE_HOME"] = tempfile.gettempdir() + "/skillweave-no-home"

# A shell that starts the tests in the background has them ignore Ctrl-C, and all that they start.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def _own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test reads or writes the user's store."""
    monkeypatch.setenv("SKILLWEAVE_HOME", str(tmp_path / "skillweave-home"))


@pytest.fixture
def repository() -> Path:
    """The root of the working tree."""
    return Path(__file__).resolve().parent.parent
