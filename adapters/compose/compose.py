"""Composing: a sum of stored adapters becomes an ordinary adapter that says what it is made of.

Owns the way from an expression to a result: terms resolved to exact versions, bases compared, the
rank judged. Refuses to own the grammar (`expr.py`), the settings of methods (`methods.py`),
the card (`composed_card.py`), mathematics (`algebra/`), and the gate, through which a result enters
the store like any other adapter.
"""

import math
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ..algebra import Rank
from ..artifact import write_artifact
from ..card import Card, Parent
from ..delta import AdapterDelta
from ..errors import AdapterRefused, ModelStringError, StoreError, UsageError
from ..expr import ModelTerms, format_model, parse_model
from ..limits import DEFAULT_LIMITS, Limits
from ..new_folder import new_folder
from ..peft_folder.deltas import read_peft, write_peft
from ..store.store import Store
from ..store.types import Version
from .apply import apply
from .composed_card import Made, common_base, composed_card
from .methods import CAN_BE_EXACT, Method, default_rank, method_of, rank_document


@dataclass(frozen=True, eq=False)
class Composed:
    """A composition that is not kept anywhere yet.

    `error` is the Frobenius norm of what was cut off relative to the norm of what was aimed at: the
    exact sum for linear methods, the masked update for `ties`, `dare` and `magnitude`; `errors` the
    same per module. `expression` pins every term to its version. `notes` say what a person should
    know about the card.
    """

    delta: AdapterDelta
    card: Card
    error: float
    errors: Mapping[str, float]
    expression: str
    notes: tuple[str, ...] = ()

    @property
    def parents(self) -> tuple[Parent, ...]:
        """What it was made of, as its card says."""
        return self.card.parents

    @property
    def rank(self) -> int:
        """The largest rank of any module: what an engine's cap is compared with."""
        return max(module.rank for module in self.delta.values())


def compose(
    store: Store,
    model: ModelTerms | str,
    *,
    rank: Rank | None = None,
    method: Method | str = "linear",
    base: str | None = None,
    accept_base: bool = False,
    limits: Limits = DEFAULT_LIMITS,
) -> Composed:
    """Compose stored adapters.

    The same expression over the same versions gives the same bytes.

    Args:
        store: where the terms live.
        model: `a*0.7+b@2*-0.3`; with `:exact` nothing may be cut off.
        rank: of the result; None is exact where the method can be exact, else the terms' ranks
            together.
        method: a name of `METHODS` with its default settings, or settings.
        base: family digest (or its first digits), where the names exist on several bases.
        accept_base: compose adapters that were made on different precisions of one base.
        limits: upper bounds; a rank above them is refused.

    Raises:
        ModelStringError: no sum of adapters. NotFound: a term is not stored.
        BaseMismatch: terms of different bases, tokenizers or precisions.
        UsageError: a method or rank that cannot work here; a rank above the limit.
    """
    terms = model_terms(model)
    how = method_of(method) if isinstance(method, str) else method
    versions = [store.resolve(term.ref, base=base) for term in terms.terms]
    card_base = common_base(versions, accept_base=accept_base)
    weights = [1.0 if term.weight is None else term.weight for term in terms.terms]
    deltas = [read_peft(version.path) for version in versions]
    wanted = _rank(terms, how, rank, deltas=deltas, limits=limits)
    made = Made(terms, versions, weights, how, wanted)
    try:
        result = apply(how, deltas, weights, rank=wanted)
    except ValueError as err:
        if isinstance(err, UsageError):
            raise
        raise UsageError(f"{made.expression} by {how.type}: {err}") from err
    if not (math.isfinite(result.error) and _is_finite(result.delta)):
        raise UsageError(
            f"{made.expression} by {how.type} is too large for float32: the result holds NaN or "
            "infinity; take smaller weights"
        )
    card, notes = composed_card(made, card_base, result.error)
    composed = Composed(result.delta, card, result.error, result.errors, made.expression, notes)
    if composed.rank > limits.rank:
        raise UsageError(
            f"the result has rank {composed.rank}, no engine can load more than {limits.rank}: cut "
            "it with --rank N; the error is reported"
        )
    return composed


def model_terms(model: ModelTerms | str) -> ModelTerms:
    """An expression as terms that can be composed.

    Raises:
        ModelStringError: it does not parse, or is no sum of adapters.
    """
    parsed = parse_model(model) if isinstance(model, str) else model
    if not isinstance(parsed, ModelTerms):
        raise ModelStringError(
            f"{format_model(parsed)!r} holds no adapter: expected terms such as 'a*0.7+b*-0.3'"
        )
    texts = [term.ref for term in parsed.terms if term.form == "text"]
    if texts:
        raise ModelStringError(
            f"{texts[0]}:text is a text: only adapters can be composed; say {texts[0]}, or train it"
        )
    return parsed


def keep(store: Store, composed: Composed, *, name: str, aliases: tuple[str, ...] = ()) -> Version:
    """Put a composition into the store, through the gate, as a version of `name`.

    Raises:
        AdapterRefused: the gate found problems. InvalidName: a bad name. StoreError: the disk.
    """
    with _peft_folder(composed) as folder:
        return store.put(folder, card=composed.card, name=name, aliases=aliases)


def write(composed: Composed, out: Path) -> Path:
    """Write a composition as an artifact: a PEFT folder with its card.

    Raises:
        Conflict: `out` exists. AdapterRefused: the gate found problems. StoreError: the disk is
            unwilling. Nothing is left at `out` then.
    """
    with new_folder(out) as partial, _peft_folder(composed) as folder:
        try:
            write_artifact(partial, folder, card=composed.card)
        except AdapterRefused as err:
            raise AdapterRefused(err.problems, composed.expression) from err
    return out


@contextmanager
def _peft_folder(composed: Composed) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="skillweave-compose-") as scratch:
        folder = Path(scratch) / "adapter"
        try:
            write_peft(composed.delta, folder, base_model=composed.card.base.name or None)
        except OSError as err:
            raise StoreError(f"writing the adapter below {scratch} failed: {err}") from err
        yield folder


def _is_finite(delta: AdapterDelta) -> bool:
    factors = (factor for module in delta.values() for factor in (module.up_OR, module.down_RI))
    return all(bool(factor.isfinite().all()) for factor in factors)


def _rank(
    terms: ModelTerms,
    how: Method,
    rank: Rank | None,
    *,
    deltas: Sequence[AdapterDelta],
    limits: Limits,
) -> Rank:
    ranks = [max(module.rank for module in delta.values()) for delta in deltas]
    if isinstance(rank, int) and not 1 <= rank <= limits.rank:
        raise UsageError(f"rank {rank}: expected 1 to {limits.rank}")
    wanted = default_rank(how, ranks, limit=limits.rank) if rank is None else rank
    exact = wanted == "exact" and how.type in CAN_BE_EXACT
    if terms.exact and not exact:
        raise UsageError(
            f"':exact' forbids cutting anything off, but method {how.type} with rank "
            f"{rank_document(wanted)} may: leave one of the two out"
        )
    if exact and sum(ranks) > limits.rank:
        raise UsageError(
            f"the exact sum may have rank {sum(ranks)}, no engine can load more than {limits.rank}:"
            " cut it with --rank auto or --rank N; the error is reported"
        )
    return wanted
