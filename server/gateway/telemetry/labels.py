"""Labels of metrics, bounded: whatever clients ask for, the number of series stays small. Pure.

Owns which words a label may take. Refuses to own the metrics (`metrics.py`).
"""

OTHER = "other"
MIX = "mix"


class Bounded:
    """The first `limit` different words as they are; every later one is `other`.

    First come, first kept, because a counter cannot be moved to another label afterwards: a word
    that has a series of its own keeps it until the gateway is started again.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._kept: dict[str, str] = {}

    def __call__(self, word: str) -> str:
        kept = self._kept.get(word)
        if kept is not None:
            return kept
        if len(self._kept) >= self._limit:
            return OTHER
        self._kept[word] = word
        return word

    def __len__(self) -> int:
        return len(self._kept)


def adapter_word(adapter: str) -> str:
    """What stands for an adapter before it is bounded.

    A name stands for itself, also that of a training run. All sums share `mix`: there is no end to
    them, and they would use up the places of the names.
    """
    return MIX if "+" in adapter or "*" in adapter else adapter


def decision_word(route: str, form: str) -> str:
    """What decided: the model string, the router, its abstention, or an earlier turn.

    Args:
        route: what the reply header `x-skillweave-route` says; a router's reason follows a colon.
        form: `adapter`, `text` or `none`.
    """
    kind = route.partition(":")[0].strip()
    if kind == "auto":
        return "abstain" if form == "none" else "selector"
    return kind if kind in ("named", "sticky") else OTHER
