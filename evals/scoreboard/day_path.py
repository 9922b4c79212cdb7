"""What a run did, close by close, as plain arrays: folded once from its log, and kept in that form."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, cast

import numpy as np
from pydantic import JsonValue

from ...domain.events import (
    DecisionMade,
    Event,
    OrderFilled,
    Payload,
    PortfolioMarked,
    PositionCashedOut,
    RunFinished,
)
from ...domain.instruments import Universe
from ...domain.orders import Side
from ...domain.overnight import book_night
from ...domain.portfolio import Portfolio, book_fill, cash_out
from ...domain.views import AbstainReason
from ...memory.history import NIGHT_EVENTS
from ...memory.log import EventLog
from ...quant.arrays import FloatArray

FAILURES = (AbstainReason.MODEL_FAILED, AbstainReason.UNPARSABLE, AbstainReason.OUT_OF_BUDGET)
"""Abstentions that are the model's fault; the others are opinions, or the lack of data."""
SERIES = ("equity", "costs", "fees", "bought", "sold", "gross", "net", "var_99")
ZERO = Decimal(0)
READ = (DecisionMade, OrderFilled, PortfolioMarked, PositionCashedOut, RunFinished, *NIGHT_EVENTS)


@dataclass(frozen=True, slots=True, eq=False)
class DayPath:
    """A book at each close. Arrays are (n_days,), money in the portfolio's currency, exposures fractions of equity."""

    days: tuple[str, ...]
    """ISO days, or moments where the desk decides within the day."""
    equity: FloatArray
    """Net of all costs."""
    costs: FloatArray
    """Fees and the distance of fills from the mid, of the session that ends at this close."""
    fees: FloatArray
    """The part of the costs that the venue charged."""
    bought: FloatArray
    """Value bought in that session, at the prices paid."""
    sold: FloatArray
    gross: FloatArray
    net: FloatArray
    var_99: FloatArray
    """The risk agent's 99 % one-day VaR of the book held at this close, a fraction; NaN where it gave none."""
    classes: Mapping[str, FloatArray]
    """Exposure of each asset class."""
    regimes: tuple[str, ...]
    """What the desk took the market for at this close."""
    counts: Mapping[str, int]

    @property
    def returns(self) -> FloatArray:
        """(n_days - 1,) simple net returns from close to close."""
        return self.equity[1:] / self.equity[:-1] - 1.0

    @property
    def gross_returns(self) -> FloatArray:
        """(n_days - 1,) the same had trading cost nothing that day: what was earned before costs."""
        return (self.equity[1:] + self.costs[1:]) / self.equity[:-1] - 1.0

    @property
    def traded(self) -> FloatArray:
        """(n_days,) bought plus sold."""
        return self.bought + self.sold

    def plain(self) -> dict[str, JsonValue]:
        """As JSON; a missing forecast is null."""
        found: dict[str, JsonValue] = {name: _plain(getattr(self, name)) for name in SERIES}
        classes: dict[str, JsonValue] = {name: _plain(values) for name, values in self.classes.items()}
        return found | {
            "days": list(self.days),
            "classes": classes,
            "regimes": list(self.regimes),
            "counts": dict(self.counts),
        }


def path_from_plain(found: Mapping[str, JsonValue]) -> DayPath:
    """The path that `plain` wrote."""
    kept = cast("Mapping[str, Any]", found)
    return DayPath(
        days=tuple(kept["days"]),
        **{name: _array(kept[name]) for name in SERIES},
        classes={name: _array(values) for name, values in kept["classes"].items()},
        regimes=tuple(kept["regimes"]),
        counts=dict(kept["counts"]),
    )


def path_of_log(log: EventLog, cash: Decimal, universe: Universe) -> DayPath:
    """The finished run in a log that began with `cash`."""
    return path_of_events(log.read(types=READ), cash, universe)


def path_of_events(events: Iterator[Event], cash: Decimal, universe: Universe) -> DayPath:
    """Folds a run's events in their order; those that are no fact of the book are passed over."""
    fold = _Fold(Portfolio(cash=cash), {item.symbol: item.asset_class.value for item in universe.instruments})
    for event in events:
        if event.type == DecisionMade.__name__:
            # As plain JSON: rebuilding each decision would cost more than the rest of the fold.
            fold.decided(cast("dict[str, Any]", event.payload)["decision"])
        else:
            fold.happened(event.decoded())
    return fold.path()


class _Fold:
    """The book as it goes, and a row for every mark."""

    def __init__(self, portfolio: Portfolio, class_of: Mapping[str, str]) -> None:
        self._portfolio, self._class_of = portfolio, class_of
        self._seen, self._costs, self._moved = set[str](), ZERO, {Side.BUY: ZERO, Side.SELL: ZERO}
        self._rows: list[dict[str, Any]] = []
        self._counts = Counter[str]()

    def happened(self, payload: Payload) -> None:
        if isinstance(payload, OrderFilled):
            self._filled(payload)
        elif isinstance(payload, PositionCashedOut):
            self._portfolio = cash_out(self._portfolio, payload.symbol, payload.price)
        elif isinstance(payload, NIGHT_EVENTS):
            self._portfolio = book_night(self._portfolio, payload)
        elif isinstance(payload, PortfolioMarked):
            self._marked(payload)
        elif isinstance(payload, RunFinished):
            names = ("sessions", "decisions", "orders", "fills", "vetoes", "abstentions", "llm_calls")
            self._counts |= {name: getattr(payload, name) for name in names}

    def decided(self, decision: Mapping[str, Any]) -> None:
        """What the close's decision knew: it comes after the close's mark in the log."""
        row = self._rows[-1]
        row["regime"] = decision["regime"]
        if decision["assessment"] is not None:
            metrics = decision["assessment"]["metrics"]
            filtered = metrics["var_99_filtered"]
            row["var_99"] = metrics["var_99_historical"] if filtered is None else filtered
        reasons = [item["reason"] for item in decision["abstentions"]]
        self._counts["failed_answers"] += sum(reason in FAILURES for reason in reasons)
        self._counts["refused"] += decision["kind"] == "refused"
        self._counts["prompt_tokens"] += decision["prompt_tokens"]

    def _filled(self, payload: OrderFilled) -> None:
        fill = payload.fill
        if fill.execution_id in self._seen:
            return
        self._seen.add(fill.execution_id)
        self._portfolio = book_fill(self._portfolio, fill)
        self._moved[fill.side] += fill.notional
        self._costs += fill.fee + fill.side.sign * (fill.price - fill.mid_price) * fill.quantity

    def _marked(self, mark: PortfolioMarked) -> None:
        equity = float(mark.equity)
        classes = dict[str, float]()
        for symbol, quantity in self._portfolio.holdings().items():
            kind = self._class_of[symbol]
            classes[kind] = classes.get(kind, 0.0) + float(mark.prices[symbol] * quantity) / equity
        row = {"day": mark.session.isoformat(), "equity": equity, "costs": float(self._costs)}
        row |= {"fees": float(mark.fees), "bought": float(self._moved[Side.BUY]), "sold": float(self._moved[Side.SELL])}
        row |= {"gross": mark.gross, "net": mark.net, "classes": classes}
        self._rows.append(row | {"var_99": float("nan"), "regime": "unknown"})
        self._costs, self._moved = ZERO, {Side.BUY: ZERO, Side.SELL: ZERO}

    def path(self) -> DayPath:
        kinds = sorted({kind for row in self._rows for kind in row["classes"]})
        return DayPath(
            days=tuple(row["day"] for row in self._rows),
            **{name: np.array([row[name] for row in self._rows], dtype=np.float64) for name in SERIES},
            classes={kind: np.array([row["classes"].get(kind, 0.0) for row in self._rows]) for kind in kinds},
            regimes=tuple(row["regime"] for row in self._rows),
            counts={name: int(self._counts[name]) for name in sorted(self._counts)},
        )


def day_rows(days: Sequence[str]) -> list[int]:
    """The rows that a daily reader takes: the first, and the last of each day; all of them where rows are days."""
    if all(len(day) == len("2020-01-02") for day in days):
        return list(range(len(days)))
    dates = [date.fromisoformat(day[:10]) for day in days]
    return [0, *(row for row in range(len(days)) if row + 1 == len(days) or dates[row + 1] > dates[row])]


def _plain(values: FloatArray) -> list[JsonValue]:
    return [None if value != value else value for value in values.tolist()]


def _array(values: Sequence[float | None]) -> FloatArray:
    return np.array([np.nan if value is None else value for value in values], dtype=np.float64)
