"""What people ask of a desk whose session is worked in the evening: it counts from the moment it was heard."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from parley.desk.operator import Command, OperatorIntent, book_post
from parley.domain.control_events import NotificationRaised, OperatorAsked
from parley.domain.events import DecisionMade, Event, OrderFilled
from parley.domain.orders import Fill, Side
from parley.execution.flatten_requests import FLATTEN_ENDED
from parley.service.trading.desks import renewed
from parley.service.trading.growing import GrowingFile
from parley.service.trading.hearing import Hearing
from parley.service.trading.worker import Start, trade_desk

from .conftest import Killed, Period
from .test_growing import FAST, Source, begin, end_waiting, live, no_settling, source

__all__ = ["no_settling", "source"]  # fixtures
Act = Callable[[], object]


def lived(period: Period, source: Source, acts: Sequence[tuple[int, Act]]) -> Period:
    """Its next session, waited for and worked."""
    grown = waited(period, source, acts)
    end_waiting(grown)
    return grown


def waited(period: Period, source: Source, acts: Sequence[tuple[int, Act]]) -> Period:
    """Its next session, with acts so many minutes after its open; its bar is there when the last of them is done."""
    source.add_a_session()
    left, whole = list(acts), GrowingFile.has_grown

    def look(file: GrowingFile) -> bool:
        opens_at = file._history.opening_time(source.last)
        if left and file._now() >= opens_at + timedelta(minutes=left[0][0]):
            left.pop(0)[1]()
            return False
        return not left and whole(file)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(GrowingFile, "has_grown", look)
        assert live(period) == "grown"
    return Period(renewed(period.terms))


def asks(period: Period, command: Command, *symbols: str) -> Act:
    detail: dict[str, Any] = {"symbols": list(symbols)} if symbols else {}
    intent = OperatorIntent(command=command, user="ann", reason="news", detail=detail)
    return lambda: book_post(period.book).inbox.put(intent.model_dump(mode="json"))


def fills(period: Period) -> list[Fill]:
    return [item.fill for item in period.payloads(OrderFilled)]


def by_intent(event: Event) -> bool:
    decided = event.decoded()
    return isinstance(decided, DecisionMade) and decided.decision.intent is not None


def test_a_flatten_sells_at_no_price_of_before_it_was_asked(tmp_path: Path, source: Source) -> None:
    begun = begin(tmp_path, source)
    acts = [(90, asks(begun, "flatten", "N0")), (150, asks(begun, "flatten", "N1")), (420, asks(begun, "reduce"))]
    period = lived(begun, source, acts)

    history = period.terms.prepared.data.history()
    opens_at, closes_at = history.opening_time(source.last), history.close_time(source.last)
    first, second, after = (event.event_time for event in period.events(OperatorAsked))
    assert timedelta(minutes=90) <= first - opens_at < timedelta(minutes=100)
    assert timedelta(minutes=150) <= second - opens_at < timedelta(minutes=160)
    assert after > closes_at

    bought = [fill for fill in fills(period) if fill.side is Side.BUY]
    sold = [fill for fill in fills(period) if fill.side is Side.SELL]
    assert {"N0", "N1"} < {fill.symbol for fill in bought}, "the plan was sent at its open"
    assert max(fill.ts_event for fill in bought) < first, "and was over when the first flatten came"
    assert {fill.symbol for fill in sold} == {"N0", "N1"}
    assert sum(fill.side.sign * fill.quantity for fill in fills(period) if fill.symbol in {"N0", "N1"}) == 0
    assert min(fill.ts_event for fill in sold) > first
    assert min(fill.ts_event for fill in sold if fill.symbol == "N1") > second
    assert min(event.event_time for event in period.events(DecisionMade) if by_intent(event)) >= first

    told = period.payloads(NotificationRaised)
    assert [item.text.split(",")[0] for item in told if item.code == "heard"] == [
        f"{command} by ann: it counts from {source.last} {hour} UTC"
        for command, hour in (("flatten", "16:00"), ("flatten", "17:00"), ("reduce", "21:30"))
    ]
    assert sum(item.code.startswith(FLATTEN_ENDED) for item in told) == 2
    assert period.is_sound()


def test_a_process_that_dies_on_the_way_loses_neither_request_nor_its_moment(tmp_path: Path, source: Source) -> None:
    begun = begin(tmp_path, source)
    acts = [(90, asks(begun, "flatten", "N0")), (150, asks(begun, "flatten", "N1"))]
    grown, come_to, looked = waited(begun, source, acts), Hearing.come_to, list[datetime]()

    def dies(self: Hearing, moment: datetime, look: Callable[[datetime], None], is_called: Callable[[], bool]) -> None:
        def look_and_die(at: datetime) -> None:
            look(at)
            looked.append(at)
            if len(looked) == len(acts):
                raise Killed

        come_to(self, moment, look_and_die, is_called)

    with pytest.MonkeyPatch.context() as patch, pytest.raises(Killed):
        patch.setattr(Hearing, "come_to", dies)
        trade_desk(grown.terms, Start(FAST, grown.terms.span[0]))
    end_waiting(grown)

    assert [event.event_time for event in grown.events(OperatorAsked)] == looked
    sold = [fill for fill in fills(grown) if fill.side is Side.SELL]
    assert min(fill.ts_event for fill in sold) > looked[0]
    assert min(fill.ts_event for fill in sold if fill.symbol == "N1") > looked[1]
    assert sum(fill.side.sign * fill.quantity for fill in fills(grown) if fill.symbol in {"N0", "N1"}) == 0
    assert grown.is_sound()
