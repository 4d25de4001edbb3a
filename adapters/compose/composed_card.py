"""The card of a composition: one base for all terms, parents by digest, and what is inherited.

Owns what a result may say of itself. Only what the terms meant enters, no alias, name or clock, so
that the same expression over the same versions is the same version. Refuses to own the composing.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from pydantic import JsonValue

from ..algebra import Rank
from ..card import Card, CardBase, Frame, Parent, RecipeRecord
from ..errors import BaseMismatch
from ..expr import ModelTerms, format_model
from ..licences import Source, combine
from ..store.types import Version
from .methods import Method, effective_weights, kind_of, rank_document

RECIPE = "compose"
_DIGITS = 6


@dataclass(frozen=True)
class Made:
    """How a composition came about: the terms asked for, what they resolved to, and the method."""

    terms: ModelTerms
    versions: Sequence[Version]
    weights: Sequence[float]
    method: Method
    rank: Rank

    @property
    def expression(self) -> str:
        """The expression with every term pinned to its version."""
        exact = [
            replace(term, id=v.id, version=v.number, alias=None, form=None)
            for term, v in zip(self.terms.terms, self.versions, strict=True)
        ]
        return format_model(ModelTerms(tuple(exact), self.terms.exact))


def composed_card(made: Made, base: CardBase, error: float) -> tuple[Card, tuple[str, ...]]:
    """The card, and what a person should know about it.

    Args:
        base: from `common_base`.
        error: relative error of the result; kept to six digits.
    """
    frame, frame_notes = _frame(made.versions)
    licence, licence_notes = _licence(made.versions)
    config: dict[str, JsonValue] = {
        "expression": made.expression,
        "method": made.method.model_dump(mode="json"),
        "rank": rank_document(made.rank),
        "error": float(f"{error:.{_DIGITS}g}"),
    }
    weights = effective_weights(made.method, made.weights)
    card = Card(
        kind=kind_of(made.method),
        base=base,
        description=f"{made.method.type}: {made.expression}",
        frame=frame,
        parents=tuple(
            Parent(version_digest=v.version_digest, weight=w, ref=v.ref)
            for v, w in zip(made.versions, weights, strict=True)
        ),
        recipe=RecipeRecord(name=RECIPE, config=config),
        seed=getattr(made.method, "seed", None),
        licence=licence,
    )
    return card, (*frame_notes, *licence_notes)


def common_base(versions: Sequence[Version], *, accept_base: bool) -> CardBase:
    """The one base that all terms were made for.

    Raises:
        BaseMismatch: another family or tokenizer; another precision, unless `accept_base`.
    """
    first, base = versions[0], versions[0].card.base
    for version in versions[1:]:
        other = version.card.base
        differing = [
            what
            for what, a, b in (
                ("family", base.family_digest, other.family_digest),
                ("tokenizer", base.tokenizer_digest, other.tokenizer_digest),
            )
            if a != b
        ]
        if differing:
            raise BaseMismatch(
                f"{first.ref} and {version.ref} differ in {' and '.join(differing)}: family "
                f"{base.family_digest} with tokenizer {base.tokenizer_digest}, and family "
                f"{other.family_digest} with tokenizer {other.tokenizer_digest}; adapters of "
                "different bases do not add up: train one of them again on the other's base"
            )
        if base.precision != other.precision and not accept_base:
            raise BaseMismatch(
                f"{first.ref} was made on {base.precision} and {version.ref} on {other.precision} "
                f"of base {base.family_digest}: measure one on the other's precision, or say "
                "--accept-base"
            )
    asserted = any(version.card.base.asserted for version in versions)
    return base.model_copy(update={"asserted": asserted})


def _frame(versions: Sequence[Version]) -> tuple[Frame, tuple[str, ...]]:
    frame = versions[0].card.frame
    if all(version.card.frame == frame for version in versions):
        return frame, ()
    return Frame(), ("frame: the parents' differ, so the result has none; give it when asking",)


def _licence(versions: Sequence[Version]) -> tuple[str | None, tuple[str, ...]]:
    licences = {version.card.licence for version in versions}
    (first, *others) = licences
    if first is not None and not others:
        return first, ()
    if None in licences:
        told = ", ".join(f"{v.ref}: {v.card.licence or 'unknown'}" for v in versions)
        return None, (f"licence: unknown, because a parent's is ({told})",)
    found = combine([Source(version.ref, version.card.licence) for version in versions])
    return found.licence, tuple(f"licence: {problem}" for problem in found.problems)
