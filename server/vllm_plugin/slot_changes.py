"""A slot that gets other weights is read anew: the ranks that `cpu_lora.py` remembers are of the
weights that were there before.

Upstream fact (vLLM 0.32, `lora/model_manager.py`): `LoRAModelManager.activate_adapter` is the one
place that writes weights into a slot, also when an adapter is loaded again in place under its id;
it returns True where it did, and the slot is then the adapter's place in `lora_index_to_id`. The
wrapper's metadata do not tell: they stay the same when an id comes back to its slot.

Owns the notice. Refuses to own what is remembered.
"""

import functools

from vllm.lora.model_manager import LoRAModelManager

from .cpu_lora import GroupedPunicaWrapper

MARK = "_skillweave"


def install() -> None:
    """Wrap `activate_adapter`; a second call does nothing."""
    stock = LoRAModelManager.activate_adapter
    if hasattr(stock, MARK):
        return

    @functools.wraps(stock)
    def activate_adapter(self: LoRAModelManager, lora_id: int) -> bool:
        changed = bool(stock(self, lora_id))
        if changed:
            slot = self.lora_index_to_id.index(lora_id)
            for wrapper in self.punica_wrapper_mapping.values():
                if isinstance(wrapper, GroupedPunicaWrapper):
                    wrapper.forget(slot)
        return changed

    setattr(activate_adapter, MARK, True)
    LoRAModelManager.activate_adapter = activate_adapter
