"""A served book and a real browser on it, which writes down what it asked for and what went wrong.

What takes time is made once: the recorded book for the session, its server too, a browser for each module, and each
person signs in once at each server.
"""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from parley.service.access.roles import Role
from parley.service.access.store import AccessStore
from playwright.sync_api import Browser, BrowserContext, Page, StorageState, TimeoutError, sync_playwright

PASSWORD = "correct horse battery staple"
USERS: dict[str, Role] = {"rita": "risk_officer", "oz": "operator", "vic": "viewer"}
WAIT_MS = 30_000
SETTLED = """() => !document.querySelector("[data-part][data-lazy], [aria-busy=true]")
  && (!document.querySelector("#live") || document.querySelector("#live[data-live=on]"))"""

WAITS_FOR = """() => [...document.querySelectorAll("[data-lazy], [aria-busy=true], #live")].map(
  (found) => `${found.id} ${found.textContent}`)"""


def parley(*arguments: object) -> list[str]:
    return [sys.executable, "-m", "parley", *(str(item) for item in arguments)]


def own_environment() -> dict[str, str]:
    """This one without settings of the desk, but with the place of recorded data."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PARLEY_")}
    return kept | {name: os.environ[name] for name in ("PARLEY_SHARED_DATA",) if name in os.environ}


@contextmanager
def started(folder: Path, *arguments: object) -> Iterator["subprocess.Popen[str]"]:
    """A command of the desk beside this process, ended at the end."""
    process = subprocess.Popen(
        parley(*arguments), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, cwd=folder,
        env=own_environment(),
    )  # fmt: skip
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()


def add_users(book: Path) -> None:
    store = AccessStore(book)
    for name, role in USERS.items():
        store.add_user(name, role, PASSWORD)
    store.close()


@contextmanager
def served(book: Path) -> Iterator[str]:
    """The address of a server of a book, on a port that was free."""
    with started(book.parent, "serve", "--port", 0, "--book", book, "--json") as process:
        said = ""
        assert process.stdout is not None
        while not said.endswith("}\n"):
            line = process.stdout.readline()
            assert line, f"the server ended: {said}"
            said += line
        yield json.loads(said)["url"]


@pytest.fixture(scope="session")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A book with a run of thirty sessions of twenty stocks, and three users."""
    book = tmp_path_factory.mktemp("browser") / "book"
    options = ("--data", "us20", "--start", "2022-03-01", "--end", "2022-04-12")
    command = parley("run", *options, "--book", book, "--json")
    subprocess.run(command, check=True, cwd=book.parent, env=own_environment(), capture_output=True)
    add_users(book)
    return book


@pytest.fixture(scope="session")
def recorded_at(recorded: Path) -> Generator[str]:
    """The address of the recorded book, for tests that only look."""
    with served(recorded) as url:
        yield url


@pytest.fixture(scope="module")
def own_book(recorded: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the recorded book, for the tests of a module that change it one after the other."""
    return Path(shutil.copytree(recorded, tmp_path_factory.mktemp("own") / "book"))


@pytest.fixture(scope="module")
def own_at(own_book: Path) -> Generator[str]:
    """The address of the book that may be changed."""
    with served(own_book) as url:
        yield url


@pytest.fixture
def serve() -> Callable[[Path], Any]:
    """Serves a book as long as it is needed; one without users gets them."""

    def serving(book: Path) -> Any:
        if not book.exists():
            add_users(book)
        return served(book)

    return serving


@pytest.fixture
def start() -> Callable[..., Any]:
    return started


@pytest.fixture(scope="session")
def _chromium() -> str:
    path = shutil.which("chromium")
    if path is None:
        pytest.skip("no chromium on the PATH: a real browser is what these tests are about")
    return path


@pytest.fixture(scope="module")
def browser(_chromium: str) -> Generator[Browser]:
    """One browser for a module: its loop would be in the way of those of other modules.

    No name but this machine's own address can be resolved in it.
    """
    rules = "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=_chromium, args=["--no-sandbox", rules])
        yield found
        found.close()


@dataclass
class Screen:
    """One person's browser on a desk, and what became of everything that it did."""

    url: str
    page: Page
    asked_for: list[str] = field(default_factory=list[str])
    troubles: list[str] = field(default_factory=list[str])

    def go(self, path: str) -> None:
        """Open a page and wait until all of it is there and it is live."""
        self.page.goto(self.url + path)
        self.settle()

    def settle(self) -> None:
        self.page.wait_for_load_state("load")
        try:
            self.page.wait_for_function(SETTLED)
        except TimeoutError as error:
            waits = self.page.evaluate(WAITS_FOR)
            raise AssertionError(f"{self.page.url} waits for {waits}; troubles: {self.troubles}") from error

    def sign_in(self, user: str) -> None:
        self.page.goto(self.url + "/sign-in")
        self.page.get_by_label("Name").fill(user)
        self.page.get_by_label("Password").fill(PASSWORD)
        self.page.get_by_role("button", name="Sign in").click()
        self.settle()

    def request(self, action: str, reason: str) -> None:
        """Open the dialog of a request, give a reason, and have it shown what it would do."""
        self.page.locator(f"main [data-control={action}]").first.click()
        dialog = self.page.get_by_role("dialog")
        dialog.get_by_label("Why").fill(reason)
        dialog.get_by_role("button", name="Show what it would do").click()
        self.page.locator(f"#dialog [data-confirm={action}]").wait_for()

    def confirm(self) -> str:
        """Confirm what the dialog shows; what it says then."""
        self.page.locator("#dialog [data-confirm]").click()
        said = self.page.locator("#dialog [role=status]")
        said.wait_for()
        text = said.inner_text()
        self.page.locator("#dialog [data-close]").click()
        return text

    def ask(self, question: str) -> str:
        """Ask in the chat; the answer when all of it is there."""
        turns = self.page.locator("#chat-log .turn:not(.pending)")
        before = turns.count()
        self.page.get_by_label("Question or request").fill(question)
        self.page.keyboard.press("Enter")
        turns.nth(before).wait_for()
        return turns.nth(before).inner_text()

    @property
    def strangers(self) -> list[str]:
        """Everything that was asked of somebody else than the server under test."""
        return [url for url in self.asked_for if not url.startswith((self.url + "/", "data:"))]


def watched_screen(context: BrowserContext, url: str) -> Screen:
    """A page of this context whose requests and troubles are written down."""
    context.set_default_timeout(WAIT_MS)
    screen = Screen(url, context.new_page())
    context.on("request", lambda request: screen.asked_for.append(request.url))
    context.on(
        "response", lambda reply: screen.troubles.append(f"{reply.status} {reply.url}") if reply.status >= 400 else None
    )
    context.on("weberror", lambda error: screen.troubles.append(str(error.error)))
    context.on("console", lambda said: screen.troubles.append(said.text) if said.type in ("error", "warning") else None)
    screen.page.on("websocket", lambda socket: screen.asked_for.append(socket.url))
    return screen


@pytest.fixture(scope="session")
def _signed_in() -> dict[tuple[str, str], StorageState]:
    """What a browser keeps of a person who has signed in, by address and person."""
    return {}


@pytest.fixture
def screen(browser: Browser, _signed_in: dict[tuple[str, str], StorageState]) -> Generator[Callable[..., Screen]]:
    """Opens a browser of its own for a person on a page; afterwards nothing may have gone wrong or left."""
    opened: list[Screen] = []

    def open_for(url: str, user: str | None = "oz", at: str = "/", **options: Any) -> Screen:
        options = {"viewport": {"width": 1440, "height": 1000}, "color_scheme": "light"} | options
        known = _signed_in.get((url, user or ""))
        desk = watched_screen(browser.new_context(storage_state=known, **options), url)
        opened.append(desk)
        if user is not None and known is None:
            desk.sign_in(user)
            _signed_in[url, user] = desk.page.context.storage_state()
        if user is not None and (known is not None or at != "/"):
            desk.go(at)
        return desk

    yield open_for
    found = [(screen.troubles, screen.strangers) for screen in opened]
    for one in opened:
        one.page.context.close()
    assert found == [([], [])] * len(opened)
