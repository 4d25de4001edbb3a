"""What an answer is worth that somebody else began, and which given tokens are learned. Pure.

Owns the arithmetic of Prefix-RFT's and ADHint's advantages, on lists of one group; each function is
what an `AdvantageTerm` of the RL loop calls. Refuses to own advantages among ordinary answers
(`learning/advantages.py`) and the entropies (a scorer's).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from ...adapters.errors import UsageError


@dataclass(frozen=True, slots=True)
class HybridCredit:
    """What one answer with a given prefix gets on each of its two parts."""

    prefix: float
    continuation: float


def prefix_credit(ordinary: Sequence[float], hybrid: Sequence[float]) -> tuple[HybridCredit, ...]:
    """Prefix-RFT: advantages of the answers that share one prefix.

        prefix        (r - mean of the ordinary rewards) / M     M answers share the prefix
        continuation  r - mean of the rewards that share the prefix; one alone gets 0

    Args:
        ordinary: rewards of the answers without a prefix, at least one.
        hybrid: rewards of those that share the prefix.

    Raises:
        UsageError: no ordinary reward.
    Source: arXiv:2507.01679 and its repository; for one continuation alone it has v1, which leaves
        the raw reward, and v2, which makes it 0: ours is v2. Not divided by a spread: whoever
        normalises the ordinary ones divides both by the same number.
    """
    if not ordinary:
        raise UsageError("0 ordinary rewards: a prefix is compared with answers that have none")
    baseline = math.fsum(ordinary) / len(ordinary)
    siblings = math.fsum(hybrid) / len(hybrid) if hybrid else 0.0
    alike = len(set(hybrid)) < 2
    return tuple(
        HybridCredit((reward - baseline) / len(hybrid), 0.0 if alike else reward - siblings)
        for reward in hybrid
    )


def most_uncertain(entropies_T: Sequence[float], share: float = 0.2) -> tuple[bool, ...]:
    """Which prefix tokens keep their gradient: the ceil(share * T) of the highest entropy.

    Of equal ones the earlier; a share of 1 keeps all, 0 none.

    Args:
        entropies_T: in nats, of the policy where each prefix token stands.

    Raises:
        UsageError: a share outside [0, 1].
    Source: Prefix-RFT's entropy clipping, arXiv:2507.01679; the share was not found, 0.2 is ours.
    """
    if not 0 <= share <= 1:
        raise UsageError(f"a share of {share}: expected one in [0, 1]")
    count = math.ceil(share * len(entropies_T) - 1e-9)
    ranked = sorted(range(len(entropies_T)), key=lambda place: (-entropies_T[place], place))
    kept = set(ranked[:count])
    return tuple(place in kept for place in range(len(entropies_T)))


@dataclass(frozen=True, slots=True)
class AdhintCredit:
    """Advantages of a group's answers without a hint and with one, in the given order."""

    naive: tuple[float, ...]
    hinted: tuple[float, ...]


def adhint_credit(naive: Sequence[float], hinted: Sequence[float]) -> AdhintCredit:
    """ADHint's difficulty posterior: the two kinds are not pooled, and difficulty weighs them.

        A_N = (r - p_N) * (1 + 0.5 (1 - p_N) [r > p_N])
        A_H = (r - p_H) * (1 - 0.5 g) above 0, * (1 + 0.5 g) below      g = max(0, p_H - p_N)

    So a success without a hint counts more on a hard task, a success with a hint less and a failure
    with one more, the more the hint helped. Equal rewards give 0s.

    Args:
        naive: rewards in [0, 1] of the answers without a hint, at least one.
        hinted: of those with one; may be empty.

    Raises:
        UsageError: no naive reward.
    Source: the idea is ADHint's, arXiv:2512.13095; its formula was not found, this one is ours.
    """
    if not naive:
        raise UsageError("0 rewards without a hint: they say how hard the task is")
    p_naive = math.fsum(naive) / len(naive)
    p_hinted = math.fsum(hinted) / len(hinted) if hinted else 0.0
    gained = max(0.0, p_hinted - p_naive)
    plain = _centred(naive, p_naive)
    helped = _centred(hinted, p_hinted)
    return AdhintCredit(
        tuple(one * (1 + 0.5 * (1 - p_naive)) if one > 0 else one for one in plain),
        tuple(one * (1 - 0.5 * gained if one > 0 else 1 + 0.5 * gained) for one in helped),
    )


def hint_weights(
    hint_entropies: Sequence[float], continuation_entropies: Sequence[float], *, advantage: float
) -> tuple[float, ...]:
    """How much of its gradient each hint token keeps, in [0, 1].

    Selective masking: nothing where the answer's advantage is negative. Consistency modulation:

        c_t = exp(-|H_t - Hbar| / Hbar)      Hbar the mean entropy of the continuation

    A continuation without any entropy, or without tokens, keeps the tokens that have none either.

    Source: both are ADHint's, arXiv:2512.13095; the damping's formula was not found, c_t is ours.
    """
    if advantage < 0:
        return (0.0,) * len(hint_entropies)
    own = continuation_entropies
    mean = math.fsum(own) / len(own) if own else 0.0
    if mean == 0:
        return tuple(float(entropy == 0) for entropy in hint_entropies)
    return tuple(math.exp(-abs(entropy - mean) / mean) for entropy in hint_entropies)


def _centred(rewards: Sequence[float], mean: float) -> list[float]:
    """Less the mean; exactly 0 where all are equal."""
    return [0.0 if len(set(rewards)) < 2 else reward - mean for reward in rewards]
