"""Every kind of spoiled adapter that we know, each with the codes that it must be refused with.

Each starts from the sound adapter of `healthy.py` and has one thing done to it. Self-contained:
the exam of the gate loads it from outside pytest. To add a kind: one line in the table of what is
spoiled, `spoiled_*.py`.
"""

from .spoiled_cards import CARDS
from .spoiled_configs import CONFIGS
from .spoiled_folders import FOLDERS
from .spoiled_headers import FILES
from .spoiled_tensors import TENSORS
from .spoiling import Kind

KINDS: dict[str, Kind] = {**FOLDERS, **FILES, **TENSORS, **CONFIGS, **CARDS}
