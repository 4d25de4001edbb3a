"""The audit log of a store, for a program that changes it without a server.

Owns finding the log and naming the user. Refuses to own its format (`audit.py`).
"""

import os
import pwd
from pathlib import Path

from ...access_settings import AUDIT_FILE, access_folder
from .audit import Audit


def audit_of_store(store: Path) -> Audit:
    """The log of a store, shared with the servers on it."""
    return Audit(access_folder(store) / AUDIT_FILE)


def user_of_this_process() -> str:
    """`cli:<user>`, as the log names who used the command line."""
    try:
        return f"cli:{pwd.getpwuid(os.getuid()).pw_name}"
    except KeyError:
        return f"cli:{os.getuid()}"
