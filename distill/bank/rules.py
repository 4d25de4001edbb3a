"""Whether an operation may enter a bank: every reason against it at once.

Owns the rules of structure and which advice of the linter is binding. Refuses to own the writer's
rules (`adapters/skills/write.py`), taste (`distill/lint.py`) and evidence (`gates.py`).
"""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping

from ...adapters.errors import Conflict, NotFound, Problem, SkillError
from ...adapters.skills import MAX_REFERENCE_LINES, writing_problems
from ...adapters.text import some
from ..lint import lint_skill
from .state import BankState
from .texts import text_digest, to_skill
from .types import ARITY, REWRITES, Arity, OpKind, SkillOp, SkillText, Ungated

BINDING = frozenset({"empty_body", "long_body", "reference_missing", "reference_outside"})
"""Codes of advice that a bank refuses; all other advice is noted in the event."""


def advice_on(op: SkillOp) -> tuple[Problem, ...]:
    """What the linter says of the new texts."""
    return tuple(problem for text in op.new for problem in lint_skill(to_skill(text)))


def require_sound(op: SkillOp, state: BankState, *, binding: Collection[str] = BINDING) -> None:
    """Refuse an operation that makes no sense on this bank, or leaves a text that nobody may write.

    Args:
        op: with its edits resolved.
        binding: codes of the linter's advice that count as reasons.

    Raises:
        NotFound: a target is no active skill.
        Conflict: a new name is taken, or nothing would change.
        SkillError: all other reasons, together.
    """
    found = list(_structure(op))
    for text in op.new:
        found += [f"{text.name}: {message}" for message in _text_problems(text)]
    found += [f"[{p.code}] {p.message}: {p.remedy}" for p in advice_on(op) if p.code in binding]
    if found:
        listing = "\n".join(f"  - {problem}" for problem in found)
        raise SkillError(f"{op.kind} is refused, the bank is as it was:\n{listing}")
    _require_targets(op, state.heads)
    _require_free_names(op, state.heads)
    _require_change(op, state)


def require_evidence(op: SkillOp) -> None:
    """Refuse an operation that its own gate turned away.

    Raises:
        SkillError: the gate did not let it pass.
    """
    if not isinstance(op.gate, Ungated) and not op.gate.passed:
        raise SkillError(
            f"{op.kind} did not pass its gate ({op.gate.gate}: {op.gate.reason}), the bank is as "
            "it was; record it with `refuse`, so that nobody proposes it again"
        )


def _structure(op: SkillOp) -> Iterator[str]:
    arity = ARITY[op.kind]
    if not arity.min_targets <= len(op.targets) <= arity.max_targets:
        yield _expected(op.kind, "target", len(op.targets), arity)
    if not arity.min_new <= len(op.new) <= arity.max_new:
        yield _expected(op.kind, "new text", len(op.new), arity)
    if op.edits and op.kind not in REWRITES:
        yield f"{op.kind} takes whole texts; edits belong to {' and '.join(sorted(REWRITES))}"
    for what, names in (("target", op.targets), ("new text", [t.name for t in op.new])):
        twice = [name for name, times in Counter(names).items() if times > 1]
        if twice:
            yield f"{what} named twice: {some(twice)}"
    if op.kind in REWRITES and op.new and op.targets and op.new[0].name != op.targets[0]:
        yield (
            f"{op.kind} keeps the name {op.targets[0]!r}, got {op.new[0].name!r}; to rename, "
            "create the new one and retire the old one"
        )


def _expected(kind: OpKind, what: str, seen: int, arity: Arity) -> str:
    low, high = arity[:2] if what == "target" else arity[2:]
    bounds = str(low) if low == high else f"{low} or more"
    return f"{kind} needs {bounds} {what}(s), got {seen}"


def _text_problems(text: SkillText) -> Iterator[str]:
    yield from writing_problems(to_skill(text))
    for path, content in text.files.items():
        if (num_lines := len(content.splitlines())) >= MAX_REFERENCE_LINES:
            yield f"{path} has {num_lines} lines; expected fewer than {MAX_REFERENCE_LINES}"


def _require_targets(op: SkillOp, heads: Mapping[str, str]) -> None:
    missing = [name for name in op.targets if name not in heads]
    if missing:
        raise NotFound(
            f"{op.kind}: no active skill {some(missing)}; active are {some(sorted(heads)) or '-'}"
        )


def _require_free_names(op: SkillOp, heads: Mapping[str, str]) -> None:
    taken = [t.name for t in op.new if t.name in heads and t.name not in op.targets]
    if taken:
        raise Conflict(
            f"{op.kind}: {some(taken)} is active already; improve it, or choose another name"
        )


def _require_change(op: SkillOp, state: BankState) -> None:
    if op.kind not in REWRITES:
        return
    old, new = state.head(op.targets[0]), op.new[0]
    if text_digest(new) == state.heads[old.name]:
        raise Conflict(f"{op.kind}: the text of {old.name!r} is the one that is active already")
    if op.kind == "compress" and len(new.body) >= len(old.body):
        raise SkillError(
            f"compress: the body of {old.name!r} would have {len(new.body)} characters, expected "
            f"fewer than the {len(old.body)} it has; if it is better all the same, improve it"
        )
