"""How long to wait before a child that has ended is started again. Pure.

One that lived steadily is started again at once. One that ends soon after its start waits twice as
long each time, so that it cannot eat the machine that the others serve from; it is never given up,
because the cause (memory, a disk, a driver) may pass. A little chance keeps replicas that ended
together from coming back together.
Owns the rule. Refuses to own clocks and processes (`guards.py`).
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Backoff:
    """The rule: 0 after a steady life, then `first_s`, doubled each time, up to `longest_s`.

    `steady_s` of being ready make a life a steady one; `jitter` is the share by which a wait may
    be shorter or longer.
    """

    first_s: float = 0.5
    longest_s: float = 30.0
    steady_s: float = 5.0
    jitter: float = 0.25

    def failures_after(self, failures: int, *, ready_s: float) -> int:
        """How often in a row it has ended too soon, with the life of `ready_s` that just ended."""
        return 0 if ready_s >= self.steady_s else failures + 1

    def wait_s(self, failures: int, *, chance: float) -> float:
        """Seconds until the next start.

        Args:
            failures: lives in a row that ended too soon.
            chance: uniform in [0, 1).
        """
        if failures == 0:
            return 0.0
        doublings = min(failures - 1, 60)  # beyond that the wait is the longest one anyway
        wait_s = min(self.first_s * 2.0**doublings, self.longest_s)
        return wait_s * (1.0 + self.jitter * (2.0 * chance - 1.0))
