"""Where logs go, settled before anything starts.

Owns the access log's place and the proof that it can be written. Refuses to write lines
(`gateway/telemetry/access_log.py`).
"""

from pathlib import Path

from ..adapters.errors import UsageError
from .config import ServeConfig

STDOUT = Path("-")
"""How a configuration names standard output."""
ACCESS_NAME = "access.log"


def access_file(config: ServeConfig) -> Path | None:
    """The file of the access log; None where it goes to standard output, or nowhere."""
    if config.access_log == "off" or config.access_log_file == STDOUT:
        return None
    if config.access_log_file is not None:
        return config.access_log_file.absolute()
    return None if config.log_dir is None else config.log_dir.absolute() / ACCESS_NAME


def prepare_logs(config: ServeConfig) -> None:
    """Make the folder of logs, and the access log's file.

    Raises:
        UsageError: one of them cannot be made.
    """
    try:
        if config.log_dir is not None:
            config.log_dir.mkdir(parents=True, exist_ok=True)
    except OSError as err:
        raise UsageError(
            f"log_dir {config.log_dir}: {err.strerror}; name a folder that can be written"
        ) from err
    file = access_file(config)
    try:
        if file is not None:
            file.open("ab").close()
    except OSError as err:
        raise UsageError(
            f"access_log_file {file}: {err.strerror}; name a file that can be written, `-` for "
            "standard output, or say access_log = 'off'"
        ) from err


def lines_to_stdout(config: ServeConfig) -> bool:
    """Whether the lines of the access log go to standard output."""
    return config.access_log == "json" and config.access_log_file == STDOUT
