"""Hangs our control routes into vLLM's API server.

Upstream fact (vLLM 0.32, `plugins/__init__.py`): `build_app` asks `load_endpoint_plugins` for
objects with `attach_router` and `init_state`, which is how routes are added; it returns those that
the environment lists by name in `VLLM_PLUGINS`, a list that would shut out everybody else's
plugins. `SKILLWEAVE_VLLM=1` is our list of one.

Only where adapters may be loaded at run time, as vLLM's own routes for that. Owns the hanging.
Refuses to own the routes (`control_routes.py`), which are imported in the API server only.
"""

import functools
from typing import Any

import vllm.plugins
from vllm import envs

MARK = "_skillweave"


def install() -> None:
    """Wrap `load_endpoint_plugins`; a second call does nothing."""
    stock = vllm.plugins.load_endpoint_plugins
    if hasattr(stock, MARK):
        return

    @functools.wraps(stock)
    def load_endpoint_plugins(supported_tasks: Any = None) -> list[Any]:
        found = list(stock(supported_tasks))
        if envs.VLLM_ALLOW_RUNTIME_LORA_UPDATING and "generate" in (supported_tasks or ()):
            from .control_routes import ControlRoutes

            found.append(ControlRoutes())
        return found

    setattr(load_endpoint_plugins, MARK, True)
    vllm.plugins.load_endpoint_plugins = load_endpoint_plugins
