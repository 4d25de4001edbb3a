"""Under which licence an adapter may be passed on, from those of what it was made of. Pure.

An adapter carries its skill's text, its base's abilities and its teacher's answers, so the licences
of all of them count. The rules are few, and no legal advice; where they cannot decide they say no
and what to state. Owns them. Refuses to own publishing (`hub/`), and never fills in a default.

    unknown part                     not publishable: state its licence
    no-derivatives or proprietary    not publishable
    all permissive                   the most demanding of them (the first of `PERMISSIVE`)
    one copyleft, rest permissive    that copyleft (AGPL takes in GPL, GPL takes in LGPL and MPL)
    one non-commercial, rest perm.   that one (its share-alike form where both occur)
    one model licence, rest perm.    that one, such as gemma or llama3.1
    two of these kinds, or two that differ within a kind: a conflict, not publishable

To add a licence: its identifier, as hubs spell it, in one of the tables.
"""

from collections.abc import Sequence
from dataclasses import dataclass

PERMISSIVE = (
    "apache-2.0",
    "cc-by-4.0",
    "cc-by-3.0",
    "cdla-permissive-2.0",
    "bsd-3-clause",
    "bsd-2-clause",
    "bsd",
    "mit",
    "isc",
    "zlib",
    "bsl-1.0",
    "unlicense",
    "wtfpl",
    "cc0-1.0",
)
"""From the most demanding to the least."""
COPYLEFT = {
    "agpl-3.0": ("gpl-3.0", "lgpl-3.0", "mpl-2.0"),
    "gpl-3.0": ("lgpl-3.0", "mpl-2.0"),
    "gpl-2.0": (),
    "lgpl-3.0": (),
    "mpl-2.0": (),
    "epl-2.0": (),
    "cc-by-sa-4.0": (),
    "cc-by-sa-3.0": (),
    "odbl": (),
}
"""Each with those that it takes in."""
NON_COMMERCIAL = {
    "cc-by-nc-4.0": (),
    "cc-by-nc-3.0": (),
    "cc-by-nc-2.0": (),
    "cc-by-nc-sa-4.0": ("cc-by-nc-4.0",),
    "cc-by-nc-sa-3.0": ("cc-by-nc-3.0",),
}
"""Each with those that it takes in."""
CLOSED = frozenset(
    {"cc-by-nd-4.0", "cc-by-nc-nd-4.0", "cc-by-nc-nd-3.0", "proprietary", "all-rights-reserved"}
)
"""Nothing made from these may be passed on."""
MODEL_LICENCES = frozenset(
    {"gemma", "llama2", "llama3", "llama3.1", "llama3.2", "llama3.3", "llama4", "openrail"}
    | {"openrail++", "bigscience-openrail-m", "creativeml-openrail-m", "deepseek", "qwen"}
    | {"qwen-research", "falcon-llm", "apple-amlr", "fair-noncommercial-research-license", "grok2"}
)
"""Terms of one model's maker; two of them are never combined."""

_SPELLINGS = {
    "apache 2.0": "apache-2.0",
    "apache license 2.0": "apache-2.0",
    "apache-2": "apache-2.0",
    "mit license": "mit",
    "agpl-3.0-only": "agpl-3.0",
    "agpl-3.0-or-later": "agpl-3.0",
    "gpl-3.0-only": "gpl-3.0",
    "gpl-3.0-or-later": "gpl-3.0",
    "gpl-2.0-only": "gpl-2.0",
    "lgpl-3.0-only": "lgpl-3.0",
    "lgpl-3.0-or-later": "lgpl-3.0",
    "cc-by-nd-4.0 international": "cc-by-nd-4.0",
    "cc0": "cc0-1.0",
    "isc license": "isc",
}


@dataclass(frozen=True)
class Source:
    """One thing that an adapter was made of; `licence` None where nobody has said.

    `remedy` says how it could be stated; by default with the option that is called like it.
    """

    what: str
    licence: str | None
    remedy: str = ""


@dataclass(frozen=True)
class Combined:
    """What follows. `licence` is None where `problems` is not empty."""

    licence: str | None
    problems: tuple[str, ...]


def identifier(text: str) -> str:
    """A licence as hubs spell it: lower case, and the usual other spellings folded."""
    folded = " ".join(text.strip().lower().split())
    return _SPELLINGS.get(folded, folded)


def known(licence: str) -> bool:
    """Whether the tables hold this identifier."""
    groups = (PERMISSIVE, COPYLEFT, NON_COMMERCIAL, CLOSED, MODEL_LICENCES)
    return any(licence in group for group in groups)


def combine(sources: Sequence[Source]) -> Combined:
    """The licence of what was made from these, or everything that stands against passing it on.

    Args:
        sources: at least one.
    """
    problems = [
        f"the licence of the {s.what} is unknown: {s.remedy or f'state it (--{s.what}-licence)'}"
        for s in sources
        if not s.licence
    ]
    found = [(s.what, identifier(s.licence)) for s in sources if s.licence]
    for what, licence in found:
        if licence in CLOSED:
            problems.append(f"the {what} is under {licence}, which lets nobody pass on adapters")
        elif not known(licence):
            problems.append(
                f"the {what} is under {licence!r}, which is in no table: state the licence that "
                "applies by its identifier, such as apache-2.0"
            )
    if problems or not found:
        return Combined(None, tuple(problems) or ("nothing is known of its licences",))
    return _strongest({licence: what for what, licence in found})


def publishable(sources: Sequence[Source], *, stated: str | None = None) -> Combined:
    """The licence under which an adapter may be published, where its publisher may state one.

    Args:
        sources: what it was made of.
        stated: what the publisher says of the whole. It must be one that the sources allow; it
            takes the place of none of them.
    """
    combined = combine(sources)
    if stated is None or combined.licence is None:
        return combined
    whole = combine([*sources, Source("adapter", stated)])
    if whole.licence is None or whole.licence != identifier(stated):
        text = f"stated is {identifier(stated)}, what it was made of requires {combined.licence}"
        return Combined(None, (*whole.problems, text))
    return whole


def _strongest(found: dict[str, str]) -> Combined:
    """`found`: licence -> what is under it; every licence is in a table."""
    strong: list[str] = []
    for group in (COPYLEFT, NON_COMMERCIAL):
        here = [licence for licence in found if licence in group]
        inside = {inner for licence in here for inner in group[licence]}
        strong += [licence for licence in here if licence not in inside]
    strong += [licence for licence in found if licence in MODEL_LICENCES]
    if len(strong) > 1:
        parts = " and ".join(f"{licence} (of the {found[licence]})" for licence in strong)
        return Combined(None, (f"{parts} cannot be combined: publish neither, or ask a lawyer",))
    if strong:
        return Combined(strong[0], ())
    return Combined(min(found, key=PERMISSIVE.index), ())
