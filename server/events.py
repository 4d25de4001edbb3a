"""What the supervisor tells whoever started it, and how that crosses a pipe.

Owns three small values and their JSON lines. Refuses to print: the command line does.
"""

import json
from dataclasses import asdict, dataclass

from ..adapters import errors
from ..router import errors as router_errors


@dataclass(frozen=True)
class Line:
    """One sentence about progress, for people."""

    text: str


@dataclass(frozen=True)
class Ready:
    """The server answers. `pids` are supervisor, gateway and engines."""

    url: str
    admin_key: str
    pids: tuple[int, ...]
    start_s: float


@dataclass(frozen=True)
class Failed:
    """The server will not come up, or has given up. `error` names a class of ours."""

    error: str
    message: str

    @classmethod
    def of(cls, err: errors.SkillweaveError) -> "Failed":
        return cls(type(err).__name__, str(err))

    def exception(self) -> errors.SkillweaveError:
        """The error again, in another process; one with arguments of its own as EngineError."""
        kind = getattr(errors, self.error, None) or getattr(router_errors, self.error, None)
        kind = kind or errors.EngineError
        plain = isinstance(kind, type) and issubclass(kind, errors.SkillweaveError)
        if not plain or kind is errors.AdapterRefused:
            return errors.EngineError(self.message)
        return kind(self.message)


Event = Line | Ready | Failed
_KINDS: dict[str, type[Line] | type[Ready] | type[Failed]] = {
    "line": Line,
    "ready": Ready,
    "failed": Failed,
}


def dump_event(event: Event) -> str:
    """One line of JSON."""
    return json.dumps({"event": type(event).__name__.lower(), **asdict(event)})


def parse_event(line: str) -> Event:
    """The inverse of `dump_event`."""
    fields = json.loads(line)
    kind = _KINDS[fields.pop("event")]
    if kind is Ready:
        fields["pids"] = tuple(fields["pids"])
    return kind(**fields)
