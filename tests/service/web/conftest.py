"""A small run with four users and its pages, served in this process: a fresh copy of the book for each test."""

import contextlib
import io
import os
import shutil
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from parley.service.access.keys import csrf_of
from parley.service.access.roles import Role
from parley.service.access.store import AccessStore
from parley.service.api.app import build_app, guarded
from parley.service.api.callers import CSRF_COOKIE, SESSION_COOKIE
from parley.service.api.settings import ServeSettings
from parley.service.cli import main
from starlette.testclient import TestClient

PASSWORD = "correct horse battery staple"
USERS: dict[str, Role] = {"ada": "admin", "rita": "risk_officer", "oz": "operator", "vic": "viewer"}


@dataclass(frozen=True)
class Desk:
    """A book behind its pages."""

    book: Path
    run: str
    _apps: dict[str, Any] = field(default_factory=dict[str, Any])

    def client(self, user: str | None = "vic", **changes: Any) -> TestClient:
        """A browser in which this user has signed in, or nobody; it follows no redirect by itself."""
        key = repr(sorted(changes.items()))
        app = self._apps.get(key) or self._apps.setdefault(key, build_app(ServeSettings(self.book, **changes)))
        made = TestClient(guarded(app), "http://localhost", raise_server_exceptions=False, follow_redirects=False)
        if user is not None:
            secret = app.state.desk.doorman.store.open_session(user)
            made.cookies.update({SESSION_COOKIE: secret, CSRF_COOKIE: csrf_of(secret)})
            made.headers["X-CSRF-Token"] = csrf_of(secret)
        return made


@pytest.fixture(scope="session")
def _desk_once(six_names: Path, tmp_path_factory: pytest.TempPathFactory) -> Desk:
    book = tmp_path_factory.mktemp("web") / "book"
    for name in [name for name in os.environ if name.startswith("PARLEY_") and name != "PARLEY_SHARED_DATA"]:
        del os.environ[name]
    with contextlib.redirect_stdout(io.StringIO()), pytest.raises(SystemExit) as ended:
        main(["run", "--data", str(six_names), "--book", str(book), "--json"])
    assert ended.value.code == 0
    store = AccessStore(book)
    for name, role in USERS.items():
        store.add_user(name, role, PASSWORD)
    store.close()
    return Desk(book, (book / "latest").read_text(encoding="utf-8").strip())


@pytest.fixture(scope="session")
def still(_desk_once: Desk) -> Desk:
    """The one book, for tests that only look: served once for all of them."""
    return _desk_once


@pytest.fixture
def desk(_desk_once: Desk, tmp_path: Path) -> Desk:
    book = tmp_path / "book"
    shutil.copytree(_desk_once.book, book)
    return Desk(book, _desk_once.run)


class Page(HTMLParser):
    """A page's elements with their attributes, in their order, and its text."""

    VOID = frozenset({"meta", "link", "input", "br", "img", "hr"})

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.text = ""
        self._open: list[str] = []
        self.unclosed: list[str] = []
        self.feed(html)
        self.unclosed += self._open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in self.VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        if self._open and self._open[-1] == tag:
            self._open.pop()
        else:
            self.unclosed.append(f"/{tag}")

    def handle_data(self, data: str) -> None:
        self.text += data

    def all(self, tag: str, **wanted: str) -> list[dict[str, str]]:
        """The attributes of every element of a kind that has these."""
        return [found for name, found in self.elements if name == tag and wanted.items() <= found.items()]


@pytest.fixture
def read() -> type[Page]:
    return Page
