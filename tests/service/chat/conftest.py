"""A front over a short run in a falling market, with tokens and history of its own."""

import shutil
from pathlib import Path

import pytest
from parley.service.answers.reader import DeskReader
from parley.service.chat.front import Front
from parley.service.console import Console
from parley.service.preparing import RunRequest
from parley.service.running import perform_run


@pytest.fixture(scope="session")
def asked_book(tmp_path_factory: pytest.TempPathFactory) -> Path:
    book = tmp_path_factory.mktemp("asked") / "book"
    request = RunRequest("us20", "2020-03-05", "2020-03-12", "rules", 7, False, "none", book, None)
    perform_run(request, Console(as_json=True))
    return book


@pytest.fixture
def reader(asked_book: Path, tmp_path: Path) -> DeskReader:
    shutil.copytree(asked_book, tmp_path / "book")
    return DeskReader(tmp_path / "book")


@pytest.fixture
def front(reader: DeskReader) -> Front:
    return Front(reader)
