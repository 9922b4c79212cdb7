"""Around every call: its id, host and origin, size and time of its body, safe headers, and a line in the audit."""

import asyncio
import secrets
from collections.abc import MutableMapping
from typing import Any
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ... import ParleyError
from ...desk.clock import elapsed_s, wall_time
from ..access.audit import Audit, Call
from ..access.rates import Rates
from ..access.roles import Caller
from .errors import BodyTooLarge, CallRefused, CallTooSlow
from .problems import INTERNAL, internal, problem_of
from .settings import ServeSettings

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
SECURITY_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
    "Cache-Control": "no-store",
}
API_PATH = "/api/"
PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
"""Of the web desk: its own scripts and sheets, and nothing that stands in a page itself."""
PAGE_HEADERS = {
    "Content-Security-Policy": PAGE_POLICY,
    "Referrer-Policy": "same-origin",  # without any, a browser sends a page's own form as from nowhere
}
PIECES = ("/static/", "/parts", "/series/", "/live")
"""Reads that a page makes by itself once it was let in: those that went well have no line of their own in the audit."""
TLS_HEADER = "max-age=31536000"
CLOSED_BY_POLICY = 1008


class Guard:
    """The outermost layer: what it refuses never reaches a route, and whatever a route does comes past it."""

    def __init__(self, app: ASGIApp, settings: ServeSettings, audit: Audit) -> None:
        self._app, self._settings, self._audit = app, settings, audit
        tenth = settings.calls_per_s / 10
        self._strangers = Rates(tenth, max(settings.calls_at_once // 10, 1), elapsed_s)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        state: MutableMapping[str, Any] = scope.setdefault("state", {})
        state["request_id"], state["strangers"] = secrets.token_hex(8), self._strangers
        guarded = _Guarded(scope, receive, send, self._settings, self._audit)
        try:
            self._refuse_strange(scope)
            await self._app(scope, guarded.receive, guarded.send)
        except ParleyError as error:
            await guarded.fail(problem_of(error), error.code)
        except Exception:
            await guarded.fail(internal(state["request_id"]), INTERNAL)
            raise

    def _refuse_strange(self, scope: Scope) -> None:
        """A page of another site can make a browser call here; its host or its origin gives it away."""
        headers = Headers(scope=scope)
        host = headers.get("host", "")
        if _name_of(host) not in self._settings.allowed_hosts and not self._takes_any_host:
            raise CallRefused(
                f"this desk is not called {_name_of(host)[:80]!r}", remedy="Serve it with --name for that host."
            )
        origin = headers.get("origin")
        is_write = scope["type"] == "websocket" or scope["method"] not in SAFE_METHODS
        if is_write and origin is not None and urlsplit(origin).netloc.lower() != host.lower():
            raise CallRefused("a page of another origin asked for this", remedy="Call it from the desk's own pages.")
        if is_write and headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
            raise CallRefused("a page of another site asked for this", remedy="Call it from the desk's own pages.")

    @property
    def _takes_any_host(self) -> bool:
        """With TLS the certificate says whose name it is, so without names given all are taken."""
        return self._settings.has_tls and not self._settings.names


class _Guarded:
    """One call's two directions."""

    def __init__(self, scope: Scope, receive: Receive, send: Send, settings: ServeSettings, audit: Audit) -> None:
        self._scope, self._receive, self._send, self._settings, self._audit = scope, receive, send, settings, audit
        self._left = settings.body_bytes
        self._until_s = elapsed_s() + settings.body_s
        self._has_all = scope["type"] == "websocket"
        self._has_begun = False

    async def receive(self) -> Message:
        """The body, up to its size and its time; afterwards only whether the client is still there."""
        if self._has_all:
            return await self._receive()
        try:
            message = await asyncio.wait_for(self._receive(), max(self._until_s - elapsed_s(), 0.001))
        except TimeoutError as error:
            raise CallTooSlow(
                f"the body took longer than {self._settings.body_s:g} s", remedy="Send it in one go."
            ) from error
        if message["type"] == "http.request":
            self._left -= len(message.get("body", b""))
            if self._left < 0:
                raise BodyTooLarge(
                    f"a body of more than {self._settings.body_bytes} bytes", remedy="No call needs that much."
                )
            self._has_all = not message.get("more_body", False)
        return message

    async def send(self, message: Message) -> None:
        kind = message["type"]
        if kind == "http.response.start":
            self._note(message["status"])
            self._begin(message)
        elif kind in ("websocket.accept", "websocket.close") and not self._has_begun:
            self._note(101 if kind == "websocket.accept" else 403)
            self._has_begun = True
        try:
            await asyncio.wait_for(self._send(message), self._settings.send_s)
        except TimeoutError:
            # Whoever does not read for so long has left, and its connection goes with it.
            raise ConnectionResetError from None

    async def fail(self, reply: Any, code: str) -> None:
        """An error before anything was said; afterwards the connection can only end."""
        self._scope["state"]["code"] = code
        if self._has_begun:
            return
        if self._scope["type"] == "websocket":
            await self.send({"type": "websocket.close", "code": CLOSED_BY_POLICY, "reason": code})
            return
        # The rest of a body that was refused is not read, so the connection can't be used again.
        reply.headers["Connection"] = "close"
        await reply(self._scope, self._receive, self.send)

    def _begin(self, message: Message) -> None:
        self._has_begun = True
        headers = MutableHeaders(scope=message)
        if not self._scope["path"].startswith(API_PATH):
            for name, value in PAGE_HEADERS.items():
                headers.setdefault(name, value)
        for name, value in SECURITY_HEADERS.items():
            headers.setdefault(name, value)
        if self._settings.has_tls:
            headers["Strict-Transport-Security"] = TLS_HEADER
        headers["X-Request-Id"] = self._scope["state"]["request_id"]

    def _note(self, status: int) -> None:
        """Before the answer: what can't be recorded is not answered."""
        state, scope = self._scope["state"], self._scope
        if status < 400 and scope["path"].startswith(PIECES):
            return
        caller: Caller | None = state.get("caller")
        method = "WS" if scope["type"] == "websocket" else scope["method"]
        self._audit.record(
            Call(
                at=wall_time(),
                user=caller.user if caller else "",
                role=caller.role if caller else "",
                via=caller.via if caller else "",
                address=address_of(scope),
                action=f"{method} {scope['path']}",
                status=status,
                code=state.get("code", ""),
                request_id=state["request_id"],
            )
        )


def address_of(scope: Scope) -> str:
    """Where the connection comes from; what a header says of it is not believed."""
    client = scope.get("client")
    return client[0] if client else "unknown"


def _name_of(host: str) -> str:
    """The name in a Host header, without its port."""
    try:
        return (urlsplit(f"//{host}").hostname or "").lower()
    except ValueError:
        return ""
