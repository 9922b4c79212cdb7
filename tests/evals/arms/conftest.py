"""A market with room behind its decisions for a horizon to pass, and ground to play arms on."""

from collections.abc import Callable
from datetime import date

import numpy as np
import pytest
from parley.desk.settings import Settings
from parley.evals.arms.playing import Ground
from parley.gate.limits import load_limits
from parley.market.cards import DataSet
from parley.market.files import load_file
from parley.market.sessions import session_calendar


@pytest.fixture(scope="session")
def long_market(tmp_path_factory: pytest.TempPathFactory) -> DataSet:
    """290 sessions of six names in a calm world: 37 can be decided on, and 15 of those be judged."""
    days = session_calendar("XNYS", date(2015, 1, 2), date(2016, 12, 30)).days[:290]
    rng = np.random.default_rng(5)
    market = rng.normal(0.0004, 0.006, len(days))[:, None]
    closes = 40.0 * np.exp(np.cumsum(market + rng.normal(0.0002, 0.008, (len(days), 6)), axis=0))
    path = tmp_path_factory.mktemp("market") / "long.csv"
    rows = [
        f"N{column},{day},{close:.2f},{close * 1.006:.2f},{close * 0.994:.2f},{close:.2f},2000000"
        for day, of_day in zip(days, closes, strict=True)
        for column, close in enumerate(of_day)
    ]
    path.write_text("\n".join(["symbol,date,open,high,low,close,volume", *rows]) + "\n")
    return load_file(path)


@pytest.fixture(scope="session")
def some_days(long_market: DataSet) -> tuple[date, ...]:
    return long_market.history().sessions_between()[254:262]


@pytest.fixture(scope="session")
def long_ground(long_market: DataSet) -> Ground:
    """What the rules' arms have in common."""
    return Ground(long_market, Settings(), load_limits(), "rules", 7)


@pytest.fixture
def ground(long_market: DataSet) -> Callable[[str], Ground]:
    """The common ground of arms by a model of this name."""
    return lambda model: Ground(long_market, Settings(), load_limits(), model, 7)
