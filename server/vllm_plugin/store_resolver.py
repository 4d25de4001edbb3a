"""Plain `vllm serve` understands our store: `name`, `name@3`, `name@prod` as `model`.

Upstream fact (vLLM 0.32, `lora/resolver.py`): resolvers in `LoRAResolverRegistry` are asked for an
unknown `model` where `VLLM_ALLOW_RUNTIME_LORA_UPDATING=1`; the folder that one names is loaded, and
the name stands for it until it is unloaded. vLLM's own resolver joins the name to a folder.

Here a name is parsed by the grammar of the `model` string, looked up in the store of
`SKILLWEAVE_STORE` among the versions for exactly the served base (by its family digest), and the
folder comes from the store: nothing of a request becomes a path. Since vLLM keeps what a name once
stood for, an alias is looked up once; who moves aliases while serving puts `skillweave serve` in
front. Owns the resolver. Refuses to own the store.
"""

import asyncio
import logging
import time
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path

from vllm.lora.request import LoRARequest
from vllm.lora.resolver import LoRAResolver, LoRAResolverRegistry

from ...adapters.base.identity import identify_base
from ...adapters.errors import ModelStringError, NotFound, SkillweaveError
from ...adapters.expr import parse_ref
from ...adapters.store.store import Store
from ..settings import engine_store_from_environment

NAME = "skillweave store"
MAX_CHARS = 256
UNKNOWN_S = 5.0
MAX_UNKNOWN = 1024

log = logging.getLogger("vllm.skillweave")


class StoreResolver(LoRAResolver):  # type: ignore[misc]
    """Stored versions for the served base.

    Args:
        store: opened for reading.
        clock: seconds, for the time that an unknown name is not looked up again.
    """

    def __init__(self, store: Store, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._store = store
        self._clock = clock
        self._unknown: OrderedDict[tuple[str, str], float] = OrderedDict()
        self._families: dict[str, str | None] = {}

    async def resolve_lora(self, base_model_name: str, lora_name: str) -> LoRARequest | None:
        """The version's folder under the name that was asked for; None where there is none."""
        if len(lora_name) > MAX_CHARS:
            return None
        key = (base_model_name, lora_name)
        if self._unknown.get(key, 0.0) > self._clock():
            return None
        folder = await asyncio.to_thread(self._find, base_model_name, lora_name)
        if folder is None:
            self._remember_unknown(key)
            return None
        return LoRARequest(lora_name=lora_name, lora_int_id=1, lora_path=str(folder))

    def _find(self, base: str, name: str) -> Path | None:
        family = self._family(base)
        if family is None:
            return None
        try:
            return self._store.resolve(parse_ref(name).ref, base=family).path
        except (ModelStringError, NotFound):
            return None
        except SkillweaveError as err:
            log.warning("the store does not answer: %s", err)
            return None

    def _family(self, base: str) -> str | None:
        """The served base's digest, found once; None, with a warning, where it is no folder."""
        if base not in self._families:
            try:
                self._families[base] = identify_base(Path(base)).family_digest
            except (SkillweaveError, OSError) as err:
                log.warning("no stored adapter is served: the base cannot be identified: %s", err)
                self._families[base] = None
        return self._families[base]

    def _remember_unknown(self, key: tuple[str, str]) -> None:
        self._unknown[key] = self._clock() + UNKNOWN_S
        self._unknown.move_to_end(key)
        while len(self._unknown) > MAX_UNKNOWN:
            self._unknown.popitem(last=False)


def install() -> None:
    """Register the resolver where `SKILLWEAVE_STORE` names a store; a second call does nothing."""
    root = engine_store_from_environment()
    if root is not None and NAME not in LoRAResolverRegistry.get_supported_resolvers():
        LoRAResolverRegistry.register_resolver(NAME, StoreResolver(Store(root, read_only=True)))
