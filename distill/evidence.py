"""Evidence for one skill on one base, measured on dev requests, and the form it leads to.

Owns what is asked and what counts: the adapter is worth serving when it beats no skill by 30
points with its interval above 0, and stays within 5 points of the text. Test requests are never
touched. Refuses to own the rule from evidence to form (`router.forms`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ..adapters import Store, Version
from ..router.forms import Evidence, choose_form
from ..router.types import Form
from .evaluation import Item, compare, evaluate
from .evaluation.evaluator import Ask
from .skill_arms import named_arm, none_arm, text_arm
from .skill_training import Carried

MIN_GAIN = 0.30
MAX_LOSS = 0.05


@dataclass(frozen=True)
class Proof:
    """What dev requests say about one skill; `means` by arm over `n` requests."""

    evidence: Evidence
    form: Form
    reason: str
    means: Mapping[str, float]
    n: int

    def document(self) -> dict[str, object]:
        """The attestation: the evidence, the form the gateway reads, and the figures."""
        figures = {"split": "dev", "means": dict(self.means), "n": self.n, "reason": self.reason}
        return {**self.evidence.model_dump(), "form": self.form, **figures}


async def prove(
    one: Carried, items: Sequence[Item], *, ask: Ask, base: str, seed: int, concurrency: int = 64
) -> Proof:
    """Ask dev requests of one skill with nothing, with its text and with its adapter."""
    arms = [none_arm(), text_arm([one.skill]), named_arm({one.skill.name: one.model})]
    results = await evaluate(arms, items, ask=ask, concurrency=concurrency)
    rows = {arm.name: [r for r in results if r.arm == arm.name] for arm in arms}
    means = {name: sum(r.passed for r in found) / len(found) for name, found in rows.items()}
    over_none = compare(rows["s2l"], rows["none"], seed=seed)
    text_over_none = compare(rows["text"], rows["none"], seed=seed)
    evidence = Evidence(
        base=base,
        adapter_meets=(
            over_none.diff >= MIN_GAIN
            and over_none.ci[0] > 0
            and means["s2l"] >= means["text"] - MAX_LOSS
        ),
        text_helps=text_over_none.ci[0] > 0,
    )
    formed = choose_form([evidence], base=base, has_adapter=True, has_text=bool(one.skill.body))
    return Proof(evidence, formed.form, formed.reason, means, len(items))


def attest(store: Store, version: Version, proof: Proof) -> None:
    """Append the proof to the version; the gateway serves the form it names."""
    store.attest(version.version_digest, proof.document())
