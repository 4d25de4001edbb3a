"""What the first process of a container owes the others: it collects orphans that have ended.

A process whose parent has gone becomes a child of process 1, which must wait for it, or its entry
stays for good. The supervisor is process 1 where an image starts it; elsewhere somebody else is.
Owns the collecting. Refuses to touch children that are somebody's to wait for.
"""

import os
from collections.abc import Set

from .keeper import children


def reap_strangers(known: Set[int]) -> list[int]:
    """Collect ended children of this process that are not `known`; returns their pids."""
    collected = []
    for pid in children(os.getpid()):
        if pid in known:
            continue
        try:
            ended, _ = os.waitpid(pid, os.WNOHANG)
        except ChildProcessError:  # somebody else was faster
            continue
        if ended:
            collected.append(pid)
    return collected
