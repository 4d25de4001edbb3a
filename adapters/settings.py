"""The environment variables that this room reads, in the one place where it reads them."""

import os
from collections.abc import Mapping
from pathlib import Path

from pydantic import BaseModel, ConfigDict


class Settings(BaseModel):
    """Where this room keeps files."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    home: Path
    """`SKILLWEAVE_HOME`, by default `~/.skillweave`."""

    @property
    def store_root(self) -> Path:
        """Where the store is."""
        return self.home / "store"

    @property
    def cache_root(self) -> Path:
        """What may be deleted at any time."""
        return self.home / "cache"


def load_settings(environ: Mapping[str, str] | None = None) -> Settings:
    """Read the environment (by default that of the process)."""
    env = os.environ if environ is None else environ
    home = env.get("SKILLWEAVE_HOME", "")
    return Settings(home=Path(home).expanduser() if home else Path.home() / ".skillweave")


def default_store_root() -> Path:
    """`$SKILLWEAVE_HOME/store`."""
    return load_settings().store_root
