"""What `server/` reads from the environment, read in this one place.

Owns the names of the variables. Refuses to own defaults of the configuration (`config.py`).
"""

import os
from collections.abc import Mapping
from pathlib import Path

from ..adapters.errors import UsageError

SECRETS = ("SKILLWEAVE_ADMIN_KEY", "SKILLWEAVE_METRICS_KEY", "SKILLWEAVE_ENGINE_KEY")
"""Each may be given as `NAME_FILE` instead: a file that holds it, as secret stores mount them."""


def threads_from_environment(environ: Mapping[str, str] | None = None) -> int | None:
    """The number of engine threads that the caller's `OMP_NUM_THREADS` asks for, if it is one."""
    text = (os.environ if environ is None else environ).get("OMP_NUM_THREADS", "")
    return int(text) if text.isdigit() and int(text) > 0 else None


def admin_key_from_environment(environ: Mapping[str, str] | None = None) -> str | None:
    """The admin key in `SKILLWEAVE_ADMIN_KEY` or in the file of `SKILLWEAVE_ADMIN_KEY_FILE`.

    Returns:
        None where both are unset or empty.

    Raises:
        UsageError: the file cannot be read.
    """
    return _secret("SKILLWEAVE_ADMIN_KEY", environ)


def metrics_key_from_environment(environ: Mapping[str, str] | None = None) -> str | None:
    """The same of `SKILLWEAVE_METRICS_KEY`: the key for /metrics."""
    return _secret("SKILLWEAVE_METRICS_KEY", environ)


def engine_key_from_environment(environ: Mapping[str, str] | None = None) -> str | None:
    """The same of `SKILLWEAVE_ENGINE_KEY`: the key of an engine that we did not start."""
    return _secret("SKILLWEAVE_ENGINE_KEY", environ)


def without_secrets(environ: Mapping[str, str]) -> dict[str, str]:
    """An environment for a child: what it has to know it is told in another way."""
    return {key: value for key, value in environ.items() if key not in SECRETS}


def _secret(name: str, environ: Mapping[str, str] | None) -> str | None:
    given = os.environ if environ is None else environ
    if given.get(name):
        return given[name]
    file = given.get(f"{name}_FILE")
    if not file:
        return None
    try:
        return Path(file).read_text().strip() or None
    except (OSError, UnicodeDecodeError) as err:
        raise UsageError(f"{name}_FILE={file}: {err}; expected a file that holds the key") from err


def server_url_from_environment(environ: Mapping[str, str] | None = None) -> str | None:
    """The address of a running server in `SKILLWEAVE_URL`, None where it is unset or empty."""
    return (os.environ if environ is None else environ).get("SKILLWEAVE_URL") or None


def engine_store_from_environment(environ: Mapping[str, str] | None = None) -> Path | None:
    """The store that an engine of ours looks unknown names up in: `SKILLWEAVE_STORE`, or None."""
    root = (os.environ if environ is None else environ).get("SKILLWEAVE_STORE", "")
    return Path(root).expanduser() if root else None
