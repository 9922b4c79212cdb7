"""The day loop: what it books, what it refuses, and what the same inputs always give."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from parley.domain.events import (
    DecisionMade,
    Event,
    EvidenceRecorded,
    OrderFilled,
    Payload,
    PortfolioMarked,
    PositionCashedOut,
    RunFinished,
)
from parley.domain.portfolio import Portfolio, book_fills
from parley.market.cards import DataSet
from parley.market.files import load_file

from .rehearsal_kit import rehearse


def of(events: tuple[Event, ...], kind: type[Payload]) -> list[Any]:
    return [event.decoded() for event in events if event.type == kind.__name__]


def last(data: DataSet, count: int) -> tuple[date, ...]:
    return data.history().sessions_between()[-count:]


def test_the_same_inputs_give_the_same_bytes_and_another_seed_gives_others(market: DataSet) -> None:
    days = last(market, 5)

    one, again, other = (rehearse(market, days, seed=seed) for seed in (7, 7, 8))

    assert one == again
    assert one[-1].hash != other[-1].hash
    assert [fill.fill.price for fill in of(one, OrderFilled)] != [fill.fill.price for fill in of(other, OrderFilled)]


def test_a_decision_trades_in_the_session_after_it_and_not_before(market: DataSet) -> None:
    days = last(market, 4)

    events = rehearse(market, days)

    decided = next(event for event in events if event.type == DecisionMade.__name__)
    fills = [event for event in events if event.type == OrderFilled.__name__]
    assert min(fill.event_time for fill in fills) > decided.event_time
    assert {fill.event_time.date() for fill in fills} == {days[1]}


def test_marks_are_the_fold_of_the_fills_at_the_closes(market: DataSet) -> None:
    events = rehearse(market, last(market, 5))

    fills = [item.fill for item in of(events, OrderFilled)]
    book = book_fills(Portfolio(cash=Decimal(1_000_000)), fills)
    mark = of(events, PortfolioMarked)[-1]
    assert mark.equity == book.equity(mark.prices)
    assert mark.cash == book.cash
    assert 0 < mark.gross <= 1
    assert of(events, RunFinished)[0].equity == mark.equity


def test_every_session_is_marked_and_decided_once(market: DataSet) -> None:
    days = last(market, 6)

    events = rehearse(market, days)

    assert [mark.session for mark in of(events, PortfolioMarked)] == list(days)
    assert [made.decision.snapshot.session for made in of(events, DecisionMade)] == list(days)


def test_a_decision_knows_the_close_before_and_the_highest_so_far(market: DataSet) -> None:
    events = rehearse(market, last(market, 9))

    marks = of(events, PortfolioMarked)
    snapshots = [made.decision.snapshot for made in of(events, DecisionMade)]
    equities = [mark.equity for mark in marks]
    # One day earlier for the first: there the cash it began with is the last that is known.
    assert [item.previous_equity for item in snapshots] == [Decimal(1_000_000), *equities[:-1]]
    assert [item.peak_equity for item in snapshots] == [max(equities[: place + 1]) for place in range(len(equities))]


def test_a_history_too_short_refuses_every_decision_and_says_why(market: DataSet) -> None:
    events = rehearse(market, market.history().sessions_between()[:4])

    decisions = [made.decision for made in of(events, DecisionMade)]
    assert {decision.kind for decision in decisions} == {"refused"}
    assert "253 are needed" in decisions[0].summary
    assert [mark.equity for mark in of(events, PortfolioMarked)] == [Decimal(1_000_000)] * 4
    assert of(events, RunFinished)[0].orders == 0


def test_one_symbol_is_enough_to_run(tmp_path: Path, market_path: Path) -> None:
    rows = market_path.read_text().splitlines()
    path = tmp_path / "one.csv"
    path.write_text("\n".join([rows[0], *(row for row in rows if row.startswith("N0,"))]) + "\n")
    data = load_file(path)

    events = rehearse(data, last(data, 3))

    assert len(of(events, DecisionMade)) == 3
    assert all(decision.decision.kind in ("trade", "no_trade") for decision in of(events, DecisionMade))


def test_texts_beside_the_prices_reach_the_sentiment_node(market: DataSet, news: Any) -> None:
    data = replace(market, texts=news(market, 10))

    events = rehearse(data, last(data, 2))

    tools = [entry.tool for recorded in of(events, EvidenceRecorded) for entry in recorded.entries]
    snapshots = [made.decision.snapshot for made in of(events, DecisionMade)]
    assert tools.count("text_sentiment") == 2
    assert f"text-{snapshots[0].session}" in snapshots[0].text_ids


def test_every_evidence_id_of_a_decision_is_in_the_log(market: DataSet) -> None:
    events = rehearse(market, last(market, 3))

    known = {entry.id for recorded in of(events, EvidenceRecorded) for entry in recorded.entries}
    for made in of(events, DecisionMade):
        decision = made.decision
        named = {item for signal in decision.signals for item in signal.evidence}
        named |= {item for view in decision.views for item in view.evidence}
        named |= set(decision.assessment.evidence) | set(decision.targets.evidence)
        assert named
        assert named <= known


def test_a_held_name_that_vanishes_becomes_cash_at_its_last_price(market: DataSet) -> None:
    close = market.panel.close.copy()
    close[-6:, 0] = np.nan
    data = replace(market, panel=replace(market.panel, close=close))

    events = rehearse(data, last(data, 9))

    gone = of(events, PositionCashedOut)
    bought = sum(item.fill.quantity for item in of(events, OrderFilled) if item.fill.symbol == "N0")
    assert [(item.symbol, item.quantity, float(item.price)) for item in gone] == [("N0", bought, close[-7, 0])]
    held = ["N0" in mark.prices for mark in of(events, PortfolioMarked)]
    assert held[1]
    assert not held[-1]
    # What became cash is no gain and no loss: the last mark is the cash and the other names.
    mark = of(events, PortfolioMarked)[-1]
    assert mark.equity == of(events, RunFinished)[0].equity > 0


@pytest.mark.parametrize("count", [1, 2])
def test_a_run_of_one_or_two_sessions_ends_like_any_other(market: DataSet, count: int) -> None:
    events = rehearse(market, last(market, count))

    assert events[-1].type == RunFinished.__name__
    assert of(events, RunFinished)[0].sessions == count
