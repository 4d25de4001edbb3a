"""What the gateway's door is told: where keys and records lie, whom it lets in, and the limits.

Owns these values and their defaults. Refuses to own what is done with them (`gateway/access/`) and
where they come from (`access_plan.py`). To add a limit: a field of `Limits`, and its line
in `gateway/access/judge.py`.
"""

import ipaddress
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, field_validator

from ..adapters.limits import MiB

FOLDER = "access"
"""Below the store's root: keys, usage and audit of the servers on that store."""
KEYS_FILE = "keys.jsonl"
USAGE_FILE = "usage.sqlite"
AUDIT_FILE = "audit.jsonl"


class _Value(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


class Limits(_Value):
    """The most that one request may ask for; beyond it, it is refused before it costs anything.

    They bound what the gateway itself does and what an engine cannot bound; how long a prompt may
    be is in the end the engine's `--max-model-len`.
    """

    header_bytes: int = Field(default=65_536, ge=1024)
    """Request line and headers."""
    head_timeout_s: float = Field(default=30.0, gt=0)
    """How long a client may take to send request line and headers."""
    body_bytes: int = Field(default=32 * MiB, ge=1024)
    """Body of a request."""
    depth: int = Field(default=64, ge=4)
    """Nesting of the body's JSON."""
    prompt_chars: int = Field(default=4_000_000, ge=1)
    """Characters of prompt or messages together."""
    prompt_tokens: int = Field(default=1_000_000, ge=1)
    """Ids of prompts that come as tokens, together."""
    prompts: int = Field(default=256, ge=1)
    """Prompts in one request."""
    messages: int = Field(default=4096, ge=1)
    """Messages of a conversation."""
    model_chars: int = Field(default=2048, ge=1)
    """Length of the `model` string."""
    terms: int = Field(default=16, ge=1)
    """Terms in a `model` string."""
    n: int = Field(default=64, ge=1)
    """Answers to one prompt (`n`, `best_of`)."""
    max_tokens: int | None = Field(default=None, ge=1)
    """Tokens of one answer; None leaves it to the base."""
    logprobs: int = Field(default=20, ge=0)
    """Alternatives at each position (`logprobs`, `top_logprobs`, `prompt_logprobs`)."""
    tools: int = Field(default=512, ge=0)
    """Tools of a conversation."""
    stop: int = Field(default=32, ge=0)
    """Stop strings, stop ids and bad words, each."""
    grammar_chars: int = Field(default=262_144, ge=1)
    """Size of schemas and grammars, as JSON: an engine compiles them."""
    biases: int = Field(default=2048, ge=0)
    """Entries of `logit_bias` and `allowed_token_ids`, each."""


class AccessState(_Value):
    """What a gateway knows about who may ask. By default: everybody on this machine may."""

    keys: Path | None = None
    """File of the keys; followed while serving. Where it exists, a key is needed."""
    keys_required: bool = False
    """A key is needed even where the file is missing."""
    allow_anybody: bool = False
    """Without keys, anybody may ask from anywhere."""
    usage: Path | None = None
    """File of the tokens used; None counts in memory only."""
    audit: Path | None = None
    """File of what was changed; None records nothing."""
    admin_networks: tuple[str, ...] = ()
    """Networks (`10.0.0.0/8`) beyond this machine from which admin routes answer."""
    server_names: tuple[str, ...] = ()
    """Host names, beside addresses and localhost, by which this server is known."""
    limits: Limits = Limits()

    @field_validator("admin_networks")
    @classmethod
    def _networks(cls, networks: tuple[str, ...]) -> tuple[str, ...]:
        return check_networks(networks)


def check_networks(networks: tuple[str, ...]) -> tuple[str, ...]:
    """The networks, if they are some.

    Raises:
        ValueError: one is none.
    """
    for network in networks:
        try:
            ipaddress.ip_network(network)
        except ValueError as err:
            raise ValueError(f"admin_networks {network!r}: {err}; write 10.1.2.0/24") from err
    return networks


def access_folder(store: Path) -> Path:
    """Where keys, usage and audit of the servers on a store lie, unless told otherwise."""
    return store / FOLDER


def is_loopback(host: str) -> bool:
    """Whether an address or host name means this machine alone."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.lower() == "localhost"
