"""A small market written on the spot, and where the recorded one lies."""

import asyncio
import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from parley.agents.llm.port import ChatModel
from parley.agents.llm.rules import RulesModel
from parley.desk.book import Book, RunFolder, open_log
from parley.desk.desk import RunPlan, build_desk, run_started
from parley.desk.settings import Settings
from parley.domain.market import TextItem
from parley.evals.days import RecordedDays
from parley.gate.limits import load_limits
from parley.market.cards import DataSet
from parley.market.datasets import load_data
from parley.market.files import load_file
from parley.market.sessions import session_calendar


def write_market(path: Path, names: int = 6, days: int = 262, seed: int = 3) -> Path:
    """Daily bars of made-up names as CSV: a common factor and noise, so that the desk finds something to hold."""
    calendar = session_calendar("XNYS", datetime(2015, 1, 2).date(), datetime(2016, 12, 30).date())
    sessions = calendar.days[:days]
    rng = np.random.default_rng(seed)
    market = rng.normal(0.0004, 0.006, days)[:, None]
    closes = 40.0 * np.exp(np.cumsum(market + rng.normal(0.0002, 0.008, (days, names)), axis=0))
    lines = ["symbol,date,open,high,low,close,volume"]
    for column in range(names):
        for row, day in enumerate(sessions):
            close = closes[row, column]
            lines.append(f"N{column},{day},{close:.2f},{close * 1.006:.2f},{close * 0.994:.2f},{close:.2f},2000000")
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.fixture(scope="session")
def market_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_market(tmp_path_factory.mktemp("market") / "six.csv")


@pytest.fixture(scope="session")
def market(market_path: Path) -> DataSet:
    """262 sessions of six names: the last nine can be decided on, since a decision needs 253."""
    return load_file(market_path)


@pytest.fixture(scope="session")
def many_names(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sixteen names: orders enough in one session for a rate of them."""
    return write_market(tmp_path_factory.mktemp("market") / "many.csv", names=16)


@pytest.fixture(scope="session")
def three_names(tmp_path_factory: pytest.TempPathFactory) -> DataSet:
    """Too few names for scores, and so few orders: for what has to be run a hundred times."""
    return load_file(write_market(tmp_path_factory.mktemp("market") / "three.csv", names=3, days=256))


@pytest.fixture
def news() -> Callable[[DataSet, int], tuple[TextItem, ...]]:
    """One headline for the first name on every day of a data set, at noon in New York."""

    def make(data: DataSet, last_days: int) -> tuple[TextItem, ...]:
        days = data.panel.sessions[-last_days:].tolist()
        return tuple(
            TextItem(
                id=f"text-{day}",
                symbol=data.panel.symbols[0],
                source="wire",
                ts_event=datetime(day.year, day.month, day.day, 17, tzinfo=UTC),
                available_at=datetime(day.year, day.month, day.day, 17, tzinfo=UTC),
                headline=f"{data.panel.symbols[0]} beats estimates on {day}",
            )
            for day in days
        )

    return make


@pytest.fixture(scope="session")
def shared_data() -> Path:
    named = os.environ.get("PARLEY_SHARED_DATA")
    folder = Path(named) if named else Path(__file__).resolve().parents[2].parent / "shared" / "data"
    if not (folder / "daily").is_dir():
        reason = f"no recorded data at {folder}; set PARLEY_SHARED_DATA to the folder that holds daily/"
        pytest.skip(reason)
    return folder


@dataclass(frozen=True)
class Player:
    """Runs a data set's last sessions in a book of its own, with what a test wants different."""

    book: Book

    def run(
        self,
        name: str,
        days: int = 4,
        model: ChatModel | None = None,
        settings: Settings | None = None,
        folder: RunFolder | None = None,
    ) -> RunFolder:
        """A whole run in a new folder, or the rest of one in a given folder."""
        model, settings, limits = model or RulesModel(), settings or Settings(), load_limits()
        data = load_data(name)
        plan = RunPlan(name, data.history().sessions_between()[-days:], model.name, 7)
        folder = folder or self.book.create(plan.run_id(settings, limits))
        with open_log(folder) as (log, _):
            desk = build_desk(settings, limits, data, plan, log, model, None)
            started = run_started(settings, limits, data, plan)
            asyncio.run(RecordedDays(desk, plan.sessions, plan.seed, started).run())
        return folder


@pytest.fixture
def player(tmp_path: Path) -> Player:
    return Player(Book(tmp_path / "book"))
