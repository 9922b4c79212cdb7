"""Stops through the whole desk: a position that falls is closed on any day, with a plan or without, and audited."""

import asyncio
from contextlib import closing
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from parley.agents.llm.rules import RulesModel
from parley.desk.book import open_log
from parley.desk.desk import Desk, RunPlan, build_desk
from parley.desk.settings import Settings
from parley.domain.decisions import Intent, IntentKind
from parley.domain.events import DecisionMade, OrderFilled, PlanApproved, StopArmed, StopFired
from parley.domain.market import Quote
from parley.domain.orders import Side
from parley.domain.portfolio import Portfolio, Position
from parley.evals.protecting import StopDay, Stops
from parley.evals.tape import Tape
from parley.execution.venues.market_events import Cross, Print
from parley.gate.limits import load_limits
from parley.market.cards import DataSet
from parley.market.files import load_file
from parley.market.sessions import session_calendar
from parley.memory.gate_record import GateRecord
from parley.memory.log import EventLog
from parley.memory.verify import verify_log
from parley.service.limit_rules import reachable_limits
from parley.storage.sql import open_in_memory

from .conftest import Player


def write_crash(path: Path, crash_days: int = 4) -> Path:
    """Six names that rise for a year and then fall three per cent a day."""
    sessions = session_calendar("XNYS", date(2015, 1, 2), date(2016, 12, 30)).days
    rng = np.random.default_rng(5)
    lines, close = ["symbol,date,open,high,low,close,volume"], np.full(6, 40.0)
    for row, day in enumerate(sessions[: 262 + crash_days]):
        close = close * np.exp(-0.03 if row >= 262 else rng.normal(0.0006, 0.008, 6))
        for column, price in enumerate(close.tolist()):
            bar = f"{price * 1.002:.2f},{price * 1.008:.2f},{price * 0.992:.2f},{price:.2f}"
            lines.append(f"N{column},{day},{bar},2000000")
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.fixture(scope="module")
def crash(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_crash(tmp_path_factory.mktemp("crash") / "six.csv")


def payloads(log: EventLog, kind: type) -> list[Any]:
    return [event.decoded() for event in log.read(types=(kind,))]


def test_every_position_that_falls_to_its_stop_is_closed_and_the_log_says_how(player: Player, crash: Path) -> None:
    folder = player.run(str(crash), days=9, settings=Settings(stop_loss_frac=0.03))

    with open_log(folder) as (log, _):
        fired, armed = payloads(log, StopFired), payloads(log, StopArmed)
        decisions = [payload.decision for payload in payloads(log, DecisionMade)]
        fills = payloads(log, OrderFilled)

    report = verify_log(folder.log_path, auditors=(GateRecord(reachable_limits),))
    assert report.ok, report
    exits = {leg.order_id: leg for item in fired for leg in item.exits}
    assert exits
    assert all(item.price <= item.stop_price for item in fired)
    asked = [decision for decision in decisions if decision.intent is not None]
    assert {decision.intent.by for decision in asked} == {"protective stop"}
    assert all(decision.llm_calls == 0 for decision in asked)
    sold = {order_id: sum(p.fill.quantity for p in fills if p.fill.order_id == order_id) for order_id in exits}
    assert all(sold[order_id] <= leg.quantity for order_id, leg in exits.items())
    assert sum(sold.values()) > 0
    assert {item.quantity for item in armed} > {0}
    assert all(item.stop_price == (item.entry_price * Decimal("0.97")).quantize(Decimal("0.0001")) for item in armed)
    assert any(sold[order_id] == leg.quantity for order_id, leg in exits.items())


def test_without_a_stop_in_the_settings_nothing_of_it_is_in_the_log_nor_in_the_hash(
    player: Player, crash: Path
) -> None:
    folder = player.run(str(crash), days=10)

    with open_log(folder) as (log, _):
        assert not payloads(log, StopArmed)
        assert not payloads(log, StopFired)
    assert "stop_loss_frac" not in Settings().public()
    assert Settings(stop_loss_frac=0.1).hash() != Settings().hash()


def world(data: DataSet, settings: Settings, log: EventLog, **limits: Any) -> Desk:
    sessions = data.history().sessions_between()[-3:]
    bounds = load_limits().tighten(**limits)
    return build_desk(settings, bounds, data, RunPlan("x", sessions, "rules", 7), log, RulesModel(), None)


@pytest.mark.parametrize("has_stops", [True, False])
def test_where_every_position_needs_a_stop_only_a_desk_that_gives_one_may_buy(crash: Path, has_stops: bool) -> None:
    data = load_file(crash)
    with closing(open_in_memory()) as database:
        settings = Settings(stop_loss_frac=0.05) if has_stops else Settings()
        desk = world(data, settings, EventLog(database), require_protective_stop=True)
        session = data.history().sessions_between()[-8]
        cash = Decimal(1_000_000)
        decision = asyncio.run(desk.decide(desk.snapshot(session, Portfolio(cash=cash), cash, cash)))

    failed = {check.check for verdict in decision.verdicts for check in verdict.reasons}
    assert ("protective_stop" in failed) is not has_stops


def test_a_decision_at_once_is_the_graph_s_own(crash: Path) -> None:
    data = load_file(crash)
    session = data.history().sessions_between()[-3]
    portfolio = Portfolio(
        cash=Decimal(900_000), positions=(Position(symbol="N1", quantity=100, average_price=Decimal(40)),)
    )
    intent = Intent(intent_id="i", kind=IntentKind.FLATTEN, symbols=("N1",), by="protective stop", reason="test")
    found: list[Any] = []
    for way in ("graph", "at once"):
        with closing(open_in_memory()) as database:
            log = EventLog(database)
            desk = world(data, Settings(), log)
            snapshot = desk.snapshot(session, portfolio, Decimal(10**6), Decimal(10**6))
            decision = (
                asyncio.run(desk.decide(snapshot, intent)) if way == "graph" else desk.decide_at_once(snapshot, intent)
            )
            plans = payloads(log, PlanApproved)
            found.append((decision, log.head()[1], [leg.quantity for plan in plans for leg in plan.plan.legs]))

    assert found[0] == found[1]
    assert found[0][2] == [100]


def test_the_prints_of_a_tape_are_its_trades_of_others(crash: Path) -> None:
    history = load_file(crash).history()
    opens = history.opening_time(history.sessions_between()[-1])
    closes = history.close_time(history.sessions_between()[-1])
    ten = Decimal(10)
    prints = (Print("AAA", opens, ten, 5), Print("AAA", closes, ten, 7, Side.BUY))
    cross = Cross("AAA", closes, "close", ten, 9)

    assert Tape((), {}, (prints[0], cross, prints[1])).prints == prints
    assert Tape((), {}).prints == ()


def test_a_stop_reached_by_the_last_quote_of_a_day_waits_for_the_next_one(crash: Path) -> None:
    data = load_file(crash)
    session = data.history().sessions_between()[-3]
    opens, closes = data.history().opening_time(session), data.history().close_time(session)
    portfolio = Portfolio(cash=Decimal(0), positions=(Position(symbol="N1", quantity=1, average_price=Decimal(900)),))
    quote = Quote("N1", closes, Decimal(40), Decimal(41), 9, 9, True)
    with closing(open_in_memory()) as database:
        desk: Any = world(data, Settings(stop_loss_frac=0.05), EventLog(database))
        nobody: Any = SimpleNamespace(controls=None, states=None)
        stops = Stops(desk, nobody, nobody, StopDay(session, Decimal(1), Decimal(1)), nobody)

        assert stops.first_exit(portfolio, [quote], closes) is None
        assert stops.first_exit(portfolio, [replace(quote, bid=Decimal(860), ts_event=opens)], closes) is None
