"""Puts the chunks of a streamed completion together again, as if it had come in one piece."""

from typing import Any

from ..errors import WireFailed
from .wire import Body, parsed_json

DONE = b"[DONE]"


class Assembly:
    """What has arrived of a streamed completion so far; feed it chunks, or the lines that carry them."""

    def __init__(self) -> None:
        self._texts: list[str] = []
        self._calls: dict[int, dict[str, str]] = {}
        self._finish: str | None = None
        self._usage: object = None
        self._is_done = False

    def line(self, line: bytes) -> None:
        """One line of a server-sent event stream; comments and empty lines say nothing."""
        if not line.startswith(b"data:"):
            return
        data = line[5:].strip()
        if data == DONE:
            self._is_done = True
        elif data:
            self.chunk(parsed_json(data))

    def chunk(self, chunk: Body) -> None:
        if chunk.get("error"):
            raise WireFailed("the stream broke off with an error", is_transient=True)
        self._usage = chunk.get("usage") or self._usage
        choices = chunk.get("choices")
        choice = choices[0] if isinstance(choices, list) and choices else None
        if not isinstance(choice, dict):
            return
        delta = choice.get("delta")
        if isinstance(delta, dict):
            self._add(delta)
        finish = choice.get("finish_reason")
        self._finish = finish if isinstance(finish, str) else self._finish

    def completion(self) -> Body:
        """The whole; a stream that neither said why it stopped nor that it is done broke off."""
        if self._finish is None and not self._is_done:
            raise WireFailed("the stream ended before the reply did", is_transient=True)
        message: Body = {"content": "".join(self._texts)}
        if self._calls:
            message["tool_calls"] = [{"function": self._calls[place]} for place in sorted(self._calls)]
        return {"choices": [{"message": message, "finish_reason": self._finish}], "usage": self._usage}

    def _add(self, delta: dict[str, Any]) -> None:
        content = delta.get("content")
        if isinstance(content, str):
            self._texts.append(content)
        calls = delta.get("tool_calls")
        for part in calls if isinstance(calls, list) else ():
            function = part.get("function") if isinstance(part, dict) else None
            if not isinstance(function, dict):
                continue
            place = part.get("index")
            call = self._calls.setdefault(place if isinstance(place, int) else 0, {"name": "", "arguments": ""})
            for key in call:
                piece = function.get(key)
                call[key] += piece if isinstance(piece, str) else ""
