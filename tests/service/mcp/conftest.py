"""A small run with users and tokens, and clients of the official SDK: each test has a copy of the book."""

import contextlib
import io
import os
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import pytest
from mcp import Client
from mcp.client.stdio import StdioServerParameters
from mcp.client.streamable_http import streamable_http_client
from parley.service.access.roles import Role, Scope
from parley.service.access.store import AccessStore
from parley.service.api.desk import ServedDesk
from parley.service.api.settings import ServeSettings
from parley.service.cli import main
from parley.service.mcp.serving import McpSettings, server_for

PASSWORD = "correct horse battery staple"
TOKENS: dict[str, tuple[Role, tuple[Scope, ...]]] = {
    "vic": ("viewer", ("read", "chat", "act")),
    "oz": ("operator", ("read", "act")),
    "una": ("operator", ("read",)),
}


@dataclass(frozen=True)
class Kept:
    """A book and the tokens of its users."""

    book: Path
    tokens: dict[str, str]

    def stdio(self, *options: str) -> Client:
        """The server as a process of its own, over standard input and output."""
        arguments = ["-m", "parley", "mcp", "--book", str(self.book), *options]
        return Client(StdioServerParameters(command=sys.executable, args=arguments))

    def inside(self, **settings: Any) -> Client:
        """The same server in this process, as the SDK connects a client to it without a wire."""
        desk = ServedDesk(ServeSettings(self.book))
        who = settings if "token" in settings else {"user": "vic", **settings}
        return Client(server_for(desk, McpSettings(self.book, **who)))


@pytest.fixture(scope="session")
def _kept_once(six_names: Path, tmp_path_factory: pytest.TempPathFactory) -> Kept:
    book = tmp_path_factory.mktemp("kept") / "book"
    for name in [name for name in os.environ if name.startswith("PARLEY_") and name != "PARLEY_SHARED_DATA"]:
        del os.environ[name]
    with contextlib.redirect_stdout(io.StringIO()), pytest.raises(SystemExit) as ended:
        main(["run", "--data", str(six_names), "--start", "2016-01-04", "--book", str(book), "--json"])
    assert ended.value.code == 0
    store, tokens = AccessStore(book), dict[str, str]()
    for name, (role, scopes) in TOKENS.items():
        store.add_user(name, role, PASSWORD)
        tokens[name] = store.add_token(name, scopes)[1]
    store.close()
    return Kept(book, tokens)


@pytest.fixture
def kept(_kept_once: Kept, tmp_path: Path) -> Kept:
    book = tmp_path / "book"
    shutil.copytree(_kept_once.book, book)
    return Kept(book, _kept_once.tokens)


@pytest.fixture
def served_at(kept: Kept) -> Iterator[str]:
    """The address of a server over HTTP, on a free port of this machine."""
    command = [sys.executable, "-m", "parley", "mcp", "--http", "--port", "0", "--book", str(kept.book)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            yield server.stdout.readline().split()[-1]
        finally:
            server.terminate()
            server.wait(20)


Connect = Callable[[str | None], contextlib.AbstractAsyncContextManager[Client]]


@pytest.fixture
def connect(served_at: str, kept: Kept) -> Connect:
    """Opens a client of one user, by token, or of nobody."""

    @contextlib.asynccontextmanager
    async def opened(user: str | None) -> AsyncIterator[Client]:
        headers = {} if user is None else {"Authorization": f"Bearer {kept.tokens[user]}"}
        async with (
            httpx2.AsyncClient(headers=headers, timeout=30) as http,
            Client(streamable_http_client(served_at, http_client=http)) as client,
        ):
            yield client

    return opened
