"""Serves the desk over HTTP: `parley serve`."""

import logging
import ssl
import sys
from asyncio import CancelledError
from contextlib import suppress
from pathlib import Path
from socket import AF_INET, AF_INET6, SO_REUSEADDR, SOL_SOCKET, socket
from typing import TYPE_CHECKING

from ..desk.book import Book
from ..desk.settings import load_settings
from .alerting.watcher import alert_watcher
from .api.app import build_app, guarded
from .api.desk import ServedDesk
from .api.errors import UnsafeAddress
from .api.open_streams import OpenStreams
from .api.protocol import protocol_with
from .api.settings import ServeSettings
from .console import Console

if TYPE_CHECKING:
    from uvicorn import Config, Server

BACKLOG = 512
KEEP_ALIVE_S = 30
GOODBYE_S = 5
SWITCH_S = 0.001
"""How long a thread that works something out may keep the others waiting, the event loop among them."""
MAX_MESSAGE_BYTES = 4_096
"""Of a WebSocket: the stream takes nothing from its client."""


def perform_serve(settings: ServeSettings, console: Console, settings_file: Path | None = None) -> None:
    """Until it is told to stop. Who may come in is said at the start, and for an empty book how the first one does."""
    import uvicorn

    watched = load_settings(settings_file)
    _check_tls(settings)
    if settings.run is not None:
        Book(settings.book).find(settings.run)
    sys.setswitchinterval(SWITCH_S)
    app = build_app(settings)
    desk: ServedDesk = app.state.desk
    listening = _listen(settings.host, settings.port)
    port: int = listening.getsockname()[1]
    url = f"{'https' if settings.has_tls else 'http'}://{_shown(settings.host)}:{port}"
    _announce(console, desk, url)
    if watched.alerts.watch == "on" and not any(watched.alerts.urls().values()):
        console.say("No address of alerts is set here, so this process tells nobody: the page and `parley alerts` do.")
    streams = OpenStreams(guarded(app))
    config = uvicorn.Config(
        streams,
        http=protocol_with(settings.header_s),
        ws="websockets-sansio",
        ws_max_size=MAX_MESSAGE_BYTES,
        ssl_certfile=settings.tls_cert,
        ssl_keyfile=settings.tls_key,
        proxy_headers=False,  # what a header says of an address is not believed
        server_header=False,
        access_log=False,
        log_level="warning",
        limit_concurrency=settings.connections,
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=GOODBYE_S,
    )
    logging.getLogger("uvicorn.error").addFilter(_is_fault)
    server = _server(config, streams)
    with alert_watcher(settings.book, watched), suppress(KeyboardInterrupt):
        server.run(sockets=[listening])
    console.say(f"The desk of {settings.book} is no longer served; a run in it goes on.")


def _server(config: "Config", streams: OpenStreams) -> "Server":
    """One that does not wait for pages to be closed."""
    import uvicorn

    class QuickServer(uvicorn.Server):
        async def shutdown(self, sockets: list[socket] | None = None) -> None:
            streams.end()
            await super().shutdown(sockets)

    return QuickServer(config)


def _is_fault(record: logging.LogRecord) -> bool:
    """A page's stream is open as long as the page: that the server's end cuts it off is none."""
    error = record.exc_info[1] if record.exc_info else None
    return not isinstance(error, CancelledError) and not str(record.msg).startswith("Cancel ")


def _announce(console: Console, desk: ServedDesk, url: str) -> None:
    first = desk.doorman.offer_first()
    console.result({"url": url, "api": f"{url}/api/v1", "book": str(desk.settings.book), "first_token": first})
    console.say(f"The desk of {desk.settings.book}: {url}/")
    console.say(f"  for programs: {url}/api/v1 (description: {url}/api/v1/openapi.json)")
    if first is None:
        console.say("Sign in with a user's name and password; programs with a token of `parley user token NAME`.")
        return
    console.say("Nobody may come in yet. Open the page within half an hour, and make the first admin with this token:")
    console.say(f"  {first}")
    console.say(f"or in another terminal: parley user add NAME --role admin --book {desk.settings.book}")


def _listen(host: str, port: int) -> socket:
    """The address, taken before anything is said about it."""
    listening = socket(AF_INET6 if ":" in host else AF_INET)
    listening.setsockopt(SOL_SOCKET, SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
        listening.listen(BACKLOG)
    except OSError as error:
        listening.close()
        raise UnsafeAddress(
            f"{host}:{port} can't be listened on ({error.strerror or error})", remedy="Choose another with --port."
        ) from error
    return listening


def _check_tls(settings: ServeSettings) -> None:
    """Certificate and key are read once before the address is taken, so that a fault in them is said plainly."""
    if settings.tls_cert is None:
        return
    try:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(settings.tls_cert, settings.tls_key)
    except (OSError, ssl.SSLError) as error:
        raise UnsafeAddress(
            f"{settings.tls_cert}: certificate and key can't be used ({error.__class__.__name__})",
            remedy="Give a PEM certificate chain and its unencrypted key.",
        ) from error


def _shown(host: str) -> str:
    return f"[{host}]" if ":" in host else host
