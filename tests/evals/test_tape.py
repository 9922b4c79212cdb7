"""The tape of a session: what the venue sees, drawn from a seed where nothing was recorded, and only of that day."""

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
import pytest
from parley.agents.llm.rules import RulesModel
from parley.desk.desk import Desk, RunPlan, build_desk
from parley.desk.settings import Settings
from parley.evals.tape import session_tape
from parley.gate.limits import load_limits
from parley.market.cards import DataSet
from parley.memory.log import EventLog
from parley.storage.sql import open_in_memory


@pytest.fixture
def make_desk() -> Iterator[Callable[[DataSet], Desk]]:
    database = open_in_memory()

    def make(data: DataSet) -> Desk:
        plan = RunPlan("six", data.history().sessions_between()[-2:], "rules", 7)
        return build_desk(Settings(), load_limits(), data, plan, EventLog(database), RulesModel(), None)

    yield make
    database.close()


def test_drawn_quotes_say_so_and_stay_inside_their_session_and_its_bar(
    market: DataSet, make_desk: Callable[[DataSet], Desk]
) -> None:
    desk = make_desk(market)
    session = market.history().last_session

    tape = session_tape(desk, session, ["N0", "N1"], 7)

    opens, closes = desk.history.opening_time(session), desk.history.close_time(session)
    assert {quote.symbol for quote in tape.quotes} == {"N0", "N1"}
    assert all(quote.synthetic and opens <= quote.ts_event <= closes for quote in tape.quotes)
    assert [quote.ts_event for quote in tape.quotes] == sorted(quote.ts_event for quote in tape.quotes)
    bar = market.panel.bar("N0", session)
    assert bar is not None
    assert bar.low is not None
    assert bar.high is not None
    mids = [float(quote.mid) for quote in tape.quotes if quote.symbol == "N0"]
    assert bar.low * 0.999 <= min(mids) <= max(mids) <= bar.high * 1.001
    assert mids[-1] == pytest.approx(bar.close, rel=1e-3)


def test_a_tape_is_a_function_of_its_seed(market: DataSet, make_desk: Callable[[DataSet], Desk]) -> None:
    desk, session = make_desk(market), market.history().last_session

    one, again, other = (session_tape(desk, session, ["N0"], seed) for seed in (7, 7, 8))

    assert one == again
    assert one.quotes != other.quotes


def test_a_name_without_a_bar_has_no_market_that_day(market: DataSet, make_desk: Callable[[DataSet], Desk]) -> None:
    close = market.panel.close.copy()
    close[-1, 0] = np.nan
    desk = make_desk(replace(market, panel=replace(market.panel, close=close)))

    tape = session_tape(desk, market.history().last_session, ["N0", "N1"], 7)

    assert set(tape.liquidity) == {"N1"}


def test_the_volatility_of_a_day_is_that_of_the_quarter_before_it(
    market: DataSet, make_desk: Callable[[DataSet], Desk]
) -> None:
    session = market.history().last_session
    crash = market.panel.close.copy()
    crash[-1, 0] *= 0.5
    low = None if market.panel.low is None else np.minimum(market.panel.low, crash)
    wild = replace(market, panel=replace(market.panel, close=crash, low=low))

    calm, torn = (session_tape(make_desk(data), session, ["N0"], 7).liquidity["N0"] for data in (market, wild))

    closes = market.panel.close[-65:-1, 0]
    assert calm.daily_vol_frac == torn.daily_vol_frac == pytest.approx((closes[1:] / closes[:-1] - 1).std())
    assert (calm.volume, calm.is_recorded) == (2_000_000, True)


def test_without_a_recorded_volume_one_is_assumed_and_marked(
    market: DataSet, make_desk: Callable[[DataSet], Desk]
) -> None:
    session = market.history().last_session
    quiet = replace(market, panel=replace(market.panel, volume=None))

    found = session_tape(make_desk(quiet), session, ["N0"], 7).liquidity["N0"]

    assert not found.is_recorded
    assert found.volume == pytest.approx(200e6 / market.panel.close[-1, 0])
