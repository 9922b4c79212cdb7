"""The short way of what is asked most: reads whose reply is known already, parts of pages, and messages to the chat.

They are answered as their routes answer them, to the same callers and within the same rates; only the framework's way
to the route and its dependencies, which costs more than all of that, is left out. Whatever is not plainly one of them
goes the long way.
"""

import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from fastapi import FastAPI
from starlette.datastructures import Headers
from starlette.requests import HTTPConnection
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from ... import ParleyError
from .callers import admitted
from .chatting import chat_role
from .conversing import converse
from .desk import ServedDesk
from .questions import EVENT_STREAM
from .replies import Reply, response_of
from .schemas import MAX_TEXT_CHARS

JSON = "application/json"
LEFT_OUT = ("last-event-id",)
"""Headers that say more about a read than its path and query do."""
ShortWay = Callable[[HTTPConnection], Awaitable[Response | None]]
"""Answers a read past its route; None where it is not as simple as that, and nothing was done about it."""


class Lane:
    """Between the guard and the application."""

    def __init__(self, app: FastAPI, prefix: str) -> None:
        self._app = app
        self._desk: ServedDesk = app.state.desk
        self._chat_path = f"{prefix}/chat"
        self._short: Mapping[str, ShortWay] = app.state.short_ways

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            scope["app"] = self._app
            headers = Headers(scope=scope)
            if EVENT_STREAM not in headers.get("accept", ""):
                known = self._known(scope, headers) if scope["method"] == "GET" else None
                if known is not None:
                    connection = HTTPConnection(scope)
                    admitted(connection, "viewer", "read")
                    await response_of(connection, known)(scope, receive, send)
                    return
                response = await self._shortly(scope)
                if response is not None:
                    await response(scope, receive, send)
                    return
                is_chat = scope["method"] == "POST" and scope["path"] == self._chat_path
                if is_chat and not scope["query_string"] and headers.get("content-type") == JSON:
                    await self._chat(scope, receive, send)
                    return
        await self._app(scope, receive, send)

    def _known(self, scope: Scope, headers: Headers) -> Reply | None:
        """The reply to this very call, where the run has not moved since it was made."""
        reply = self._desk.replies.get(scope["path"], scope["query_string"])
        if reply is None or any(name in headers for name in LEFT_OUT):
            return None
        try:
            return reply if self._desk.state(reply.run) == reply.state else None
        except ParleyError:
            return None

    async def _shortly(self, scope: Scope) -> Response | None:
        short = self._short.get(scope["path"]) if scope["method"] == "GET" else None
        return None if short is None else await short(HTTPConnection(scope))

    async def _chat(self, scope: Scope, receive: Receive, send: Send) -> None:
        body, more = b"", True
        while more:
            message = await receive()
            if message["type"] != "http.request":
                return
            body, more = body + message.get("body", b""), message.get("more_body", False)
        text = _text_of(body)
        if text is None:
            await self._app(scope, _again(body, receive), send)
            return
        caller = admitted(HTTPConnection(scope), "viewer", "chat")
        told = await converse(self._desk, None, text, caller.user, chat_role(caller))
        await Response(told.body, media_type=JSON)(scope, receive, send)


def _text_of(body: bytes) -> str | None:
    """The text of a message as its schema has it; None for whatever the schema may say something about."""
    try:
        found: Any = json.loads(body)
    except (ValueError, RecursionError):
        return None
    if not isinstance(found, dict) or set(found) != {"text"} or not isinstance(found["text"], str):
        return None
    return found["text"] if 1 <= len(found["text"]) <= MAX_TEXT_CHARS else None


def _again(body: bytes, receive: Receive) -> Receive:
    """The body once more, for the long way."""
    left: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def received() -> Message:
        return left.pop() if left else await receive()

    return received
