"""Texts, operations and results that the tests of the bank share."""

from skillweave.distill.bank import GateVerdict, Pair, PairedResults, SkillOp, SkillText, Ungated

WHY = Ungated(why="a test")
PASSED = GateVerdict(
    gate="strict-improve", passed=True, delta=0.2, low=0.1, high=0.3, n=8, reason="higher"
)
FAILED = PASSED.model_copy(update={"passed": False, "delta": -0.2, "low": -0.3, "high": -0.1})


def text(name: str = "word-count", body: str = "1. Split the text at blanks.") -> SkillText:
    """A skill that the linter has nothing to say about."""
    told = f"Handle {name} requests. Use when somebody asks for {name} of a text."
    return SkillText(name=name, description=told, body=body, license="MIT")


def create(name: str = "word-count", body: str = "1. Split the text at blanks.") -> SkillOp:
    return SkillOp(kind="create", new=(text(name, body),), gate=WHY)


def results(*rows: tuple[str, float, float]) -> PairedResults:
    """Pairs from (family, reference, candidate)."""
    return PairedResults(
        tuple(Pair(f"task-{i}", 0, family, old, new) for i, (family, old, new) in enumerate(rows))
    )
