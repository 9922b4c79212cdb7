"""A run of a small market, its path, and a board made of them."""

import itertools
from decimal import Decimal

import numpy as np
import pytest
from parley.domain.events import Event
from parley.evals.scoreboard.board import Board, RivalPath
from parley.evals.scoreboard.day_path import DayPath, path_of_events
from parley.evals.trials import Trials
from parley.market.cards import DataSet

from ..rehearsal_kit import rehearse


@pytest.fixture(scope="session")
def events(market: DataSet) -> tuple[Event, ...]:
    """The last eight sessions of six names."""
    return rehearse(market, market.history().sessions_between()[-8:])


@pytest.fixture(scope="session")
def path(events: tuple[Event, ...], market: DataSet) -> DayPath:
    return path_of_events(iter(events), Decimal(1_000_000), market.universe)


def made_path(returns: np.ndarray, start: str = "2000-01-03") -> DayPath:
    """A path over weekdays with these daily returns (n_days,): fully invested, one trade of half of it at 10 bp."""
    first = np.datetime64(start)
    days = tuple(str(np.busday_offset(first, place, roll="forward")) for place in range(len(returns) + 1))
    equity = 1e6 * np.r_[1.0, np.cumprod(1.0 + returns)]
    ones, bought = np.ones(len(days)), np.zeros(len(days))
    bought[1] = 5e5
    regimes = tuple(itertools.islice(itertools.cycle(("calm", "calm", "stressed")), len(days)))
    return DayPath(
        days=days,
        equity=equity,
        costs=bought * 1e-3,
        fees=bought * 1e-4,
        bought=bought,
        sold=np.zeros(len(days)),
        gross=ones,
        net=ones,
        var_99=np.full(len(days), 0.0233),
        classes={"stock": ones},
        regimes=regimes,
        counts={"decisions": len(days), "fills": 1},
    )


@pytest.fixture
def board() -> Board:
    """Four years of the desk beside an index that it resembles, and a bond mix."""
    rng = np.random.default_rng(5)
    market = rng.normal(0.0004, 0.01, 1008)
    desk = made_path(0.6 * market + rng.normal(0.0001, 0.002, 1008))
    index = 1e6 * np.r_[1.0, np.cumprod(1.0 + market)]
    others = {"index": RivalPath(index, 1e6, 300.0), "equal_weight": RivalPath(index * 1.0, 1e6, 300.0)}
    trials = Trials(200, 0.35)
    return Board("made", "rules", desk, others, None, np.full(1008, 5e-5), trials, "trial-0", False)
