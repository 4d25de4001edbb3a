"""Hands the real server to rooms that may not import it: `ServePlan` in, a running server out."""

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path

from ..distill.serving import Launch, Served, ServePlan
from ..distill.workbench import Report, quiet
from ..server.config import ServeConfig
from ..server.running import serve_in_background


def launcher(
    *,
    log_dir: Path | None = None,
    say: Callable[[str], None] | None = None,
    report: Report = quiet,
    adjust: Callable[[ServeConfig], ServeConfig] | None = None,
) -> Launch:
    """A `Launch` that starts `skillweave serve` on a free port for the length of a block.

    Args:
        log_dir: where logs of gateway and engine stay; None keeps none.
        say: gets each line of progress of the start.
        report: told when the engine is being started and when it answers.
        adjust: has the last word on what is started, such as an engine that runs already.
    """

    @contextlib.contextmanager
    def launch(plan: ServePlan) -> Iterator[Served]:
        config = ServeConfig(
            base=str(plan.base),
            store=plan.store,
            skills=plan.skills,
            router=plan.router,
            port=0,
            lora_slots=plan.slots,
            max_lora_rank=plan.rank,
            prefix_cache=plan.prefix_cache,
            log_dir=log_dir,
        )
        what = _about(plan)
        report(what, 0, 1)
        with serve_in_background(adjust(config) if adjust else config, say=say) as running:
            report(what, 1, 1)
            yield running

    return launch


def _about(plan: ServePlan) -> str:
    cache = "on" if plan.prefix_cache else "off"
    return f"starting the engine ({plan.slots} adapters of rank {plan.rank}, prefix cache {cache})"
