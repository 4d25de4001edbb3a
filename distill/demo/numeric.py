"""The numeric block: vLLM against PEFT for every adapter, with a wrong adapter as control."""

from collections.abc import Sequence

from ...adapters import Version
from ..agreement import (
    BAR_MAX_ABS,
    BAR_WRONG_MEAN_ABS,
    differences,
    local_logprobs,
    served_logprobs,
)
from ..rendering import TokenRow, token_row
from ..report.model import NumericBlock, NumericRow
from ..skill_training import Carried
from ..workbench import Workbench


async def measure_numeric(
    url: str, carried: Sequence[Carried], bench: Workbench, *, num_rows: int
) -> NumericBlock:
    """Compare log-probabilities of answer tokens; the control gives PEFT the next adapter."""
    rows: list[NumericRow] = []
    for index, one in enumerate(carried):
        other = carried[(index + 1) % len(carried)]
        answers = _answers([one], bench, num_rows)
        rows.append(await _row(url, one.version, other.version, answers, bench))
        bench.report("comparing vLLM with PEFT", index + 1, len(carried))
    return NumericBlock(
        rows=tuple(rows), bar_max_abs=BAR_MAX_ABS, bar_wrong_mean_abs=BAR_WRONG_MEAN_ABS
    )


async def measure_shared_numeric(
    url: str, shared: Version, carried: Sequence[Carried], bench: Workbench, *, num_rows: int
) -> NumericRow:
    """The same for the shared adapter; the control gives PEFT the first skill's adapter."""
    answers = _answers(carried, bench, max(1, num_rows // len(carried)))
    return await _row(url, shared, carried[0].version, answers, bench)


def _answers(carried: Sequence[Carried], bench: Workbench, each: int) -> list[TokenRow]:
    return [
        token_row(bench.tokenizer, demonstration.conversation(), bench.frame)
        for one in carried
        for demonstration in one.lesson.demonstrations[:each]
    ]


async def _row(
    url: str, version: Version, other: Version, answers: Sequence[TokenRow], bench: Workbench
) -> NumericRow:
    served = await served_logprobs(url, f"{version.ref}:adapter", answers)
    right = differences(served, local_logprobs(bench.model, version.path, answers))
    wrong = differences(served, local_logprobs(bench.model, other.path, answers))
    return NumericRow(
        adapter=version.ref,
        tokens=right.tokens,
        max_abs=right.max_abs,
        mean_abs=right.mean_abs,
        wrong_adapter=other.ref,
        wrong_mean_abs=wrong.mean_abs,
    )
