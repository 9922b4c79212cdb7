"""Worker processes are fresh interpreters: they find the kit of these tests from the repository's root."""

import sys
from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def found_by_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", [*sys.path, str(Path(__file__).parents[3])])
