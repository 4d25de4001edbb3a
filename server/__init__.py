"""Serving: one OpenAI-compatible address for base, adapters and skill texts. See README.md."""

from .admin_client import AdminClient
from .config import ServeConfig
from .running import Running, serve_in_background

__all__ = ["AdminClient", "Running", "ServeConfig", "serve_in_background"]
