"""The public model name restored in the engine's bytes, without parsing them. Pure.

The engine knows a version by a private name; a reader must see the name that was asked for. In
JSON the bytes `"model":"NAME"` can only be a key and its value, since inside a string every quote
is escaped; so a replacement of bytes is exact, also in a stream cut at any place. Only answers of
`/v1/responses` echo objects of the client's, in which the same bytes may stand: where they stand
more than once there, the one place is looked up.
"""

import json


class ModelName:
    """Replaces `"model":"private"` by `"model":"public"` in the chunks of one answer.

    Args:
        unique: the private name stands for nothing else (it holds a digest), so that it may be
            replaced in the text of an error, too.
        echoes: the answer may hold objects of the client's; it comes in whole events, or whole.
    """

    def __init__(
        self, private: str, *, public: str, unique: bool = False, echoes: bool = False
    ) -> None:
        self._identity = private == public
        self._echoes, self._public = echoes, public
        self._unique = unique
        new = json.dumps(public).encode()
        old = json.dumps(private).encode()
        self._pairs = [(b'"model":%s%s' % (gap, old), b'"model":%s%s' % (gap, new)) for gap in GAPS]
        self._old, self._new = old[1:-1], new[1:-1]
        self._held = b""

    def feed(self, chunk: bytes) -> bytes:
        """Next bytes for the client; holds back only what may be the start of the name."""
        if self._identity:
            return chunk
        if self._echoes:
            return b"\n\n".join(map(self._in_event, chunk.split(b"\n\n")))
        data = self._replaced(self._held + chunk)
        keep = max(_overlap(data, old) for old, _ in self._pairs)
        self._held = data[len(data) - keep :]
        return data[: len(data) - keep]

    def end(self) -> bytes:
        """What is still held back when the answer has ended."""
        held, self._held = self._held, b""
        return held

    def everywhere(self, body: bytes) -> bytes:
        """For a whole error body: a unique private name is replaced wherever it stands."""
        return body.replace(self._old, self._new) if self._unique else self.feed(body) + self.end()

    def _replaced(self, data: bytes) -> bytes:
        for old, new in self._pairs:
            data = data.replace(old, new)
        return data

    def _in_event(self, event: bytes) -> bytes:
        """One event, or a whole answer: each is at most one response, which has a model."""
        if sum(event.count(old) for old, _ in self._pairs) < 2:
            return self._replaced(event)
        start = event.find(b"{")
        try:
            document = json.loads(event[start:])
        except (ValueError, RecursionError):
            return self._replaced(event)
        response = document.get("response", document)
        if isinstance(response, dict):
            response["model"] = self._public
        return event[:start] + json.dumps(document, separators=(",", ":")).encode()


GAPS = (b"", b" ")
"""What engines write between key and value."""


def _overlap(data: bytes, needle: bytes) -> int:
    """Length of the longest end of `data` that is a proper beginning of `needle`."""
    if data.endswith(b"\n"):
        return 0  # the usual case: a chunk ends with its event, and no name holds a line end
    for size in range(min(len(needle) - 1, len(data)), 0, -1):
        if needle.startswith(data[-size:]):
            return size
    return 0
