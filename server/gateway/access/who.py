"""The audit log of a store, for a program that changes it without a server.

Owns finding the log and naming the user. Refuses to own its format (`audit.py`).
"""

import os
import pwd
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ....adapters.errors import SkillweaveError
from ...access_settings import AUDIT_FILE, access_folder
from .audit import Act, Audit, Fact


def audit_of_store(store: Path) -> Audit:
    """The log of a store, shared with the servers on it."""
    return Audit(access_folder(store) / AUDIT_FILE)


def user_of_this_process() -> str:
    """`cli:<user>`, as the log names who used the command line."""
    try:
        return f"cli:{pwd.getpwuid(os.getuid()).pw_name}"
    except KeyError:
        return f"cli:{os.getuid()}"


@contextmanager
def recorded(action: str, store: Path, **facts: Fact) -> Iterator[Act]:
    """Record how a change of a store by the command line ended.

    Raises:
        StoreError: it cannot be recorded; where the body was done, it stays done.
    """
    act, result = Act(dict(facts)), "failed"
    try:
        yield act
        result = "ok"
    except SkillweaveError as err:
        result = type(err).__name__
        raise
    finally:
        who = user_of_this_process()
        audit_of_store(store).record_all(action, who=who, result=result, facts=act.facts)
