"""The files of the page, read once, and the headers that keep the page to itself.

Nothing of a request becomes a path: what can be asked for is a table made at the start. The
browser is told to run scripts of this server only, none of them inline, to ask nothing of anybody
else, to show the page in no frame, and to let no string become markup (trusted types).
Owns the table and the headers. Refuses to own what the files say. To add one: put it into
`static/`, with an ending that `KINDS` knows.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parent / "static"
PAGE = "index.html"
KINDS: Mapping[str, str] = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
CSP = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types 'none'",
    )
)
GUARDS: Mapping[str, str] = {
    "content-security-policy": CSP,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "x-frame-options": "DENY",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), clipboard-write=(self)",
}


@dataclass(frozen=True)
class Asset:
    """One file as it is sent; `etag` names its bytes."""

    body: bytes
    kind: str
    etag: str


def load_assets(folder: Path = FOLDER) -> dict[str, Asset]:
    """Every file of the page by its name."""
    return {
        path.name: Asset(path.read_bytes(), KINDS[path.suffix], _etag(path))
        for path in sorted(folder.iterdir())
        if path.suffix in KINDS
    }


def _etag(path: Path) -> str:
    return f'"{hashlib.sha256(path.read_bytes()).hexdigest()[:24]}"'
