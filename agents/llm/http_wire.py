"""The wire to an OpenAI-compatible endpoint over HTTP: bounded while reading, and watched for stalls."""

import asyncio
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING
from urllib.parse import urlsplit, urlunsplit

from ..errors import WireFailed
from .streams import Assembly
from .wire import Body, parsed_json

if TYPE_CHECKING:
    from httpx2 import AsyncClient, Response

DEFAULT_BASE_URL = "https://api.openai.com/v1"
CONNECT_TIMEOUT_S = 10.0
MAX_COMPLAINT_BYTES = 4_096
TRANSIENT = frozenset({408, 409, 425, 429, 500, 502, 503, 504, 529})
"""Statuses that say "later", not "no"."""


class HttpWire:
    """One endpoint. Connections are kept between requests, for as long as the event loop lives."""

    def __init__(self, base_url: str | None, api_key: str | None, stall_s: float) -> None:
        self._base_url = (base_url or DEFAULT_BASE_URL).rstrip("/")
        self._api_key = api_key
        self._stall_s = stall_s
        self._client: tuple[asyncio.AbstractEventLoop, AsyncClient] | None = None

    @property
    def where(self) -> str:
        parts = urlsplit(self._base_url)
        return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))

    async def post(self, body: Body, max_bytes: int) -> Body:
        import httpx2

        client, url = self._client_here(), f"{self._base_url}/chat/completions"
        try:
            async with client.stream("POST", url, json=body) as response:
                if response.status_code != 200:
                    raise await self._refusal(response)
                return await self._completion(response, max_bytes)
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            # The SDK's text is left out: it may quote the address with its password. This goes to the log.
            is_transient = isinstance(error, httpx2.TransportError)
            raise WireFailed(f"no connection ({type(error).__name__})", is_transient=is_transient) from error

    async def models(self) -> tuple[str, ...]:
        """The names the endpoint lists; empty where it lists none."""
        import httpx2

        try:
            async with self._client_here().stream("GET", f"{self._base_url}/models") as response:
                if response.status_code != 200:
                    return ()
                payload = parsed_json(await self._whole(response, 1_000_000))
        except (httpx2.HTTPError, httpx2.InvalidURL, WireFailed):
            return ()
        rows = payload.get("data")
        return tuple(str(row["id"]) for row in rows if "id" in row) if isinstance(rows, list) else ()

    async def close(self) -> None:
        if self._client is not None:
            await self._client[1].aclose()
            self._client = None

    def _client_here(self) -> "AsyncClient":
        """The client of the running loop: connections can't outlive the loop they were made in."""
        import httpx2

        loop = asyncio.get_running_loop()
        if self._client is None or self._client[0] is not loop:
            # A compressed reply could be small on the wire and huge in memory.
            headers = {"Accept-Encoding": "identity"}
            if self._api_key is not None:
                headers["Authorization"] = f"Bearer {self._api_key}"
            # How long a reply may take is the caller's deadline; only connecting has one of its own.
            timeout = httpx2.Timeout(None, connect=CONNECT_TIMEOUT_S)
            # Reading the certificates of the world takes 30 ms, and a server on this machine needs none of them.
            is_secure = not self._base_url.startswith("http://")
            self._client = loop, httpx2.AsyncClient(headers=headers, timeout=timeout, verify=is_secure)
        return self._client[1]

    async def _completion(self, response: "Response", max_bytes: int) -> Body:
        if response.headers.get("Content-Encoding", "identity") != "identity":
            raise WireFailed("the reply is compressed, which was not asked for")
        if "text/event-stream" not in response.headers.get("Content-Type", ""):
            return parsed_json(await self._whole(response, max_bytes))
        assembly = Assembly()
        async for line in self._lines(response, max_bytes):
            assembly.line(line)
        return assembly.completion()

    async def _whole(self, response: "Response", max_bytes: int) -> bytes:
        parts = [part async for part in self._pieces(response, max_bytes)]
        return b"".join(parts)

    async def _lines(self, response: "Response", max_bytes: int) -> AsyncIterator[bytes]:
        left = b""
        async for part in self._pieces(response, max_bytes):
            *lines, left = (left + part).split(b"\n")
            for line in lines:
                yield line
        yield left

    async def _pieces(self, response: "Response", max_bytes: int) -> AsyncIterator[bytes]:
        """The body as it comes. Once it has begun, a pause past the stall bound ends it; so do too many bytes."""
        pieces, n_bytes = response.aiter_raw(), 0
        while True:
            try:
                async with asyncio.timeout(self._stall_s if n_bytes else None):
                    piece = await anext(pieces, None)
            except TimeoutError as error:
                raise WireFailed(f"the reply stalled for {self._stall_s:g} s", is_transient=True) from error
            if piece is None:
                return
            n_bytes += len(piece)
            if n_bytes > max_bytes:
                raise WireFailed(f"the reply is longer than {max_bytes} bytes")
            yield piece

    async def _refusal(self, response: "Response") -> WireFailed:
        status = response.status_code
        try:
            complaint = (await self._whole(response, MAX_COMPLAINT_BYTES)).decode("utf-8", "replace")
        except WireFailed:
            complaint = ""  # the status says enough
        return WireFailed(
            f"HTTP {status}",
            status=status,
            is_transient=status in TRANSIENT,
            retry_after_s=_seconds(response.headers.get("Retry-After")),
            complaint=complaint,
        )


def _seconds(text: str | None) -> float | None:
    """`Retry-After` in seconds; a date in it would need a clock, and counts as not given."""
    try:
        value = float(text) if text is not None else None
    except ValueError:
        return None
    return value if value is not None and 0.0 <= value < float("inf") else None
