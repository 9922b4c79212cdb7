"""The loop within the day: decides at t on what was known at t, trades on what was recorded after it, and resumes."""

import asyncio
import os
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from parley.agents.llm.rules import RulesModel
from parley.desk.book import LOG, RunFolder, open_log
from parley.desk.desk import RunPlan, build_desk, run_started
from parley.desk.settings import PolicySettings, Settings
from parley.domain.events import ChildSubmitted, DecisionMade, Event, OrderFilled, Payload, PortfolioMarked, RunFinished
from parley.domain.sessions import day_of
from parley.evals.days import RecordedDays
from parley.gate.limits import load_limits
from parley.market.cards import DataSet
from parley.market.datasets import load_data
from parley.memory.gate_record import GateRecord
from parley.memory.log import EventLog
from parley.memory.verify import verify_log
from parley.service.limit_rules import reachable_limits

from .minutes_kit import HALF_SPREAD, NEW_YORK, write_minutes
from .rehearsal_kit import rehearse

SETTINGS = Settings(policy=PolicySettings(band=0.0))
"""Without a band every decision trades a little."""
NOON = datetime(2015, 1, 6, 12, 0, tzinfo=NEW_YORK)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("minutes")


@pytest.fixture(scope="module")
def minutes(folder: Path) -> DataSet:
    """Two days of minutes with quotes, decided on every half hour from the first afternoon on."""
    return load_data(f"{write_minutes(folder / 'minutes.csv')}@30m")


@pytest.fixture(scope="module")
def played(minutes: DataSet) -> tuple[Event, ...]:
    return play(minutes)


def play(data: DataSet) -> tuple[Event, ...]:
    """From 13:00 of the first day, so that a window is full at 14:00, to 13:00 of the second."""
    start, end = datetime(2015, 1, 5, 13, 0), datetime(2015, 1, 6, 13, 0)
    return rehearse(data, data.history().sessions_between(start, end), settings=SETTINGS)


def of(events: tuple[Event, ...], kind: type[Payload]) -> list[Any]:
    return [event.decoded() for event in events if event.type == kind.__name__]


def test_it_decides_at_every_half_hour_and_at_the_close(played: tuple[Event, ...]) -> None:
    decided = [made.decision for made in of(played, DecisionMade)]

    clocks = [f"{item.snapshot.session:%d %H:%M}" for item in decided]
    assert clocks[:3] == ["05 13:00", "05 13:30", "05 14:00"]
    assert clocks[clocks.index("05 16:00") + 1] == "06 10:00"
    assert [item.as_of for item in decided] == [mark.session for mark in of(played, PortfolioMarked)]
    assert [item.kind for item in decided[:3]] == ["refused", "refused", "trade"]
    assert "240 bars of 1m" in decided[1].summary


def test_a_plan_is_worked_after_its_decision_and_before_the_next(played: tuple[Event, ...]) -> None:
    moments = [made.decision.as_of for made in of(played, DecisionMade)]

    fills = [item.fill for item in of(played, OrderFilled)]
    assert len(fills) > 20
    owners = {item.order_id: made.decision for made in of(played, DecisionMade) if made.decision.plan
              for item in made.decision.plan.legs}  # fmt: skip
    for fill in fills:
        decided = owners[fill.order_id].as_of
        later = moments[moments.index(decided) + 1]
        assert decided < fill.ts_event <= later


def test_no_fill_is_better_than_the_recorded_quote_of_its_moment(minutes: DataSet, played: tuple[Event, ...]) -> None:
    quotes = recorded_quotes(minutes)

    for item in of(played, OrderFilled):
        fill = item.fill
        bid, ask, bid_size, ask_size = quotes[fill.symbol, fill.ts_event]
        touch, size = (ask, ask_size) if fill.side.value == "BUY" else (bid, bid_size)
        assert (fill.tier, fill.synthetic) == ("T1", False)
        assert fill.side.sign * (fill.price - touch) >= 0
        assert fill.quantity <= size


def recorded_quotes(data: DataSet) -> dict[tuple[str, datetime], tuple[Decimal, Decimal, int, int]]:
    found = {}
    assert data.recordings is not None
    for symbol in data.panel.symbols:
        for day in {day_of(session) for session in data.history().sessions_between()}:
            recording = data.recordings.recording(symbol, day)
            assert recording is not None and recording.books is not None
            books = recording.books
            for row, ts in enumerate(books.ts.astype("datetime64[us]").tolist()):
                at = ts.replace(tzinfo=NEW_YORK.__class__(timedelta(0)))
                prices = (Decimal(f"{books.bid[row, 0]:.2f}"), Decimal(f"{books.ask[row, 0]:.2f}"))
                found[symbol, at] = (*prices, int(books.bid_size[row, 0]), int(books.ask_size[row, 0]))
    return found


def test_what_comes_after_a_moment_changes_nothing_up_to_it(folder: Path, played: tuple[Event, ...]) -> None:
    other = load_data(f"{write_minutes(folder / 'altered.csv', altered_after=NOON)}@30m")

    events = play(replace(other, card=replace(other.card, name="minutes@30m"), universe=other.universe.model_copy(
        update={"name": "minutes"})))  # fmt: skip

    def known(events: tuple[Event, ...]) -> list[tuple[str, object]]:
        return [(item.type, item.payload) for item in events[1:] if item.event_time <= NOON]

    assert known(events) == known(played)
    assert [item.payload for item in events[1:]] != [item.payload for item in played[1:]]
    assert len([kind for kind, _ in known(played) if kind == DecisionMade.__name__]) == 12


def test_the_daily_loss_is_counted_from_the_close_of_the_day_before(played: tuple[Event, ...]) -> None:
    marks = of(played, PortfolioMarked)
    last_of_first = [mark for mark in marks if day_of(mark.session) == date(2015, 1, 5)][-1]

    previous = {day_of(made.decision.snapshot.session): set[Decimal]() for made in of(played, DecisionMade)}
    for made in of(played, DecisionMade):
        previous[day_of(made.decision.snapshot.session)].add(made.decision.snapshot.previous_equity)
    assert previous == {date(2015, 1, 5): {Decimal(1_000_000)}, date(2015, 1, 6): {last_of_first.equity}}


def test_the_log_verifies_and_a_walk_over_it_finds_the_same_bytes(minutes: DataSet, tmp_path: Path) -> None:
    head = resumed(minutes, tmp_path)

    report = verify_log(tmp_path / LOG, auditors=[GateRecord(reachable_limits)])
    assert (report.ok, report.findings, report.head_hash) == (True, (), head)
    assert resumed(minutes, tmp_path, from_start=True) == head


@pytest.mark.parametrize("kill_at", [0, 3, 11])
def test_a_run_cut_off_in_the_middle_of_a_span_goes_on_to_the_same_head(
    minutes: DataSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kill_at: int
) -> None:
    """Killed before the n-th child is recorded: the log is re-walked from the last close."""
    whole = resumed(minutes, tmp_path / "whole")
    real, seen = EventLog.append, 0

    def dying(log: EventLog, events: Any, expected: Any = None) -> Any:
        nonlocal seen
        seen += sum(isinstance(event.payload, ChildSubmitted) for event in events)
        if seen > kill_at:
            raise KeyboardInterrupt
        return real(log, events, expected)

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(EventLog, "append", dying)
        resumed(minutes, tmp_path / "cut")

    assert resumed(minutes, tmp_path / "cut") == whole


def resumed(data: DataSet, folder: Path, *, from_start: bool = False) -> str:
    """The head that a run of one afternoon and one morning ends with, from wherever its log stands."""
    sessions = data.history().sessions_between(datetime(2015, 1, 5, 13, 30), datetime(2015, 1, 6, 10, 30))
    plan, limits = RunPlan("minutes", sessions, "rules", 7), load_limits()
    folder.mkdir(exist_ok=True)
    with open_log(RunFolder("run", folder)) as (log, _):
        desk = build_desk(SETTINGS, limits, data, plan, log, RulesModel(), None)
        started = run_started(SETTINGS, limits, data, plan)
        asyncio.run(RecordedDays(desk, sessions, 7, started, from_start=from_start).run())
        return log.head()[1]


def test_bars_without_quotes_are_traded_on_drawn_paths_and_say_so(folder: Path) -> None:
    data = load_data(f"{write_minutes(folder / 'bars.csv', quotes=False)}@30m")

    fills = [item.fill for item in of(play(data), OrderFilled)]

    assert data.recordings is None
    assert {(fill.tier, fill.synthetic) for fill in fills} == {("T0", True)}


def test_a_name_that_falls_silent_is_not_bought_and_others_are(folder: Path) -> None:
    silent = frozenset(("BBB", minute) for minute in range(265, 780))
    data = load_data(f"{write_minutes(folder / 'silent.csv', silent=silent)}@30m")

    events = play(data)

    bought = {item.fill.symbol for item in of(events, OrderFilled)}
    assert bought == {"AAA", "CCC"}


def test_one_trade_in_a_session_is_refused_and_orders_nothing(folder: Path) -> None:
    all_but_one = frozenset(("BBB", minute) for minute in range(780) if minute != 300)
    data = load_data(f"{write_minutes(folder / 'one.csv', silent=all_but_one)}@30m")

    assert {item.fill.symbol for item in of(play(data), OrderFilled)} == {"AAA", "CCC"}


def test_the_recorded_book_of_one_coin_is_decided_on_and_swept_level_by_level() -> None:
    named = os.environ.get("PARLEY_SHARED_DATA")
    root = Path(named) if named else Path(__file__).resolve().parents[2].parent / "shared" / "data"
    path = root / "orderbook" / "btcusdt_perp_20240808_l2_top10_100ms.parquet"
    if not path.exists():
        reason = f"no recorded data at {path}; set PARLEY_SHARED_DATA to the folder that holds orderbook/"
        pytest.skip(reason)
    data = load_data(f"{path}@15s")

    events = rehearse(data, data.history().sessions_between(datetime(2024, 8, 8, 23, 58, 15)), settings=SETTINGS)

    fills = [item.fill for item in of(events, OrderFilled)]
    assert {(fill.tier, fill.synthetic) for fill in fills} == {("T2", False)}
    assert data.recordings is not None
    recording = data.recordings.recording("BTCUSDT", date(2024, 8, 8))
    assert recording is not None and recording.books is not None
    books = recording.books
    for fill in fills:
        assert fill.side.value == "BUY"
        at = np.array([fill.ts_event.replace(tzinfo=None)], dtype="datetime64[ns]") + np.timedelta64(999, "ns")
        shown = books.ask[int(books.at(at.astype("datetime64[ns]"))[0])]
        # A thousandth of a coin each, at one of the prices that were shown.
        assert float(fill.price) * 1000 == pytest.approx(shown[np.abs(shown - float(fill.price) * 1000).argmin()])
    assert of(events, RunFinished)[0].orders == len({fill.order_id for fill in fills})


def test_the_made_quotes_stand_where_the_kit_says(minutes: DataSet) -> None:
    assert minutes.recordings is not None
    recording = minutes.recordings.recording("AAA", date(2015, 1, 5))

    assert recording is not None and recording.books is not None
    assert np.allclose(recording.books.ask[:, 0] - recording.books.bid[:, 0], 2 * HALF_SPREAD, atol=0.011)
