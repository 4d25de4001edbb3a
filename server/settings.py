"""What `server/` reads from the environment, read in this one place.

Owns the names of the variables. Refuses to own defaults of the configuration (`config.py`).
"""

import os
from collections.abc import Mapping


def threads_from_environment(environ: Mapping[str, str] | None = None) -> int | None:
    """The number of engine threads that the caller's `OMP_NUM_THREADS` asks for, if it is one."""
    text = (os.environ if environ is None else environ).get("OMP_NUM_THREADS", "")
    return int(text) if text.isdigit() and int(text) > 0 else None


def admin_key_from_environment(environ: Mapping[str, str] | None = None) -> str | None:
    """The admin key in `SKILLWEAVE_ADMIN_KEY`, None where it is unset or empty."""
    return (os.environ if environ is None else environ).get("SKILLWEAVE_ADMIN_KEY") or None


def server_url_from_environment(environ: Mapping[str, str] | None = None) -> str | None:
    """The address of a running server in `SKILLWEAVE_URL`, None where it is unset or empty."""
    return (os.environ if environ is None else environ).get("SKILLWEAVE_URL") or None
