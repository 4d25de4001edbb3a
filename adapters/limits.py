"""The bounds that every gate applies. Pure numbers, in one place, each with its reason."""

from dataclasses import dataclass

MiB = 1 << 20
GiB = 1 << 30


@dataclass(frozen=True)
class Limits:
    """Upper bounds on what may enter through a gate."""

    rank: int = 512
    """The largest rank any vLLM engine can be started for."""
    modules: int = 5_000
    """Adapted modules; a 100-layer model with seven projections has 700."""
    tensors_bytes: int = 8 * GiB
    """Size of the weights file."""
    header_bytes: int = 4 * MiB
    """Size of the header of a safetensors file, read before anything else."""
    config_bytes: int = MiB
    """Size of a config or card file."""
    files: int = 2_000
    """Files and folders in a folder, skill resources included."""
    folder_bytes: int = 16 * GiB
    """All files of a folder together."""
    depth: int = 32
    """Folders inside folders."""
    pattern_steps: int = 20_000
    """Steps that matching one pattern of a config against one module name may take at worst."""
    steps: int = 1_000_000
    """Such steps for all patterns and all names together; some three seconds of counting."""


DEFAULT_LIMITS = Limits()
