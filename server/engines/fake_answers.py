"""What the stand-in says, in vLLM's shapes, whole and as events. Pure.

Owns the imitation of chat, completions and responses: several answers, log-probabilities, token
ids, calls of tools, JSON on demand, usage in the last event. Refuses to own what is said
(`fake.py`) and the wire.
"""

import json
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import cast

Json = dict[str, object]


@dataclass(frozen=True)
class Answer:
    """One answer to one request: `words` are its tokens, `num_prompt` those of the prompt."""

    body: Mapping[str, object]
    model: str
    words: list[str]
    num_prompt: int

    @property
    def usage(self) -> Json:
        """Tokens, as chat and completions tell them."""
        made = len(self.words) * self._n
        return {
            "prompt_tokens": self.num_prompt,
            "completion_tokens": made,
            "total_tokens": self.num_prompt + made,
        }

    def whole(self) -> Json:
        """The answer in one piece."""
        if "input" in self.body:
            return self._response("completed")
        head = self._head("chat.completion" if self._chat else "text_completion")
        choices = [self._choice(index) for index in range(self._n)]
        ids = {"prompt_token_ids": [*range(self.num_prompt)]} if self._ids and self._chat else {}
        return {**head, "choices": choices, "usage": self.usage, **ids}

    def events(self) -> Iterator[bytes]:
        """The answer as a stream, event by event, to the end."""
        if "input" in self.body:
            for event in self._response_events():
                yield b"event: %s\n%s" % (str(event["type"]).encode(), _event(event))
            return
        head = self._head("chat.completion.chunk" if self._chat else "text_completion")
        for position in range(len(self.words)):
            for index in range(self._n):
                yield _event({**head, "choices": [self._piece(index, position)]})
        options = self.body.get("stream_options")
        if isinstance(options, dict) and options.get("include_usage"):
            yield _event({**head, "choices": [], "usage": self.usage})
        yield b"data: [DONE]\n\n"

    @property
    def text(self) -> str:
        """The words as a person reads them, or as JSON where that was asked for."""
        text = " ".join(self.words)
        form = self.body.get("response_format")
        if not isinstance(form, dict) or form.get("type") == "text":
            return text
        schema = form.get("json_schema") or {}
        names = schema.get("schema", {}).get("properties") or ["answer"]
        return json.dumps(dict.fromkeys(names, text))

    @property
    def _chat(self) -> bool:
        return "messages" in self.body

    @property
    def _n(self) -> int:
        return int(cast(int, self.body.get("n") or 1))

    @property
    def _ids(self) -> bool:
        return bool(self.body.get("return_token_ids"))

    def _head(self, kind: str) -> Json:
        return {"id": "fake-1", "object": kind, "created": int(time.time()), "model": self.model}

    def _choice(self, index: int) -> Json:
        choice: Json = {"index": index, "finish_reason": "stop"}
        if not self._chat:
            choice["text"] = self.text
        elif self.body.get("tools") and self.body.get("tool_choice") != "none":
            message = {"role": "assistant", "content": None, "tool_calls": [self._call()]}
            choice |= {"message": message, "finish_reason": "tool_calls"}
        else:
            choice["message"] = {"role": "assistant", "content": self.text}
        choice["logprobs"] = self._logprobs(range(len(self.words)))
        return choice | ({"token_ids": [*range(len(self.words))]} if self._ids else {})

    def _piece(self, index: int, position: int) -> Json:
        word = self.words[position]
        text = word if position == 0 else f" {word}"
        last = position == len(self.words) - 1
        piece: Json = {"delta": {"content": text}} if self._chat else {"text": text}
        piece |= {"index": index, "finish_reason": "stop" if last else None}
        if self.body.get("logprobs"):
            piece["logprobs"] = self._logprobs(range(position, position + 1))
        return piece | ({"token_ids": [position]} if self._ids else {})

    def _logprobs(self, places: range) -> Json | None:
        if not self.body.get("logprobs"):
            return None
        words = [self.words[place] for place in places]
        if self._chat:
            return {"content": [{"token": w, "logprob": -0.5, "top_logprobs": []} for w in words]}
        return {"tokens": words, "token_logprobs": [-0.5] * len(words), "top_logprobs": None}

    def _call(self) -> Json:
        tool = cast("list[Json]", self.body["tools"])[0]
        name = cast(Json, tool["function"])["name"]
        return {
            "id": "call-1",
            "type": "function",
            "function": {"name": name, "arguments": json.dumps({"said": " ".join(self.words)})},
        }

    def _item(self) -> Json:
        part = {"type": "output_text", "text": self.text, "annotations": []}
        head = {"id": "msg-1", "type": "message", "role": "assistant", "status": "completed"}
        return {**head, "content": [part]}

    def _response(self, status: str) -> Json:
        done = status == "completed"
        made = len(self.words)
        usage = {
            "input_tokens": self.num_prompt,
            "input_tokens_details": {"cached_tokens": 0},
            "output_tokens": made,
            "output_tokens_details": {"reasoning_tokens": 0},
            "total_tokens": self.num_prompt + made,
        }
        return {
            "id": "resp-1",
            "object": "response",
            "created_at": int(time.time()),
            "model": self.model,
            "status": status,
            "output": [self._item()] if done else [],
            "metadata": self.body.get("metadata"),
            "parallel_tool_calls": True,
            "tool_choice": "auto",
            "tools": self.body.get("tools") or [],
            "usage": usage if done else None,
        }

    def _response_events(self) -> Iterator[Json]:
        place: Json = {"item_id": "msg-1", "output_index": 0, "content_index": 0}
        empty = {**self._item(), "content": [], "status": "in_progress"}
        part = {"type": "output_text", "text": "", "annotations": []}
        events: list[Json] = [
            {"type": "response.created", "response": self._response("in_progress")},
            {"type": "response.output_item.added", "output_index": 0, "item": empty},
            {"type": "response.content_part.added", **place, "part": part},
        ]
        for position, word in enumerate(self.words):
            delta = word if position == 0 else f" {word}"
            events.append(
                {"type": "response.output_text.delta", **place, "delta": delta, "logprobs": []}
            )
        events += [
            {"type": "response.output_text.done", **place, "text": self.text, "logprobs": []},
            {"type": "response.output_item.done", "output_index": 0, "item": self._item()},
            {"type": "response.completed", "response": self._response("completed")},
        ]
        for number, event in enumerate(events):
            yield {**event, "sequence_number": number}


def dump(value: Json) -> bytes:
    """JSON as short as vLLM writes it."""
    return json.dumps(value, separators=(",", ":")).encode()


def _event(value: Json) -> bytes:
    return b"data: " + dump(value) + b"\n\n"
