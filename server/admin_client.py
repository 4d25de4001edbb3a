"""A client of the admin routes of a running server; plain HTTP, standard library only.

Owns the address, the key and the translation of error bodies. Refuses to own what is asked.
"""

import json
import urllib.error
import urllib.request
from dataclasses import dataclass

from ..adapters.errors import Conflict, EngineError, NotFound, SkillweaveError, UsageError

ERRORS: dict[int, type[SkillweaveError]] = {
    400: UsageError,
    401: UsageError,
    404: NotFound,
    409: Conflict,
}
TIMEOUT_S = 300.0


@dataclass(frozen=True)
class AdminClient:
    """Talks to one server. `url` may end in `/v1`."""

    url: str
    key: str

    def post(self, verb: str, body: dict[str, object]) -> dict[str, object]:
        """One admin call, such as `publish`.

        Raises:
            NotFound, Conflict, UsageError: the server's own refusal.
            EngineError: no server answers there, or its engine failed.
        """
        request = urllib.request.Request(
            f"{self.url.rstrip('/').removesuffix('/v1')}/admin/{verb}",
            data=json.dumps(body).encode(),
            headers={"content-type": "application/json", "x-skillweave-admin-key": self.key},
        )
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT_S) as reply:
                answer = json.load(reply)
        except urllib.error.HTTPError as err:
            raise ERRORS.get(err.code, EngineError)(_message(err.read())) from err
        except (OSError, ValueError) as err:
            raise EngineError(
                f"no server answers at {self.url}: {err}; start one with `skillweave serve`, or "
                "say where it is with --url or SKILLWEAVE_URL"
            ) from err
        return dict(answer)


def _message(body: bytes) -> str:
    try:
        return str(json.loads(body)["error"]["message"])
    except (ValueError, KeyError, TypeError):
        return body.decode(errors="replace")[:300]
