"""What the engine core answers to our calls. Pure types, so that routes need not import vLLM."""

from typing import Literal

Removed = Literal["done", "unknown", "busy"]
"""Freed; no adapter of that name is held; a request that has not ended uses it."""

Pinned = Literal["done", "unknown", "full"]
"""Kept, or no longer; no adapter of that name is held; no room for a batch would be left."""

Held = dict[str, list[str] | int]
"""`slots`, `host`, `pinned`: names; `max_loras`, `max_cpu_loras`, `max_lora_rank`: limits."""
