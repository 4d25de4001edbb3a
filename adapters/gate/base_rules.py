"""Whether an adapter's modules are modules of a base. Pure.

Owns names, shapes and completeness. Refuses to own identity: family, precision and tokenizer are
`base/identity.py`'s.
"""

from collections.abc import Mapping

from ..base.identity import BaseIdentity
from ..errors import Problem
from ..limits import Limits
from ..peft_folder.config import PeftConfig
from ..peft_folder.header import ModuleHeader
from ..text import some


def module_problems(modules: Mapping[str, ModuleHeader], base: BaseIdentity) -> list[Problem]:
    """Modules that the base does not have, or has in another shape."""
    known = base.modules
    unknown, wrong = [], []
    for name, module in modules.items():
        wanted = known.get(name)
        if wanted is None:
            unknown.append(name)
        elif wanted != module.shape:
            wrong.append(f"{name} (adapter {list(module.shape)}, base {list(wanted)})")
    remedy = f"use the base it was trained on; this one is {base.family_digest}"
    return [
        Problem(code, f"{len(names)} module(s) {what}: {some(names)}", remedy)
        for code, what, names in (
            ("unknown_module", "that the base does not have", unknown),
            ("wrong_shape", "of another shape than the base's", wrong),
        )
        if names
    ]


def missing_problems(
    config: PeftConfig, modules: Mapping[str, ModuleHeader], base: BaseIdentity, limits: Limits
) -> list[Problem]:
    """Modules that the config targets and the weights do not hold: a half-saved adapter.

    PEFT would start them afresh, vLLM leave them out. Expert layers are passed over: files name
    them one by one, models often hold them as one. `all-linear` speaks of the kinds of modules
    that the weights do hold, since not every matrix of a base is a linear layer.
    """
    absent = [name for name in base.modules if name not in modules and ".experts." not in name]
    if config.targets_all_linear:
        kinds = {name.rpartition(".")[2] for name in modules}
        absent = [name for name in absent if name.rpartition(".")[2] in kinds]
    if not absent or not modules or config.cost_problem(absent, limits) is not None:
        return []  # too costly to ask: then the pattern is refused for the names it does match
    missing = [name for name in absent if config.targets_module(name)]
    if not missing:
        return []
    text = f"{len(missing)} module(s) of the base are targeted and not held: {some(missing)}"
    remedy = (
        "save the adapter again with peft, or name in target_modules exactly the modules it holds"
    )
    return [Problem("missing_module", text, remedy)]
