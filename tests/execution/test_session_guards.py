"""Every child check fires in a session: through the loop, with what the loop itself tells the gate."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from parley.domain.events import ChildClosed, ChildDenied, ChildSubmitted, NewEvent
from parley.domain.instruments import AssetClass, Instrument
from parley.domain.market import Quote
from parley.domain.orders import ChildOrder, Fill, Plan, Side
from parley.domain.trading import Scope, TradingState, TradingStates
from parley.execution import board, parent_work
from parley.execution.errors import VenueUnreachable
from parley.execution.hours import SessionHours
from parley.execution.reconcile import ReconcileTerms
from parley.execution.venues.venue import VenueTerms
from parley.execution.watching import Unwatched
from parley.gate.child_checks import CHILD_CHECKS
from parley.gate.gate import review_plan
from parley.gate.limits import parse_limits
from parley.gate.state import Borrow, WorkingOrder
from parley.memory.sent_orders import SentOrder
from parley.storage.errors import StoreUnwritable

from .scripted import ScriptedVenue


@dataclass
class Case:
    """One session: its plan, quotes, and what is wrong with it. `bent` is a bug in what makes the children."""

    plan: Any
    quotes: list[Quote]
    limits: dict[str, Any] = field(default_factory=dict)
    work: dict[str, Any] = field(default_factory=dict)
    bent: Callable[[ChildOrder], ChildOrder] | None = None
    patch: tuple[str, Any] | None = None


def buy(floor: Any, quantity: int = 100, slices: int = 1, state: dict[str, Any] | None = None, **case: Any) -> Case:
    plan = floor.approved(floor.leg("AAA", "BUY", quantity, slices), state=floor.state(**(state or {})))
    return Case(plan, case.pop("quotes", None) or floor.quotes(), **case)


def bent(floor: Any, **changes: Any) -> Case:
    """The loop makes children that are not what it was told to make."""
    return buy(floor, bent=lambda child: child.model_copy(update=changes))


class Telling(ScriptedVenue):
    """Fills nothing, and says what it is told to say of every instrument."""

    def __init__(self, **terms: Any) -> None:
        super().__init__()
        self.says = VenueTerms(**terms)


def told(floor: Any, **terms: Any) -> Case:
    return buy(floor, work={"venue": Telling(**terms)})


class Filling(ScriptedVenue):
    """Fills a part of the first order at once, and nothing else."""

    def submit(self, order: Any) -> Any:
        super().submit(order)
        if len(self.sent) == 1:
            self.fill(order.child.client_order_id, 33, order.child.created_at)
        return self.deliver()


class Deaf(ScriptedVenue):
    """Fills the first order whole, and answers nothing from a moment on."""

    def __init__(self, since: datetime, is_silent: bool = True) -> None:
        super().__init__()
        self._from, self._falls_silent = since, is_silent

    def submit(self, order: Any) -> Any:
        super().submit(order)
        self.fill(order.child.client_order_id, order.child.quantity, order.child.created_at)
        return self.deliver()

    def on_quote(self, quote: Quote) -> Any:
        if quote.ts_event >= self._from:
            self.is_silent = self._falls_silent
            raise VenueUnreachable("no line")
        return super().on_quote(quote)


class Reducing(Unwatched):
    def states(self, now: datetime) -> TradingStates:
        return TradingStates().with_state(Scope(kind="instrument", name="AAA"), TradingState.REDUCING)


def tools(floor: Any, symbol: str = "AAA", **changes: Any) -> dict[str, Any]:
    listed = dict(floor.state().instruments)
    listed[symbol] = Instrument(**{"symbol": symbol, "sector": symbol, "asset_class": AssetClass.FUND, **changes})
    return {"instruments": listed}


def dense(floor: Any) -> Case:
    """Four equal slices within a second."""
    hours = SessionHours(floor.decided, floor.opens, floor.opens + timedelta(seconds=1))
    quotes = [replace(floor.quote(), ts_event=floor.opens + timedelta(seconds=place / 4)) for place in range(4)]
    venue = ScriptedVenue()
    return buy(floor, 400, 4, quotes=quotes, work={"hours": hours, "venue": venue})


def earlier(floor: Any, symbol: str, side: str, quantity: int, minute: float, decision: str, price: str = "100") -> Any:
    """An order of another plan of the same day, filled whole."""
    name, at = f"{decision}-{symbol}-{side}", floor.at(minute)
    child = ChildOrder(
        client_order_id=name, order_id=f"leg-{name}", decision_id=decision, symbol=symbol, side=Side(side),
        quantity=quantity, limit_price=Decimal(price), sequence=0, created_at=at,
    )  # fmt: skip
    fill = Fill(
        execution_id=f"exe-{name}", client_order_id=name, order_id=child.order_id, symbol=symbol, side=child.side,
        quantity=quantity, price=Decimal(price), mid_price=Decimal(price), touch_price=Decimal(price),
        venue="paper", ts_event=at,
    )  # fmt: skip
    return SentOrder(child, (fill,))


def round_trips(floor: Any, symbol: str, count: int) -> list[Any]:
    trips = [("BUY", place) for place in range(count)] + [("SELL", place) for place in range(count)]
    return [
        earlier(floor, symbol, side, 10, -60 + 2 * place + (side == "SELL"), f"x{place}")
        for side, place in sorted(trips, key=lambda trip: (trip[1], trip[0]))
    ]


def short_plan(floor: Any, located: int) -> Any:
    limits = parse_limits(floor.limits.model_dump() | {"allow_short": True}, "test")
    state = floor.state(borrow={"AAA": Borrow(located, 0.01)})
    leg = floor.leg("AAA", "SELL", 100)
    return limits, review_plan(
        Plan(plan_id="p1", decision_id="d1", as_of=floor.decided, legs=(leg,)), state, limits, floor.decided
    )[1]


def short(floor: Any) -> Case:
    return Case(short_plan(floor, 100)[1], floor.quotes())


def unlocated(floor: Any) -> Case:
    limits, plan = short_plan(floor, 100)
    more = {"quantity": 150}
    return Case(plan, floor.quotes(), work={"limits": limits}, bent=lambda child: child.model_copy(update=more))


def free_riding(floor: Any) -> Case:
    """All there is came from shares bought and sold again on the same day."""
    day = [earlier(floor, "BBB", "BUY", 100, -20, "x1"), earlier(floor, "BBB", "SELL", 100, -10, "x2")]
    return buy(floor, 50, state={"cash": "10000"}, work={"before": day})


def in_a_crowd(floor: Any, limits: dict[str, Any]) -> Case:
    plan = floor.approved(*(floor.leg(name, "BUY", 100) for name in floor.symbols))
    return Case(plan, floor.quotes(floor.symbols), limits=limits)


def losing_log(log: list[NewEvent]) -> Callable[[NewEvent], None]:
    """The disk is full for one write: the first child's announcement."""
    failed: list[NewEvent] = []

    def emit(event: NewEvent) -> None:
        if isinstance(event.payload, ChildSubmitted) and not failed:
            failed.append(event)
            raise StoreUnwritable("disk is full", remedy="test")
        log.append(event)

    return emit


CASES: dict[str, Callable[[Any], Case]] = {
    "plan_match": lambda f: bent(f, decision_id="d2"),
    "order_type": lambda f: bent(f, stop_price=Decimal(101)),
    "stop_price": lambda f: bent(f, stop_price=Decimal("99")),
    "expiry": lambda f: bent(f, expires_at=f.opens),
    "lot": lambda f: buy(f, 400, 4, state=tools(f, lot=10), work={"venue": Filling()}),
    "tick": lambda f: buy(f, state=tools(f, tick=Decimal(5))),
    "children_sum": lambda f: bent(f, quantity=101),
    "children_count": lambda f: buy(f, slices=2, limits={"max_children": 1}),
    "order_quantity": lambda f: buy(f, limits={"max_order_quantity": 99}),
    "order_notional": lambda f: buy(f, limits={"max_order_notional": 9_999}),
    "min_notional": lambda f: buy(f, slices=2, limits={"min_order_notional": 5_001}),
    "duplicate": dense,
    "self_match": lambda f: buy(f, state={"working": (WorkingOrder("w", "AAA", Side.SELL, 5, Decimal(100)),)}),
    "repeats": lambda f: buy(f, work={"before": [earlier(f, "AAA", "BUY", 1, -9, f"x{n}") for n in range(4)]}),
    "restricted": lambda f: buy(f, limits={"restricted_symbols": ("AAA",)}),
    "allowed": lambda f: buy(f, limits={"allowed_symbols": ("BBB",)}),
    "trading_state": lambda f: buy(f, work={"watch": Reducing()}),
    "venue_ready": lambda f: buy(f, slices=2, work={"venue": Deaf(f.at(30))}),
    "log_writable": lambda f: buy(f, slices=2, work={"emit": losing_log}),
    "state_age": lambda f: buy(f, slices=2, work={"venue": Deaf(f.at(30))}),
    "quote_age": lambda f: in_a_crowd(f, {"max_submits_per_s": 1, "max_quote_age_s": 0.5}),
    "crossed_quote": lambda f: buy(
        f, quotes=[f.quote(bid="100.05", ask="100.01")], patch=("is_tradable", lambda quote: True)
    ),
    "spread": lambda f: buy(f, quotes=[f.quote(bid="97", ask="103")]),
    "displayed_depth": lambda f: buy(f, 110, quotes=[replace(f.quote(size=10), synthetic=False)]),
    "price_collar": lambda f: buy(f, limits={"price_collar_frac": 0.005}),
    "price_move": lambda f: buy(f, quotes=[f.quote(bid="125.99", ask="126.01")]),
    "participation": lambda f: buy(f, state={"daily_volumes": {"AAA": 1e5}}, limits={"max_participation_frac": 0.0009}),
    "session_hours": lambda f: told(f, is_open=False),
    "halted": lambda f: told(f, is_halted=True),
    "price_band": lambda f: told(f, price_band=(Decimal(102), Decimal(110))),
    "clock_skew": lambda f: told(f, clock_skew_s=-1.5),
    "queue_age": lambda f: told(f, queue_age_s=2.5),
    "short": short,
    "shortable": unlocated,
    "cash": lambda f: buy(f, limits={"min_cash": 999_950}),
    "settled_cash": free_riding,
    "unexecuted_value": lambda f: buy(f, limits={"max_unexecuted_notional": 9_999}),
    "instrument_weight": lambda f: buy(f, slices=2, limits={"max_instrument_weight": {"fund": 0.009}}),
    "sector_weight": lambda f: buy(f, slices=2, limits={"max_sector_weight": {"fund": 0.009}}),
    "gross": lambda f: buy(f, slices=2, limits={"max_gross": 0.009}),
    "net": lambda f: buy(f, slices=2, limits={"max_net": 0.009}),
    "day_trades": lambda f: buy(
        f, work={"before": round_trips(f, "BBB", 2)}, limits={"pattern_day_rule": True, "min_day_trade_equity": 2e6}
    ),
    "submit_rate": lambda f: buy(f, limits={"max_submits_per_s": 0}),
    "cancel_rate": lambda f: buy(f, slices=2, limits={"max_cancels_per_s": 0}, work={"venue": ScriptedVenue()}),
    "orders_per_day": lambda f: buy(f, slices=2, limits={"max_orders_per_day": 1}),
    "message_ratio": lambda f: buy(f, slices=2, limits={"max_messages_per_fill": 1}, work={"venue": ScriptedVenue()}),
}

WITH_OTHERS: dict[str, set[str]] = {
    "stop_price": {"order_type"},
    "expiry": {"order_type"},
    "venue_ready": {"state_age"},
    "state_age": {"venue_ready"},
    "shortable": {"children_sum"},
    "cash": {"settled_cash"},
}
"""What breaks together: a venue that is away tells nothing new, a runaway child is more than its parent, and cash
that is not there has not settled."""


def denials(floor: Any, case: Case, monkeypatch: pytest.MonkeyPatch) -> set[str]:
    log: list[NewEvent] = []
    if case.bent is not None:
        make, bend = parent_work.next_child, case.bent
        monkeypatch.setattr(parent_work, "next_child", lambda *args, **kwargs: bend(make(*args, **kwargs)))
    if case.patch is not None:
        monkeypatch.setattr(board, *case.patch)
    work = {"limits": floor.limits.tighten(**case.limits), **case.work}
    if "emit" in work:
        work["emit"] = work["emit"](log)
    floor.work(case.plan, case.quotes, log, **work)
    return {row.check for payload in _of(log, ChildDenied) for row in payload.verdict.reasons}


def _of(log: Iterable[NewEvent], kind: type) -> list[Any]:
    return [event.payload for event in log if isinstance(event.payload, kind)]


def test_every_check_of_a_child_has_a_session_in_which_it_fires() -> None:
    assert set(CASES) | {"created"} == {check.name for check in CHILD_CHECKS}


@pytest.mark.parametrize("name", CASES)
def test_a_check_fires_in_a_session(floor: Any, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert denials(floor, CASES[name](floor), monkeypatch) == {name} | WITH_OTHERS.get(name, set())


def test_the_sessions_above_are_without_their_faults_within_every_limit(
    floor: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert denials(floor, buy(floor, slices=2), monkeypatch) == set()
    assert denials(floor, in_a_crowd(floor, {}), monkeypatch) == set()
    apart = {"working": (WorkingOrder("w", "AAA", Side.SELL, 5, Decimal(102)),)}
    assert denials(floor, buy(floor, state=apart), monkeypatch) == set()
    paid = [earlier(floor, "BBB", "SELL", 100, -10, "x1")]
    assert denials(floor, buy(floor, 50, state={"cash": "10000"}, work={"before": paid}), monkeypatch) == set()


def test_a_venue_that_hears_no_quotes_is_not_connected_until_it_answers_something(
    floor: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    seldom = ReconcileTerms(every=timedelta(days=1))
    deaf = buy(floor, slices=2, work={"venue": Deaf(floor.at(30)), "terms": seldom})
    muffled = buy(floor, slices=2, work={"venue": Deaf(floor.at(30), is_silent=False), "terms": seldom})
    asked = buy(floor, slices=2, work={"venue": Deaf(floor.at(30), is_silent=False)})

    assert denials(floor, deaf, monkeypatch) == denials(floor, muffled, monkeypatch) == {"venue_ready", "state_age"}
    assert denials(floor, asked, monkeypatch) == set()


def test_a_venue_that_takes_cancels_but_answers_no_question_gets_nothing_new(
    floor: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    venue = ScriptedVenue()

    def evasive(quote: Quote) -> Any:
        venue.is_silent = quote.ts_event >= floor.at(30)
        return venue.deliver()

    venue.on_quote = evasive

    assert denials(floor, buy(floor, slices=2, work={"venue": venue}), monkeypatch) == {"venue_ready"}


def test_an_old_child_is_not_sent_again(floor: Any) -> None:
    """`created` can only fire on a resend: a child that is new was made at the moment it is reviewed."""
    log: list[NewEvent] = []
    venue = ScriptedVenue()
    venue.line = "down"

    floor.work(floor.approved(floor.leg("AAA", "BUY", 100)), floor.quotes(), log, venue=venue)

    closed = _of(log, ChildClosed)
    assert venue.sent == []
    assert "time since the child was made is" in closed[0].reason


def test_what_the_log_does_not_take_is_not_sent_and_what_follows_goes_once_it_does(floor: Any) -> None:
    log: list[NewEvent] = []
    venue = ScriptedVenue()
    plan = floor.approved(floor.leg("AAA", "BUY", 100, 4))

    floor.work(plan, floor.quotes(), log, venue=venue, emit=losing_log(log))

    submitted = [payload.child for payload in _of(log, ChildSubmitted)]
    assert [child.client_order_id for child in submitted] == venue.sent
    assert submitted[0].quantity == 75
    assert len(_of(log, ChildDenied)) == 1


def test_a_crossed_quote_in_the_same_moment_takes_the_one_before_it_back(floor: Any) -> None:
    log: list[NewEvent] = []
    crossed = replace(floor.quote("AAA", 0), bid=Decimal("100.50"), ask=Decimal("100.40"))
    quotes = [floor.quote("AAA", 0), crossed, *floor.quotes()[1:]]

    floor.work(floor.approved(floor.leg("AAA", "BUY", 100)), quotes, log)

    sent_at = [payload.child.created_at for payload in _of(log, ChildSubmitted)]
    assert sent_at == [floor.at(30)]


def test_a_plan_of_many_legs_goes_out_at_the_pace_the_limits_allow(floor: Any) -> None:
    log: list[NewEvent] = []
    plan = floor.approved(*(floor.leg(name, "BUY", 100) for name in floor.symbols))

    floor.work(plan, floor.quotes(floor.symbols), log, limits=floor.limits.tighten(max_submits_per_s=1))

    sent_at = [payload.child.created_at for payload in _of(log, ChildSubmitted)]
    assert sent_at == [floor.opens + timedelta(seconds=place) for place in range(3)]
    assert not _of(log, ChildDenied)
