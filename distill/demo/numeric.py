"""The numeric block: vLLM against PEFT for every adapter, with a wrong adapter as control."""

from collections.abc import Sequence

from ..agreement import (
    BAR_MAX_ABS,
    BAR_WRONG_MEAN_ABS,
    differences,
    local_logprobs,
    served_logprobs,
)
from ..rendering import token_row
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
        answers = [
            token_row(bench.tokenizer, d.conversation(), bench.frame)
            for d in one.lesson.demonstrations[:num_rows]
        ]
        served = await served_logprobs(url, one.model, answers)
        right = differences(served, local_logprobs(bench.model, one.version.path, answers))
        wrong = differences(served, local_logprobs(bench.model, other.version.path, answers))
        rows.append(
            NumericRow(
                adapter=one.version.ref,
                tokens=right.tokens,
                max_abs=right.max_abs,
                mean_abs=right.mean_abs,
                wrong_adapter=other.version.ref,
                wrong_mean_abs=wrong.mean_abs,
            )
        )
        bench.report("comparing vLLM with PEFT", index + 1, len(carried))
    return NumericBlock(
        rows=tuple(rows), bar_max_abs=BAR_MAX_ABS, bar_wrong_mean_abs=BAR_WRONG_MEAN_ABS
    )
