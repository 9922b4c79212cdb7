"""Knows the answers that go on as long as a page is open, so that the server's end need not wait for them."""

import asyncio

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .questions import EVENT_STREAM


class OpenStreams:
    """Around the whole application: other calls are left to come to their end."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._tasks: set[asyncio.Task[None]] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        task = asyncio.current_task()
        assert task is not None, "a server answers in tasks"

        async def noted(message: Message) -> None:
            if message["type"] == "http.response.start" and _is_stream(message):
                self._tasks.add(task)
            await send(message)

        try:
            await self._app(scope, receive, noted)
        finally:
            self._tasks.discard(task)

    def end(self) -> None:
        """Cut all of them off: a page comes back by itself, to whoever serves then."""
        for task in tuple(self._tasks):
            task.cancel()


def _is_stream(message: Message) -> bool:
    return any(
        name.lower() == b"content-type" and value.startswith(EVENT_STREAM.encode("ascii"))
        for name, value in message.get("headers", ())
    )
