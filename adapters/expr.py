"""The grammar of the `model` string. Pure: text in, frozen values out, and back again.

    model  = "base" | "auto" | term *( "+" term ) [ ":exact" ]
    term   = [ namespace "/" ] name [ "@" ( version | alias ) ] [ ":" form ] [ "*" weight ]
    form   = "text" | "adapter"
    weight = [ "-" ] digits [ "." digits ]

Examples: `sql-report`, `team/sql-report@3`, `sql-report@prod:text`, `a*0.7+b@2*-0.2:exact`.
Owns the syntax and the rule that a sum holds adapters only. Refuses to own whether a name exists
and whether the caller may use it. To add a form: extend `Form` and `_FORMS`.
"""

import math
import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal, cast

from .errors import InvalidName, ModelStringError
from .names import RESERVED, AdapterId, parse_version, validate_alias

Form = Literal["text", "adapter"]

MAX_CHARS = 1024
MAX_TERMS = 16
MAX_ABS_WEIGHT = 1000.0

_FORMS = ("text", "adapter")
_EXACT = ":exact"
_WEIGHT = re.compile(r"-?[0-9]{1,16}(?:\.[0-9]{1,32})?")
_TERM = re.compile(
    r"(?P<id>[^@:*]*)(?:@(?P<which>[^@:*]*))?(?::(?P<form>[^@:*]*))?(?:\*(?P<weight>[^@:*]*))?"
)


@dataclass(frozen=True)
class ModelBase:
    """The base model without any adapter."""


@dataclass(frozen=True)
class ModelAuto:
    """The router decides."""


@dataclass(frozen=True)
class Term:
    """One adapter or skill text in a `model` string.

    At most one of `version` and `alias` is set; neither means the alias `default`. `form` None
    means that the evidence decides; `weight` None means 1. `alias` may be the computed `latest`.
    """

    id: AdapterId
    version: int | None = None
    alias: str | None = None
    form: Form | None = None
    weight: float | None = None

    @property
    def ref(self) -> str:
        """The part that a store resolves: `[namespace/]name[@version|@alias]`."""
        which = self.version if self.version is not None else self.alias
        return str(self.id) if which is None else f"{self.id}@{which}"


@dataclass(frozen=True)
class ModelTerms:
    """One term, or a sum of adapters. `exact` forbids a truncated composition."""

    terms: tuple[Term, ...]
    exact: bool = False


Model = ModelBase | ModelAuto | ModelTerms


def parse_model(text: str) -> Model:
    """Read a `model` string.

    Raises:
        ModelStringError: it does not follow the grammar; the message quotes the part at fault.
    """
    if not text or len(text) > MAX_CHARS:
        raise ModelStringError(f"model has {len(text)} characters: expected 1 to {MAX_CHARS}")
    if text == "base":
        return ModelBase()
    if text == "auto":
        return ModelAuto()
    exact = text.endswith(_EXACT)
    parts = text.removesuffix(_EXACT).split("+")
    if len(parts) > MAX_TERMS:
        raise ModelStringError(f"model is a sum of {len(parts)} terms: at most {MAX_TERMS}")
    model = ModelTerms(tuple(parse_term(part) for part in parts), exact)
    _check_sum(model, text)
    return model


def parse_term(text: str) -> Term:
    """Read one term of a `model` string.

    Raises:
        ModelStringError: as `parse_model`.
    """
    match = _TERM.fullmatch(text)
    if match is None or not match["id"]:
        raise ModelStringError(
            f"{text!r} is not a term: expected [namespace/]name[@version|@alias]"
            "[:text|:adapter][*weight]"
        )
    if match["id"] in RESERVED:
        raise ModelStringError(
            f"{text!r}: {match['id']!r} is no adapter; 'base' and 'auto' stand alone, without "
            "version, form, weight or '+'"
        )
    try:
        version, alias = _parse_which(match["which"])
        return Term(
            id=AdapterId.parse(match["id"]),
            version=version,
            alias=alias,
            form=_parse_form(match["form"]),
            weight=_parse_weight(match["weight"]),
        )
    except InvalidName as err:
        raise ModelStringError(f"in {text!r}: {err}") from err


def parse_ref(text: str) -> Term:
    """Read a reference to a stored version: a term without form and weight.

    Raises:
        ModelStringError: it does not parse, or carries a form or a weight.
    """
    term = parse_term(text)
    if term.form is not None or term.weight is not None:
        raise ModelStringError(
            f"{text!r} carries a form or a weight: expected [namespace/]name[@version|@alias]"
        )
    return term


def format_model(model: Model) -> str:
    """The canonical spelling; `parse_model(format_model(m)) == m`."""
    match model:
        case ModelBase():
            return "base"
        case ModelAuto():
            return "auto"
        case ModelTerms(terms, exact):
            return "+".join(format_term(term) for term in terms) + (_EXACT if exact else "")


def format_term(term: Term) -> str:
    """The canonical spelling of one term."""
    form = "" if term.form is None else f":{term.form}"
    weight = "" if term.weight is None else f"*{_format_weight(term.weight)}"
    return f"{term.ref}{form}{weight}"


def _check_sum(model: ModelTerms, text: str) -> None:
    weighed = len(model.terms) > 1 or model.terms[0].weight is not None or model.exact
    if weighed and any(term.form == "text" for term in model.terms):
        raise ModelStringError(
            f"{text!r}: a sum, a weight and ':exact' need adapters, but a term says ':text'; "
            "ask for the text alone"
        )


def _parse_which(text: str | None) -> tuple[int | None, str | None]:
    if text is None:
        return None, None
    number = parse_version(text)
    if number is not None:
        return number, None
    return None, text if text == "latest" else validate_alias(text)


def _parse_form(text: str | None) -> Form | None:
    if text is None:
        return None
    if text not in _FORMS:
        raise ModelStringError(f"form {text!r} is unknown: expected one of {', '.join(_FORMS)}")
    return cast(Form, text)


def _parse_weight(text: str | None) -> float | None:
    if text is None:
        return None
    if not _WEIGHT.fullmatch(text):
        raise ModelStringError(f"weight {text!r} is no plain decimal number such as 0.7 or -0.25")
    weight = float(text)
    if not math.isfinite(weight) or abs(weight) > MAX_ABS_WEIGHT:
        raise ModelStringError(f"weight {text} is out of range: |weight| <= {MAX_ABS_WEIGHT:g}")
    return weight + 0.0  # -0.0 becomes 0.0


def _format_weight(weight: float) -> str:
    return format(Decimal(repr(weight)), "f")
