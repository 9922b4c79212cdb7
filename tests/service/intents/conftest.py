"""A short run in a falling market, copied for each test that changes it; a clock and a draw that tests set."""

import shutil
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from parley.service.answers.reader import DeskReader
from parley.service.console import Console
from parley.service.intents.tokens import TokenStore
from parley.service.preparing import RunRequest
from parley.service.running import perform_run


@dataclass
class Clock:
    """A clock that stands still until it is moved."""

    at: datetime = field(default_factory=lambda: datetime(2024, 1, 2, 12, 0, tzinfo=UTC))

    def __call__(self) -> datetime:
        return self.at

    def move(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


@pytest.fixture(scope="session")
def rested_book(tmp_path_factory: pytest.TempPathFactory) -> Path:
    book = tmp_path_factory.mktemp("rested") / "book"
    request = RunRequest("us20", "2020-03-05", "2020-03-12", "rules", 7, False, "none", book, None)
    perform_run(request, Console(as_json=True))
    return book


@pytest.fixture
def reader(rested_book: Path, tmp_path: Path) -> DeskReader:
    shutil.copytree(rested_book, tmp_path / "book")
    return DeskReader(tmp_path / "book")


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def tokens(reader: DeskReader, clock: Clock) -> TokenStore:
    drawn = iter(f"token-{number}" for number in range(1000))
    return TokenStore(reader.book, clock, lambda: next(drawn))
