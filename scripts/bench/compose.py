"""`skillweave bench compose`: exact algebra against PEFT's merges, on Qwen3-0.6B's shapes.

Owns the inputs (random factors: the figures are about time and about distances to an optimum, not
about skill) and the rows on best approximation; `compose_entries.py` has those on merges of
entries, `served.py` those on a forward pass and on a real engine. Merges run on one thread on both
sides.
"""

import statistics
from collections.abc import Mapping, Sequence
from functools import partial

import torch

from ...adapters.algebra import concat, norm, subtract, truncate
from ...adapters.delta import AdapterDelta, Delta
from .compose_entries import entry_rows, hard_rows
from .pairs import in_turn, versions
from .peft_side import PeftSide
from .rows import Row
from .served import rows as served_rows
from .timing import timed

LAYERS = 28
SHAPES: Mapping[str, tuple[int, int]] = {
    "self_attn.q_proj": (2048, 1024),
    "self_attn.k_proj": (1024, 1024),
    "self_attn.v_proj": (1024, 1024),
    "self_attn.o_proj": (1024, 2048),
    "mlp.gate_proj": (3072, 1024),
    "mlp.up_proj": (3072, 1024),
    "mlp.down_proj": (1024, 3072),
}
COMPARED = 2  # layers on which PEFT runs as well; a dense SVD of all 28 would take minutes a call
RANK = 16
WEIGHTS = (0.5, 0.3, -0.4, 0.2)
PAIRS = 3
BAR_RATIO = 100.0
BAR_ERROR = 1 + 1e-5


def run() -> list[Row]:
    """All rows; six to seven minutes, most of them PEFT's dense SVDs."""
    return [*merge_rows(), *served_rows()]


def merge_rows() -> list[Row]:
    """The rows that need no engine."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        few = [adapter(seed, COMPARED) for seed in range(len(WEIGHTS))]
        peft = PeftSide(few)
        return [
            *_best_rows(few, peft),
            _all_layers_row(),
            *_factor_rows(few, peft),
            *entry_rows(few, peft, WEIGHTS, RANK),
            *hard_rows(
                [adapter(seed, 1, hard=True) for seed in range(len(WEIGHTS))], WEIGHTS, RANK
            ),
        ]
    finally:
        torch.set_num_threads(threads)


def adapter(seed: int, layers: int, *, hard: bool = False) -> AdapterDelta:
    """Gaussian factors of rank 16 at alpha 32 for every projection of some layers.

    Hard: spectra fall by 0.7 from term to term, as trained ones do. Sketches need more walks then.
    """
    falls = 0.7 ** torch.arange(RANK) if hard else torch.ones(RANK)
    generator = torch.Generator().manual_seed(seed)
    found = {}
    for layer in range(layers):
        for name, (rows, columns) in SHAPES.items():
            down = torch.randn(RANK, columns, generator=generator) / columns**0.5
            up = torch.randn(rows, RANK, generator=generator) * falls / RANK
            found[f"model.layers.{layer}.{name}"] = Delta(down, up, 2.0)
    return found


def _best_rows(few: Sequence[AdapterDelta], peft: PeftSide) -> list[Row]:
    """PEFT's `svd`, in both its forms, is the same optimum."""
    target = concat(few, WEIGHTS)
    tails = [torch.linalg.svdvals(m.dense_OI().double())[RANK:] for m in target.values()]
    optimum = float(sum(tail.square().sum() for tail in tails)) ** 0.5
    mine = truncate(target, rank=RANK)
    over = norm(subtract(mine.delta, target)) / optimum
    rows = [
        Row(
            figure="compose k=4, r=16 -> r=16: Frobenius error / Eckart-Young optimum",
            value=over,
            n=len(target),
            op="<=",
            bar=BAR_ERROR,
            ours={"methods": sorted(set(mine.methods.values())), "relative_error": mine.error},
            versions=versions(),
        )
    ]
    for full in (False, True):
        ratio, _, theirs = in_turn(
            lambda: truncate(concat(few, WEIGHTS), rank=RANK),
            partial(peft.merge, WEIGHTS, "svd", rank=RANK, full_matrices=full),
            pairs=PAIRS,
            warm=not full,  # the dearest call of all comes last, both sides long warm
        )
        theirs_over = norm(subtract(theirs.delta, target)) / optimum
        rows.append(
            Row(
                figure=f"compose k=4, r=16 -> r=16, 2 of 28 layers: PEFT svd "
                f"(full_matrices={full}) time / ours",
                value=ratio.median,
                n=PAIRS,
                op=">=",
                bar=BAR_RATIO,
                equal=max(over, theirs_over) <= BAR_ERROR,
                ours=_per_layer(ratio.ours.document()),
                theirs={
                    **_per_layer(ratio.theirs.document()),
                    "interval": list(ratio.interval),
                    "error_over_optimum": theirs_over,
                },
                versions=versions(),
            )
        )
    return rows


def _per_layer(document: Mapping[str, object]) -> dict[str, object]:
    """Times are those of all layers compared; the ratio per layer is the same."""
    return {**document, "layers": COMPARED}


def _all_layers_row() -> Row:
    every = [adapter(seed, LAYERS) for seed in range(len(WEIGHTS))]
    timing = timed(lambda: truncate(concat(every, WEIGHTS), rank=RANK), repeats=3)
    return Row(
        figure="compose k=4, r=16 -> r=16, all 28 layers (196 modules): seconds of ours",
        value=statistics.median(timing.seconds),
        n=len(timing.seconds),
        ours=timing.document(),
        versions=versions(),
    )


def _factor_rows(few: Sequence[AdapterDelta], peft: PeftSide) -> list[Row]:
    """What merging factors apart gives, as a distance from the sum that it stands for."""
    target = concat(few, WEIGHTS)
    size, ours = norm(target), truncate(target, rank=RANK).error
    merged: dict[str, AdapterDelta] = {
        "PEFT linear": peft.merge(WEIGHTS, "linear").delta,
        "PEFT ties, density 0.5, on factors": peft.merge(WEIGHTS, "ties", density=0.5).delta,
        "(sum w B)(sum w A)": {name: _apart([d[name] for d in few]) for name in target},
    }
    return [
        Row(
            figure=f"relative error of {name} against the weighted sum of the adapters",
            value=norm(subtract(delta, target)) / size,
            n=len(target),
            ours={"truncate_to_the_same_rank": ours, "concat": 0.0},
            versions=versions(),
        )
        for name, delta in merged.items()
    ]


def _apart(modules: Sequence[Delta]) -> Delta:
    """Both factors averaged on their own, the common scale kept."""
    down = torch.stack([w * m.down_RI for w, m in zip(WEIGHTS, modules, strict=True)]).sum(0)
    up = torch.stack([w * m.up_OR for w, m in zip(WEIGHTS, modules, strict=True)]).sum(0)
    return Delta(down, up, modules[0].scale)
