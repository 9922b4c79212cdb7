"""Flattens in a trading period: they take the session's time, so that a second one comes while the first one works."""

from collections.abc import Sequence
from typing import Any

from parley.desk.operator import OperatorIntent, book_post
from parley.domain.control_events import NotificationRaised, OperatorAsked
from parley.domain.events import Event, OrderFilled
from parley.domain.orders import Side
from parley.evals.book_at_rest import standing_of
from parley.execution.flatten_requests import end_code, is_end
from parley.service.trading.drill import DrillFault

from .conftest import Period, kill

SESSION = 1
"""The first one that has a plan to work."""


def trades(period: Period, asked: Sequence[tuple[int, str]], dies_after: int | None = None) -> Period:
    """A period in which people ask to sell names, so many minutes into its first working session."""
    minutes = [item for item, _ in asked] + ([dies_after] if dies_after else [])
    told = period.with_faults(*(DrillFault("kill_in_session", period.sessions[SESSION], item) for item in minutes))
    wanted = dict(asked)

    def strike(fault: DrillFault) -> None:
        if fault.size not in wanted:
            kill(fault)
        detail: dict[str, Any] = {"symbols": [wanted[fault.size]]}
        intent = OperatorIntent(command="flatten", user="ann", reason="news", detail=detail)
        book_post(told.book).inbox.put(intent.model_dump(mode="json"))

    told.trade(strike)
    return told


def _flattens(event: Event) -> bool:
    asked = event.decoded()
    return isinstance(asked, OperatorAsked) and asked.command == "flatten"


def ends(period: Period) -> list[str]:
    return [item.code for item in period.payloads(NotificationRaised) if is_end(item.code)]


def test_a_flatten_that_comes_while_another_works_is_heard_in_its_time_and_both_sell(period: Period) -> None:
    told = trades(period, [(100, "N0"), (160, "N1")])

    first, second = (event.event_time for event in told.events(OperatorAsked) if _flattens(event))
    assert 45 * 60 < (second - first).total_seconds() < 75 * 60, "an hour of the market lies between"
    sold = [item.fill for item in told.payloads(OrderFilled) if item.fill.side is Side.SELL]
    asked_on = [fill for fill in sold if fill.ts_event.date() == told.sessions[SESSION]]
    assert {fill.symbol for fill in asked_on} == {"N0", "N1"}
    assert min(fill.ts_event for fill in asked_on if fill.symbol == "N1") > second
    assert max(fill.ts_event for fill in asked_on if fill.symbol == "N0") > second, "the first one went on beside it"
    assert ends(told) == [end_code(1), end_code(0)]
    assert told.is_sound()


def test_a_flatten_that_comes_after_another_has_ended_is_worked_the_same_day(period: Period) -> None:
    told = trades(period, [(100, "N0 is not held"), (160, "N1")])

    sold = [item.fill for item in told.payloads(OrderFilled) if item.fill.side is Side.SELL]
    assert {fill.symbol for fill in sold if fill.ts_event.date() == told.sessions[SESSION]} == {"N1"}
    assert ends(told) == [end_code(0), end_code(0)]
    assert standing_of(told.terms.folder).flattens.asked == ()
    assert told.is_sound()


def test_a_process_that_dies_while_two_are_worked_loses_neither(period: Period) -> None:
    told = trades(period, [(100, "N0"), (160, "N1")], dies_after=220)

    assert told.lives == 2
    assert len(ends(told)) == 2
    held = dict[str, int]()
    for item in told.payloads(OrderFilled):
        if item.fill.ts_event.date() == told.sessions[SESSION]:
            held[item.fill.symbol] = held.get(item.fill.symbol, 0) + item.fill.side.sign * item.fill.quantity
    assert (held["N0"], held["N1"]) == (0, 0)
    assert told.is_sound()
