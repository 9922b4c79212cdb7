"""Serves the desk over the Model Context Protocol: `parley mcp`, on standard input and output or over HTTP."""

import sys
from dataclasses import dataclass
from pathlib import Path
from socket import create_server
from typing import Any

from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ... import ParleyError
from ...desk.book import Book
from ..access.errors import NotSignedIn
from ..access.roles import ROLES, SCOPES, Caller, Role
from ..access.seated import seated_among
from ..api.callers import let_in
from ..api.desk import ServedDesk
from ..api.guard import Guard
from ..api.settings import ServeSettings
from ..console import Console
from ..controlling import login_name
from .errors import BadSetUp
from .server import PATH, Context, Server, build_server, http_app, serve_stdio

HOST = "127.0.0.1"
BACKLOG = 128


@dataclass(frozen=True, slots=True)
class McpSettings:
    """How the desk is served, and over standard input to whom: whoever starts it says so, as `access/seated.py` holds
    them to it."""

    book: Path
    run: str | None = None
    port: int | None = None
    """Over HTTP, on this machine only; standard input and output without."""
    user: str | None = None
    role: Role | None = None
    token: str | None = None
    """A token of `parley user token`, in place of user and role."""


def perform_mcp(settings: McpSettings, console: Console) -> None:
    """Until it is told to stop, or its standard input ends."""
    _check(settings)
    Book(settings.book).find(settings.run)
    desk = ServedDesk(ServeSettings(settings.book, settings.run, HOST, settings.port or 0))
    try:
        if settings.port is None:
            _starter(desk, settings)  # whoever may not ask is told at once, and not by the first call
            serve_stdio(server_for(desk, settings))
        else:
            _serve_http(desk, console)
    finally:
        desk.close()


def server_for(desk: ServedDesk, settings: McpSettings) -> Server[Any]:
    """The server whose every call is by whoever the settings name."""
    return build_server(desk, lambda _context: _starter(desk, settings))


def served_app(desk: ServedDesk) -> ASGIApp:
    """The application as it is served over HTTP: the guard of the API, then the token, then the protocol."""
    return Guard(_ByToken(desk), desk.settings, desk.audit)


class _ByToken:
    """Lets in whoever shows a token for reading; a browser's cookie is not enough."""

    def __init__(self, desk: ServedDesk) -> None:
        self._app = http_app(build_server(desk, _caller_of))
        self._app.state.desk = desk

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            scope["app"] = self._app
            connection = HTTPConnection(scope)
            if "authorization" not in connection.headers:
                raise NotSignedIn("no token came with this call", remedy="Make one with `parley user token NAME`.")
            let_in(connection, "viewer", "read")
        await _with_own_refusals(self._app, scope, receive, send)


async def _with_own_refusals(app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
    """A body that the guard refuses while it comes in: the SDK would make an internal error of that."""
    refused: list[ParleyError] = []

    async def received() -> Message:
        try:
            return await receive()
        except ParleyError as error:
            refused.append(error)
            raise

    async def sent(message: Message) -> None:
        if refused:
            raise refused[0]
        await send(message)

    await app(scope, received, sent)


def _caller_of(context: Context) -> Caller:
    assert context.request is not None
    return context.request.scope["state"]["caller"]


def _starter(desk: ServedDesk, settings: McpSettings) -> Caller:
    """Who a call over standard input is from, looked at again each time: a token or a user may have been revoked.

    A language model asks: it is a viewer unless whoever starts it asks for more, whatever they are themselves."""
    if settings.token is not None:
        return desk.doorman.by_token(settings.token)
    user = settings.user or login_name()
    role = seated_among(desk.doorman.store.known().users, user, settings.role or ROLES[0])
    return Caller(user, role, frozenset(SCOPES), "console", "stdio")


def _check(settings: McpSettings) -> None:
    said = settings.user is not None or settings.role is not None
    if settings.port is not None and (said or settings.token is not None):
        raise BadSetUp(
            "--user, --role and --token are for standard input; over HTTP each call brings its own token",
            remedy="Leave them out, and make tokens with `parley user token NAME`.",
        )
    if said and settings.token is not None:
        raise BadSetUp("--token says who it is, and so do --user and --role", remedy="Give one of the two.")


def _serve_http(desk: ServedDesk, console: Console) -> None:
    import uvicorn

    config = uvicorn.Config(
        served_app(desk),
        proxy_headers=False,
        server_header=False,
        access_log=False,
        log_level="warning",
        limit_concurrency=desk.settings.connections,
    )
    try:
        listening = create_server((HOST, desk.settings.port), backlog=BACKLOG)
    except OSError as error:
        raise BadSetUp(
            f"port {desk.settings.port} can't be listened on ({error.strerror})", remedy="Choose another with --port."
        ) from error
    with listening:
        url = f"http://{HOST}:{listening.getsockname()[1]}{PATH}"
        console.result({"url": url, "book": str(desk.settings.book)})
        console.say(f"Serving {desk.settings.book} over MCP at {url}")
        console.say("Every call needs a token: parley user token NAME")
        sys.stdout.flush()  # whoever started it waits for the address
        uvicorn.Server(config).run(sockets=[listening])
