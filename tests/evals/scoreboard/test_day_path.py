"""A run's path: the fold of its log, the identity of gross and net, and the form it is kept in."""

import json
from decimal import Decimal

import numpy as np
import pytest
from parley.agents.llm.port import ChatReply, ChatRequest
from parley.domain.events import DecisionMade, Event, OrderFilled, PortfolioMarked
from parley.evals.scoreboard.audit import cost_faults, silent_failures
from parley.evals.scoreboard.day_path import DayPath, day_rows, path_from_plain, path_of_events
from parley.market.cards import DataSet

from ..rehearsal_kit import rehearse


def test_it_is_the_fold_of_marks_and_fills(path: DayPath, events: tuple[Event, ...]) -> None:
    marks = [event.decoded() for event in events if event.type == PortfolioMarked.__name__]
    fills = [event.decoded() for event in events if event.type == OrderFilled.__name__]

    assert path.equity.tolist() == [float(mark.equity) for mark in marks]  # pyright: ignore
    assert path.traded.sum() == pytest.approx(float(sum(fill.fill.notional for fill in fills)))  # pyright: ignore
    assert path.fees.sum() == pytest.approx(float(sum(fill.fill.fee for fill in fills)))  # pyright: ignore
    assert path.traded.sum() > 0.0
    assert sum(path.classes.values()) == pytest.approx(path.net)
    assert path.gross == pytest.approx(path.net), "long only"
    assert path.counts["decisions"] == len(path.days)


def test_gross_less_net_is_what_trading_cost(path: DayPath) -> None:
    lost = (path.gross_returns - path.returns) * path.equity[:-1]

    assert lost == pytest.approx(path.costs[1:])
    assert (path.costs >= path.fees - 1e-9).all()
    assert path.costs.sum() > path.fees.sum() > 0.0


def test_it_survives_being_written(path: DayPath) -> None:
    again = path_from_plain(json.loads(json.dumps(path.plain(), allow_nan=False)))

    assert again.plain() == path.plain()
    assert np.isnan(again.var_99).tolist() == np.isnan(path.var_99).tolist()


def test_costs_that_are_off_are_caught(path: DayPath, market: DataSet, events: tuple[Event, ...]) -> None:
    free = [_without_fee(event) for event in events]
    bugged = path_of_events(iter(free), Decimal(1_000_000), market.universe)

    assert cost_faults(path, 1.0) == []
    (fault,) = cost_faults(bugged, 1.0)
    assert fault == "fees of 0.00 bp of traded value were paid, the settings state 1.00"
    assert cost_faults(path, 2.0) and cost_faults(bugged, None) == []


def test_fills_at_the_mid_are_caught(path: DayPath, market: DataSet, events: tuple[Event, ...]) -> None:
    at_mid = path_of_events((_at_mid(event) for event in events), Decimal(1_000_000), market.universe)

    assert any("at the mid" in fault for fault in cost_faults(at_mid, 1.0))


def _without_fee(event: Event) -> Event:
    if event.type == PortfolioMarked.__name__:
        return event.model_copy(update={"payload": {**event.payload, "fees": "0"}})  # pyright: ignore
    if event.type != OrderFilled.__name__:
        return event
    fill = {**event.payload["fill"], "fee": "0"}  # pyright: ignore
    return event.model_copy(update={"payload": {**event.payload, "fill": fill}})  # pyright: ignore


def _at_mid(event: Event) -> Event:
    if event.type != OrderFilled.__name__:
        return event
    fill = {**event.payload["fill"], "mid_price": event.payload["fill"]["price"]}  # pyright: ignore
    return event.model_copy(update={"payload": {**event.payload, "fill": fill}})  # pyright: ignore


class DeadModel:
    """Answers nothing that anyone could read."""

    name = "dead"
    is_deterministic = True

    async def complete(self, request: ChatRequest) -> ChatReply:
        return ChatReply("I am sorry.", 1, 1)


def test_a_model_that_always_fails_is_counted_and_no_hold(market: DataSet) -> None:
    events = rehearse(market, market.history().sessions_between()[-4:], model=DeadModel())

    path = path_of_events(iter(events), Decimal(1_000_000), market.universe)

    decisions = [event.payload["decision"] for event in events if event.type == DecisionMade.__name__]  # pyright: ignore
    assert path.counts["failed_answers"] >= len(decisions)
    assert all(not decision["signals"] for decision in decisions), "a failure is no opinion"  # pyright: ignore
    (fault,) = silent_failures(path.counts)
    assert "none a decision to hold" in fault
    assert silent_failures({"failed_answers": 0}) == []


def test_of_days_in_spans_the_last_close_counts() -> None:
    spans = ("2024-01-02T12:00:00", "2024-01-02T16:00:00", "2024-01-03T12:00:00", "2024-01-03T16:00:00")

    assert day_rows(spans) == [0, 1, 3]
    assert day_rows(("2024-01-02", "2024-01-03")) == [0, 1]
