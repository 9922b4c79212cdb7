"""A small run with three users, served in this process: a fresh copy for each test."""

import contextlib
import io
import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from parley.service.access.roles import SCOPES, Role
from parley.service.access.store import AccessStore
from parley.service.api.app import build_app, guarded
from parley.service.api.settings import ServeSettings
from parley.service.cli import main
from starlette.testclient import TestClient

PASSWORD = "correct horse battery staple"
USERS: dict[str, Role] = {"ada": "admin", "rita": "risk_officer", "oz": "operator", "vic": "viewer"}
API = "/api/v1"


@dataclass(frozen=True)
class Served:
    """A book behind its API."""

    book: Path
    run: str
    tokens: dict[str, str]

    def client(self, user: str | None = "vic", **changes: Any) -> TestClient:
        """A client of this user by token, or of nobody; `changes` are of the settings."""
        app = guarded(build_app(ServeSettings(self.book, **changes)))
        headers = {} if user is None else {"Authorization": f"Bearer {self.tokens[user]}"}
        return TestClient(app, "http://localhost/api/v1", headers=headers, raise_server_exceptions=False)


Rows = list[tuple[object, ...]]


def cut(served: Served, kept: int) -> tuple[Path, Rows]:
    """The run's log as it was after `kept` events, and the rows that are still to come."""
    path = served.book / "runs" / served.run / "log.db"
    with closing(sqlite3.connect(path)) as database, database:
        for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            database.execute(f"DROP TRIGGER {name}")
        rows = database.execute("SELECT * FROM events WHERE seq > ? ORDER BY seq", (kept,)).fetchall()
        database.execute("DELETE FROM events WHERE seq > ?", (kept,))
    return path, rows


def grow(path: Path, rows: Rows) -> None:
    with closing(sqlite3.connect(path, timeout=10)) as database, database:
        database.executemany(f"INSERT INTO events VALUES ({', '.join('?' * len(rows[0]))})", rows)


@pytest.fixture(scope="session")
def _served_once(six_names: Path, tmp_path_factory: pytest.TempPathFactory) -> Served:
    book = tmp_path_factory.mktemp("served") / "book"
    for name in [name for name in os.environ if name.startswith("PARLEY_") and name != "PARLEY_SHARED_DATA"]:
        del os.environ[name]
    with contextlib.redirect_stdout(io.StringIO()), pytest.raises(SystemExit) as ended:
        main(["run", "--data", str(six_names), "--book", str(book), "--json"])
    assert ended.value.code == 0
    store = AccessStore(book)
    tokens = dict[str, str]()
    for name, role in USERS.items():
        store.add_user(name, role, PASSWORD)
        tokens[name] = store.add_token(name, SCOPES)[1]
    store.close()
    run = (book / "latest").read_text(encoding="utf-8").strip()
    return Served(book, run, tokens)


@pytest.fixture
def served(_served_once: Served, tmp_path: Path) -> Served:
    book = tmp_path / "book"
    shutil.copytree(_served_once.book, book)
    return Served(book, _served_once.run, _served_once.tokens)


@pytest.fixture
def sign_in(served: Served) -> Iterator[Callable[..., TestClient]]:
    """Signs a user in with the password; the client carries the cookies, and its CSRF token in `csrf`."""

    def made(user: str = "vic", client: TestClient | None = None) -> TestClient:
        found = client or served.client(None)
        reply = found.post("/session", json={"user": user, "password": PASSWORD})
        assert reply.status_code == 200, reply.text
        found.headers["X-CSRF-Token"] = reply.json()["csrf"]
        return found

    yield made
