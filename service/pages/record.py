"""A whole run folded into little: equity path, order results, counts and prices, but no decision's body."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from pydantic import JsonValue

from ...domain.approval_events import ApprovalAnswered, ApprovalAsked
from ...domain.events import (
    ChildDenied,
    DecisionMade,
    Event,
    EvidenceRecorded,
    FillBusted,
    ModelReplied,
    NotificationAcknowledged,
    NotificationRaised,
    OperatorAsked,
    OrderClosed,
    OrderFilled,
    OrderOpened,
    Payload,
    PlanApproved,
    PortfolioMarked,
    RegimeChanged,
    RunFinished,
    RunStarted,
    TradingStateChanged,
    UntrustedTextFlagged,
)
from ...domain.sessions import session_of
from ...tools.attributed import NOT_FILLED, made_by
from .errors import UnknownRecord
from .event_list import EventList, EventSource
from .prices import PriceHistory

PEOPLE_EVENTS: tuple[type[Payload], ...] = (
    *(OperatorAsked, TradingStateChanged, NotificationRaised, NotificationAcknowledged, ApprovalAnswered),
)
"""What people did, what was restricted, and what somebody was told."""

RUN_EVENTS: tuple[type[Payload], ...] = (
    *PEOPLE_EVENTS,
    RunStarted,
    DecisionMade,
    ChildDenied,
    OrderOpened,
    OrderFilled,
    FillBusted,
    OrderClosed,
    PortfolioMarked,
    RunFinished,
    UntrustedTextFlagged,
)
"""What the fold reads; evidence and model calls are read per decision only."""

CASE_EVENTS: tuple[type[Payload], ...] = (
    *(DecisionMade, EvidenceRecorded, ModelReplied, RegimeChanged, PlanApproved),
    *(UntrustedTextFlagged, ApprovalAsked, ApprovalAnswered),
)
"""The events that explain a decision; those of its orders are read by order."""


@dataclass(slots=True)
class Marks:
    """The PortfolioMarked events as columns, one row per session."""

    first_seq: int = 0
    last_seq: int = 0
    sessions: list[str] = field(default_factory=list)
    equity: array[float] = field(default_factory=lambda: array("d"))
    gross: array[float] = field(default_factory=lambda: array("d"))
    traded: array[float] = field(default_factory=lambda: array("d"))
    fees: array[float] = field(default_factory=lambda: array("d"))
    benchmark: list[float | None] = field(default_factory=list)
    closes: dict[str, array[float]] = field(default_factory=dict)
    rows: dict[str, array[int]] = field(default_factory=dict)

    def add(self, event: Event, payload: dict[str, JsonValue]) -> None:
        self.first_seq = self.first_seq or event.seq
        self.last_seq = event.seq
        self.sessions.append(str(payload["session"]))
        for name in ("equity", "gross", "traded", "fees"):
            getattr(self, name).append(float(str(payload[name])))
        level = payload["benchmark"]
        self.benchmark.append(float(level) if isinstance(level, (int, float)) else None)
        prices = payload["prices"]
        for symbol, price in prices.items() if isinstance(prices, dict) else ():
            self.closes.setdefault(symbol, array("d")).append(float(str(price)))
            self.rows.setdefault(symbol, array("i")).append(len(self.sessions) - 1)

    def history(self) -> PriceHistory:
        days = [session_of(text) for text in self.sessions]
        closes: dict[str, list[float | None]] = {}
        for symbol, values in self.closes.items():
            line: list[float | None] = [None] * len(days)
            for row, value in zip(self.rows[symbol], values, strict=True):
                line[row] = value
            closes[symbol] = line
        return PriceHistory(days, closes)


@dataclass(slots=True)
class RunRecord:
    """What a run's page shows, and the source from which single decisions and orders are read."""

    source: EventSource
    started: Event | None = None
    finished: Event | None = None
    marks: Marks = field(default_factory=Marks)
    kinds: Counter[str] = field(default_factory=Counter)
    failed_checks: Counter[str] = field(default_factory=Counter)
    denied_checks: Counter[str] = field(default_factory=Counter)
    abstentions: Counter[str] = field(default_factory=Counter)
    trades: list[dict[str, JsonValue]] = field(default_factory=list)
    stopped: list[dict[str, JsonValue]] = field(default_factory=list)
    """Decisions that were vetoed or refused."""
    flagged: list[dict[str, JsonValue]] = field(default_factory=list)
    """Each text or reply that looked like an attempt to steer a decision, and of which decision."""
    people: list[Event] = field(default_factory=list)
    """The events of PEOPLE_EVENTS."""
    fills: int = 0
    synthetic_fills: int = 0
    fidelity: Counter[str] = field(default_factory=Counter)
    """Fills by the tier of their data and whether their paths were recorded or drawn."""
    trading_costs: float = 0.0
    """Fees, and the distance of every fill from the mid at its moment, in currency."""
    _open: dict[str, dict[str, JsonValue]] = field(default_factory=dict)
    _rests_on: dict[str, Counter[str]] = field(default_factory=dict)
    _prices: PriceHistory | None = None
    _latest_case: tuple[str, tuple[Event, ...]] = ("", ())
    _executions: set[str] = field(default_factory=set)
    _busted: set[str] = field(default_factory=set)

    @classmethod
    def from_events(cls, events: Iterable[Event]) -> RunRecord:
        """Fold events and keep them all: for short runs and tests."""
        kept = EventList(events)
        return cls(kept)._folded(kept.read())

    @classmethod
    def from_source(cls, source: EventSource) -> RunRecord:
        """Fold a stored log in one pass and keep none of its events: memory stays small for any length."""
        return cls(source)._folded(source.read(types=RUN_EVENTS))

    @property
    def prices(self) -> PriceHistory:
        """Closing prices as the log's own marks have them, built once."""
        if self._prices is None:
            self._prices = self.marks.history()
        return self._prices

    def case_events(self, decision_id: str) -> tuple[Event, ...]:
        """The events that explain a decision; the latest are kept, as its orders come one after another."""
        if self._latest_case[0] != decision_id:
            self._latest_case = decision_id, tuple(self.source.read(types=CASE_EVENTS, decision_id=decision_id))
        return self._latest_case[1]

    def _folded(self, events: Iterable[Event]) -> RunRecord:
        for event in events:
            payload = event.payload
            if isinstance(payload, dict):
                self._add(event, payload)
        if self.started is None:
            raise UnknownRecord("the log holds no RunStarted event", remedy="Give the log of a run, from its start.")
        return self

    def _add(self, event: Event, payload: dict[str, JsonValue]) -> None:
        match event.type:
            case (
                "OperatorAsked"
                | "TradingStateChanged"
                | "NotificationRaised"
                | "NotificationAcknowledged"
                | "ApprovalAnswered"
            ):
                self.people.append(event)
            case "RunStarted":
                self.started = self.started or event
            case "RunFinished":
                self.finished = event
            case "PortfolioMarked":
                self.marks.add(event, payload)
            case "DecisionMade":
                self._add_decision(_object(payload["decision"]))
            case "UntrustedTextFlagged":
                known = {"decision_id": payload["decision_id"], "as_of": event.event_time.isoformat()}
                self.flagged += [known | _object(row) for row in _list(payload["found"])]
            case "ChildDenied":
                self.denied_checks.update(_failed(_object(payload["verdict"])))
            case "OrderOpened":
                order = _object(payload["order"])
                self._open[str(order["order_id"])] = order
            case "OrderFilled":
                self._add_fill(_object(payload["fill"]))
            case "FillBusted":
                self._take_back_fill(_object(payload["fill"]))
            case "OrderClosed":
                self._add_trade(event, payload)

    def _add_decision(self, decision: dict[str, JsonValue]) -> None:
        kind = str(decision["kind"])
        self.kinds[kind] += 1
        self.abstentions.update(str(_object(row)["reason"]) for row in _list(decision["abstentions"]))
        for verdict in _list(decision["verdicts"]):
            self.failed_checks.update(_failed(_object(verdict)))
        if kind in ("vetoed", "refused"):
            kept = {name: decision[name] for name in ("decision_id", "as_of", "kind", "summary")}
            self.stopped.append(kept)

    def _add_fill(self, fill: dict[str, JsonValue]) -> None:
        execution_id = str(fill["execution_id"])
        if execution_id not in self._executions:
            self._executions.add(execution_id)
            self._count_fill(fill, 1)

    def _take_back_fill(self, fill: dict[str, JsonValue]) -> None:
        """A bust of what was counted; it counts once, however often it is told."""
        execution_id = str(fill["execution_id"])
        if execution_id in self._executions and execution_id not in self._busted:
            self._busted.add(execution_id)
            self._count_fill(fill, -1)

    def _count_fill(self, fill: dict[str, JsonValue], times: int) -> None:
        self.fills += times
        self.synthetic_fills += times * (fill["synthetic"] is True)
        kind = made_by(str(fill["tier"]), fill["synthetic"] is True)
        self.fidelity[kind] += times
        self._rests_on.setdefault(str(fill["order_id"]), Counter())[kind] += times
        sign = 1 if fill["side"] == "BUY" else -1
        away = sign * (float(str(fill["price"])) - float(str(fill["mid_price"])))
        self.trading_costs += times * (float(str(fill["fee"])) + away * float(str(fill["quantity"])))

    def _add_trade(self, event: Event, payload: dict[str, JsonValue]) -> None:
        order = self._open.pop(str(payload["order_id"]), None)
        if order is None:
            return
        filled, average = float(str(payload["filled"])), payload["average_price"]
        rests_on = self._rests_on.pop(str(payload["order_id"]), Counter())
        self.trades.append(
            {
                "order_id": order["order_id"],
                "symbol": order["symbol"],
                "side": order["side"],
                "status": payload["status"],
                "closed_at": event.event_time.isoformat(),
                "filled": payload["filled"],
                "average_price": average,
                "notional": filled * float(str(average)) if average is not None else 0.0,
                "shortfall_bps": payload["shortfall_bps"],
                "fees": payload["fees"],
                "rests_on": ", ".join(sorted(+rests_on)) or NOT_FILLED,
            }
        )


def _failed(verdict: dict[str, JsonValue]) -> list[str]:
    return [str(row["check"]) for row in map(_object, _list(verdict["checks"])) if row["passed"] is False]


def _object(value: JsonValue) -> dict[str, JsonValue]:
    return value if isinstance(value, dict) else {}


def _list(value: JsonValue) -> list[JsonValue]:
    return value if isinstance(value, list) else []
