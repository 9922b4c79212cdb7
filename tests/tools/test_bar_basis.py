"""Bars within the day as the tools see them: a session's risk from its parts, nights as they are, whole volumes."""

from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from parley.domain.instruments import Instrument, Universe
from parley.domain.portfolio import Portfolio
from parley.gate.limits import load_limits
from parley.market.cards import DataCard
from parley.market.history import History
from parley.market.intervals import BarInterval, bar_grid
from parley.market.panel import Panel
from parley.market.sessions import session_calendar
from parley.quant.policy import PolicyParams
from parley.tools.bar_basis import bar_basis
from parley.tools.errors import NotEnoughData
from parley.tools.estimators import Estimators
from parley.tools.ledger import Ledger
from parley.tools.market import scores
from parley.tools.scene import CostParams, Scene

CALENDAR = session_calendar("XNYS", date(2013, 1, 2), date(2013, 12, 31))
INTERVAL = BarInterval(300, 1800, 23_400)
"""Bars of five minutes: 78 a session."""
CARD = DataCard("made", "", "", "", date(2013, 10, 1), date(2013, 10, 31), "minute", False, False, "none")
COSTS = CostParams(2.0, 1.0, 1.0, 1e9, 13, 5000.0, 30.0)


def scene(n_days: int = 5, night: float = 0.0, *, interval: BarInterval | None = INTERVAL, names: int = 6) -> Scene:
    """Each name moves by plus or minus a thousandth a bar, and by `night` from one close to the first bar after it."""
    days = CALENDAR.days[(CALENDAR.days >= np.datetime64("2013-10-01"))][:n_days]
    grid = bar_grid(CALENDAR, days, INTERVAL)
    signs = np.random.default_rng(3).choice([-1.0, 1.0], (len(grid.ends), names))
    moves = 0.001 * signs
    moves[np.r_[False, grid.days[1:] != grid.days[:-1]]] = night
    close = (40.0 * np.cumprod(1.0 + moves, axis=0)).astype(np.float64)
    panel = Panel(
        symbols=tuple(f"N{place}" for place in range(names)),
        sessions=grid.days if interval else grid.days[0] + np.arange(len(grid.days)),
        close_times=grid.ends,
        close=close,
        volume=np.full(moves.shape, 1000.0),
        interval=interval,
        is_decision=grid.is_decision if interval else None,
    )
    universe = Universe(name="made", instruments=tuple(Instrument(symbol=symbol) for symbol in panel.symbols))
    view = History(panel, universe, CARD).as_of(datetime.fromisoformat(f"{grid.ends[-1]}+00:00"))
    cash = Decimal(10**6)
    return Scene(view, universe, Portfolio(cash=cash), cash, cash, load_limits(), PolicyParams(), COSTS)


def test_a_move_of_a_bar_counts_as_a_sessions_by_the_square_root_of_time() -> None:
    returns = scene().returns

    within = np.abs(returns) > 1e-9
    assert np.abs(returns[within]) == pytest.approx(0.001 * 78**0.5, rel=1e-6)
    # 252 sessions of it: 14 % a year, as 0.1 % a bar is.
    assert float(np.sqrt(np.square(returns[within]).mean() * 252)) == pytest.approx(0.001 * (78 * 252) ** 0.5)


def test_a_move_over_the_night_stays_what_it_is() -> None:
    returns = scene(night=0.02).returns

    nights = np.isclose(returns[:, 0], 0.02)
    assert nights.sum() == 3  # a window of 252 bars of 78 a session
    assert np.abs(returns[~nights]).max() == pytest.approx(0.001 * 78**0.5, rel=1e-6)


def test_rows_that_are_days_are_not_scaled() -> None:
    daily = scene(interval=None)

    assert np.abs(daily.returns[np.abs(daily.returns) > 1e-9]) == pytest.approx(0.001, rel=1e-6)
    assert daily.scaled(daily.returns) is not None and bar_basis(ledger(daily), daily) is None


def test_volume_is_that_of_a_whole_session_and_a_silent_bar_has_none() -> None:
    whole = scene()
    assert whole.daily_volume["N0"] == pytest.approx(78_000.0)

    assert whole.view.volume is not None
    volume = whole.view.volume.copy()
    volume[-252::2, 0] = np.nan
    half = replace(whole, view=replace(whole.view, volume=volume), memo={})
    assert half.daily_volume["N0"] == pytest.approx(39_000.0)


def test_the_entry_tells_the_window_and_the_scale() -> None:
    seen = scene()
    book = ledger(seen)

    bar_basis(book, seen)

    (entry,) = book.entries
    output: Any = entry.output
    assert (output["window_bars"], output["bars_per_session"], output["decision_seconds"]) == (252, 78.0, 1800)
    assert output["window_sessions"] == pytest.approx(252 / 78)
    assert output["scale_to_session"] == pytest.approx(78**0.5)
    assert "nothing about profit" in output["says"]


def test_too_few_bars_are_named_as_bars() -> None:
    with pytest.raises(NotEnoughData, match="78 bars of 5m before 2013-10-01 20:00:00 UTC, 253 are needed"):
        _ = scene(n_days=1).tradable


def test_scores_that_were_calibrated_on_closes_are_not_asked_of_bars() -> None:
    seen = scene()

    with pytest.raises(NotEnoughData, match="calibrated on daily closes"):
        scores(ledger(seen), seen, Estimators())
    assert Estimators().regime(seen.view) is None


def ledger(seen: Scene) -> Ledger:
    return Ledger(seen.view.as_of, seen.view.fingerprint)
