"""Adapters whose greedy answers are known, all different, and wide apart, on the shipped base.

Each pushes one token: a rank-1 update of the last layer's values adds the same vector at every
position, so that attention passes it on whatever it attends to, and the output layer reads a token
of this adapter's own out of it. The push lies in the values, that is in the KV cache: an answer
computed on another version's cache leans to the other version's token. That this would be seen is
computed, too. Owns construction and reference, without an engine.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from transformers import AutoModelForCausalLM

from ...adapters import Delta, write_peft

MARGIN = 0.01
"""Smallest gap between the two best log-probabilities at any place of any answer."""
STRENGTH = 2000.0
"""Length of what is added to the last hidden state; its own is some hundred."""
PROMPT_TOKENS, CACHED_TOKENS = 330, 256
WORDS = 3
_CANDIDATES = 3


@dataclass(frozen=True)
class Marked:
    """One adapter and what it must answer: `answers[p]` are the ids after prompt `p`."""

    token: int
    delta: dict[str, Delta]
    answers: tuple[tuple[int, ...], ...]
    margin: float


@dataclass(frozen=True)
class Proof:
    """What was computed before anything is served.

    `margin` is the smallest gap over all answers; `distinct` says that answers differ pairwise on
    every prompt; `seen` of `tried` answers on another adapter's cache differ from the right one.
    """

    margin: float
    distinct: bool
    seen: int
    tried: int


def prompts(num: int, *, tokens: int = PROMPT_TOKENS, seed: int = 0) -> list[list[int]]:
    """Arbitrary ids, without control tokens."""
    generator = torch.Generator().manual_seed(seed)
    drawn = torch.randint(10, 3000, (num, tokens), generator=generator)
    return [[int(token) for token in row] for row in drawn]


class Workshop:
    """The base, opened once, and the place in it where the adapters act."""

    def __init__(self, base: Path, asked: Sequence[Sequence[int]]) -> None:
        model: Any = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32)
        self._model = model.eval()
        self._layer = len(model.model.layers) - 1
        attention = model.model.layers[-1].self_attn
        self._values, self._output_OI = attention.v_proj, attention.o_proj.weight.detach()
        self._asked = [torch.tensor([list(ids)]) for ids in asked]
        self._down_I = self._mean_input()

    @property
    def module(self) -> str:
        """Where the adapters act, by its name in the base."""
        return f"model.layers.{self._layer}.self_attn.v_proj"

    def make(self, num: int) -> list[Marked]:
        """So many adapters with pairwise different tokens; the widest margins first.

        Raises:
            RuntimeError: not so many keep their margin; the criterion cannot be met.
        """
        made: list[Marked] = []
        for token, up_O in self._pushes(_CANDIDATES * num):
            found = self._try(token, up_O)
            if found.margin > MARGIN and found.token not in {one.token for one in made}:
                made.append(found)
            if len(made) == num:
                return made
        raise RuntimeError(f"only {len(made)} of {num} adapters have a margin above {MARGIN}")

    def prove(self, made: Sequence[Marked], *, tried: int = 12) -> Proof:
        """The criterion, and that a stale cache would be seen."""
        per_prompt = zip(*(one.answers for one in made), strict=True)
        distinct = all(len(set(answers)) == len(made) for answers in per_prompt)
        neighbours = list(zip(made, [*made[1:], made[0]], strict=True))[:tried]
        seen = sum(
            self._answer(self._asked[0], here, stale=other)[0] != here.answers[0]
            for here, other in neighbours
        )
        return Proof(min(one.margin for one in made), distinct, seen, len(neighbours))

    def _try(self, token: int, up_O: Tensor) -> Marked:
        delta = {self.module: Delta(self._down_I[None].clone(), up_O[:, None].clone(), 1.0)}
        bare = Marked(token, delta, (), 0.0)
        told = [self._answer(ids, bare) for ids in self._asked]
        return Marked(token, delta, tuple(ids for ids, _ in told), min(gap for _, gap in told))

    def _answer(
        self, ids: Tensor, adapter: Marked, *, stale: Marked | None = None
    ) -> tuple[tuple[int, ...], float]:
        """Greedy ids and the smallest gap; the first tokens by `stale`, if one is given."""
        past, start = None, 0
        if stale is not None:
            past, start = self._run(ids[:, :CACHED_TOKENS], stale, None)[1], CACHED_TOKENS
        said: list[int] = []
        gaps: list[float] = []
        rest = ids[:, start:]
        for _ in range(WORDS):
            logits_V, past = self._run(rest, adapter, past)
            best = logits_V.log_softmax(-1).topk(2)
            gaps.append(float(best.values[0] - best.values[1]))
            said.append(int(best.indices[0]))
            rest = torch.tensor([[said[-1]]])
        return tuple(said), min(gaps)

    def _run(self, ids: Tensor, adapter: Marked, past: Any) -> tuple[Tensor, Any]:
        """Logits of the last place (V,), and the cache, with the adapter in the weights."""
        delta = adapter.delta[self.module]
        weight = self._values.weight
        with torch.no_grad():
            before = weight.clone()
            weight += delta.up_OR @ delta.down_RI
            out = self._model(ids, past_key_values=past, use_cache=True)
            weight.copy_(before)
        return out.logits[0, -1], out.past_key_values

    def _mean_input(self) -> Tensor:
        """The direction on which the inputs of the values agree, scaled so that they give 1."""
        seen: list[Tensor] = []
        hook = self._values.register_forward_pre_hook(lambda _, given: seen.append(given[0][0]))
        with torch.no_grad():
            for ids in self._asked:
                self._model(ids)
        hook.remove()
        mean_I = torch.cat(seen).mean(0)
        return mean_I / (mean_I @ mean_I)

    def _pushes(self, num: int) -> list[tuple[int, Tensor]]:
        """Tokens, and the change of the values (O,) that pushes each, the clearest first."""
        config = self._model.config
        width, groups = config.head_dim, config.num_attention_heads // config.num_key_value_heads
        shape = (-1, config.num_key_value_heads, groups, width)
        through = self._output_OI.reshape(shape).sum(2).flatten(1)  # one value, read by its group
        embedding_VO = self._model.model.embed_tokens.weight.detach()
        wanted = embedding_VO * self._model.model.norm.weight.detach()
        wanted = wanted - wanted.mean(0)
        values = torch.linalg.lstsq(through, wanted.T).solution.T
        pushed = values @ through.T
        length = pushed.norm(dim=1, keepdim=True)
        read = (pushed / length * self._model.model.norm.weight.detach()) @ embedding_VO.T
        best = read.topk(2, dim=1)
        clear = (best.values[:, 0] - best.values[:, 1]).masked_fill(
            best.indices[:, 0] != torch.arange(len(read)), float("-inf")
        )
        order = [int(token) for token in clear.topk(num).indices if token > 4]
        return [(token, STRENGTH * values[token] / length[token]) for token in order]


def write_marked(made: Sequence[Marked], folder: Path) -> list[Path]:
    """A PEFT folder for each."""
    paths = [folder / f"marked-{place}" for place in range(len(made))]
    for one, path in zip(made, paths, strict=True):
        write_peft(one.delta, path)
    return paths
