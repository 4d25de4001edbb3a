"""Bounded places: how many requests are in hand, of all and of each tenant. Pure, no clock.

Owns the counts and their refusal. Refuses to own who waits where (`waiting.py`).
"""

from collections import Counter

from ..errors import TooBusy


class Places:
    """Counts requests from their arrival to their end."""

    def __init__(self, *, most: int, most_per_tenant: int) -> None:
        self._most = most
        self._most_per_tenant = most_per_tenant
        self._by_tenant: Counter[str] = Counter()
        self.taken = 0

    def take(self, tenant: str, *, retry_after_s: float) -> None:
        """Take a place; `give_back` must follow.

        Args:
            retry_after_s: what a refusal recommends.

        Raises:
            TooBusy: all places are taken, or all that one tenant may have.
        """
        if self.taken >= self._most:
            raise TooBusy(
                f"{self.taken} requests are in hand, and this server takes no more at once; ask "
                "again in a moment (Retry-After says when)",
                retry_after_s=retry_after_s,
            )
        mine = self._by_tenant[tenant]
        if mine >= self._most_per_tenant:
            raise TooBusy(
                f"{mine} of your requests are in hand, and one tenant may have no more at once; "
                "wait for some of them to end (Retry-After says when to ask again)",
                retry_after_s=retry_after_s,
            )
        self._by_tenant[tenant] = mine + 1
        self.taken += 1

    def give_back(self, tenant: str) -> None:
        """A request has ended."""
        self.taken -= 1
        self._by_tenant[tenant] -= 1
        if not self._by_tenant[tenant]:
            del self._by_tenant[tenant]

    @property
    def num_tenants(self) -> int:
        """Tenants with a request in hand."""
        return len(self._by_tenant)
