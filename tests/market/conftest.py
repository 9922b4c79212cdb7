"""Where the recorded market data for tests lies, and small files written on the spot."""

import os
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest
from parley.market.cards import DataSet
from parley.market.datasets import load_data
from parley.market.files import load_file

WriteCsv = Callable[[str], Path]
LoadRecorded = Callable[[str], DataSet]


@pytest.fixture(scope="session")
def shared_data() -> Path:
    named = os.environ.get("PARLEY_SHARED_DATA")
    folder = Path(named) if named else Path(__file__).resolve().parents[2].parent / "shared" / "data"
    if not (folder / "daily").is_dir():
        reason = f"no recorded data at {folder}; set PARLEY_SHARED_DATA to the folder that holds daily/"
        pytest.skip(reason)
    return folder


@pytest.fixture(scope="session")
def us20() -> DataSet:
    return load_data("us20")


@pytest.fixture(scope="session")
def us5() -> DataSet:
    return load_data("us5")


@pytest.fixture(scope="session")
def sp500() -> DataSet:
    return load_data("sp500")


@pytest.fixture(scope="session")
def recorded(shared_data: Path) -> LoadRecorded:
    """Loads a recorded file by its path under the shared folder, once per run."""
    return cache(lambda name: load_file(shared_data / name))


@pytest.fixture
def write_csv(tmp_path: Path) -> WriteCsv:
    def write(text: str) -> Path:
        path = tmp_path / "rows.csv"
        path.write_text(text)
        return path

    return write
