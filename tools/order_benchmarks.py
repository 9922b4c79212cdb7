"""What each parent order was filled at beside what the market traded at: arrival, interval VWAP, close, reversion."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal

import numpy as np

from ..domain.orders import Fill
from ..market.cards import DataSet
from ..market.history import History, MarketView
from .attributed import counted, fidelity_of
from .executed import ExecutedOrder
from .ledger import figure
from .market_tape import Lack, MarketTape, market_tape

REVERSIONS = {
    "reversion_1m": timedelta(minutes=1),
    "reversion_5m": timedelta(minutes=5),
    "reversion_30m": timedelta(minutes=30),
}
NEXT_CLOSE = "reversion_next_close"
PRICES = ("arrival", "interval_vwap", "interval_twap", "close")
MEASURES = (*PRICES, *REVERSIONS, NEXT_CLOSE)
BPS = 1e4

Price = float | Lack


@dataclass(frozen=True, slots=True)
class Benchmarks:
    """One order, or its fills at one venue, against the market; costs and a price that came back are positive.

    `prices` are the market's, of reversions the mid that was looked at; `bps` is what the fills paid past each price,
    and of reversions how far the mid of the last fill's moment came back, against the order's side.
    """

    made_from: str
    fidelity: str
    """What the fills rest on."""
    prices: Mapping[str, Price]
    bps: Mapping[str, Price]
    market_volume: Price
    filled: int
    value: float
    """What was filled, at its prices."""

    @property
    def participation(self) -> Price:
        """What was filled as a share of what the market traded meanwhile."""
        return self.market_volume if isinstance(self.market_volume, Lack) else self.filled / self.market_volume

    def plain(self) -> dict[str, object]:
        """As the ledger keeps it."""
        return {name: {"price": stated(self.prices[name]), "bps": stated(self.bps[name])} for name in MEASURES}


@dataclass(eq=False)
class MarketAround:
    """A data set as a report looks at it, up to the last moment `view` knows; each recorded day is read once."""

    data: DataSet
    history: History
    view: MarketView
    tapes: dict[tuple[str, date], MarketTape | Lack] = field(default_factory=dict)

    def tape(self, item: ExecutedOrder) -> MarketTape | Lack:
        key = item.order.symbol, item.session
        if key not in self.tapes:
            self.tapes[key] = market_tape(self.data, self.history, *key)
        return self.tapes[key]

    def benchmarks(self, item: ExecutedOrder, fills: Sequence[Fill]) -> Benchmarks:
        """Those of an order's fills, of all or of those at one venue, over the time that the whole order took."""
        tape = self.tape(item)
        traded = tape if isinstance(tape, Lack) else tape.traded(item.opened_at, item.ends_at)
        last = max(fills, key=lambda fill: (fill.ts_event, fill.execution_id), default=None)
        prices: dict[str, Price] = {
            "arrival": float(item.arrival_price),
            "interval_vwap": traded if isinstance(traded, Lack) else traded[0],
            "interval_twap": tape if isinstance(tape, Lack) else tape.mean_price(item.opened_at, item.ends_at),
            "close": self._close(item, tape),
            **{name: self._later(tape, last, after) for name, after in REVERSIONS.items()},
            NEXT_CLOSE: self._next_close(item, last),
        }
        return Benchmarks(
            made_from=_source(tape),
            fidelity=fidelity_of(fills),
            prices=prices,
            bps=_against(item, fills, last, prices),
            market_volume=traded if isinstance(traded, Lack) else traded[1],
            filled=sum(fill.quantity for fill in fills),
            value=float(sum((fill.notional for fill in fills), Decimal(0))),
        )

    def _close(self, item: ExecutedOrder, tape: MarketTape | Lack) -> Price:
        """Of the order's day: on daily bars the bar's own, within the day the last trade."""
        if self.view.interval is not None:
            return tape if isinstance(tape, Lack) else tape.close(self.view.as_of)
        row, column = self._row(item), self.view.symbols.index(item.order.symbol)
        has_bar = row is not None and bool(np.isfinite(self.view.close[row, column]))
        return float(item.closing_price) if has_bar else Lack.NOT_RECORDED

    def _later(self, tape: MarketTape | Lack, last: Fill | None, after: timedelta) -> Price:
        if isinstance(tape, Lack):
            return tape
        return Lack.NO_FILLS if last is None else tape.price_at(last.ts_event + after, self.view.as_of)

    def _next_close(self, item: ExecutedOrder, last: Fill | None) -> Price:
        """The next session's close, in the shares of the order's own: a split or a dividend is no reversion."""
        if self.view.interval is not None:
            return Lack.WITHIN_DAY
        if last is None:
            return Lack.NO_FILLS
        row, column = self._row(item), self.view.symbols.index(item.order.symbol)
        if row is None or row + 1 >= len(self.view.sessions):
            return Lack.AFTER_RUN
        now, then = self.view.close[row, column], self.view.close[row + 1, column]
        known = bool(np.isfinite(now) and np.isfinite(then))
        return float(item.closing_price) * float(then / now) if known else Lack.NO_NEXT_BAR

    def _row(self, item: ExecutedOrder) -> int | None:
        row = int(np.searchsorted(self.view.sessions, np.datetime64(item.session, "D")))
        return row if row < len(self.view.sessions) and self.view.sessions[row].item() == item.session else None


def _source(tape: MarketTape | Lack) -> str:
    if isinstance(tape, Lack):
        return "daily bars" if tape is Lack.DAILY_BARS else "nothing recorded"
    return tape.made_from


def pooled(found: Sequence[Benchmarks]) -> dict[str, object]:
    """Some orders together: means weighted by what was filled, each with how many orders it rests on and why not more.

    Participation is what they filled of all that was traded while each was worked.
    """
    means: dict[str, object] = {}
    for name in MEASURES:
        known = [(item.value, value) for item in found if not isinstance(value := item.bps[name], Lack)]
        row: dict[str, object] = {"orders": len(known), "refused": _lacks([item.bps[name] for item in found])}
        if known:
            row["bps"] = figure(sum(weight * value for weight, value in known) / sum(weight for weight, _ in known))
        means[name] = row
    volumes = [(item.filled, item.market_volume) for item in found if not isinstance(item.market_volume, Lack)]
    share: dict[str, object] = {"orders": len(volumes), "refused": _lacks([item.market_volume for item in found])}
    if volumes:
        share["frac"] = figure(sum(size for size, _ in volumes) / sum(volume for _, volume in volumes))
    return {
        **means,
        "participation": share,
        "fidelity": counted(item.fidelity for item in found),
        "market_from": counted(item.made_from for item in found),
    }


def stated(value: Price) -> object:
    """A figure as the ledger keeps it, or why there is none."""
    return {"refused": value.value} if isinstance(value, Lack) else figure(value)


def _against(
    item: ExecutedOrder, fills: Sequence[Fill], last: Fill | None, prices: Mapping[str, Price]
) -> dict[str, Price]:
    if last is None:
        return {name: price if isinstance(price, Lack) else Lack.NO_FILLS for name, price in prices.items()}
    shares = sum(fill.quantity for fill in fills)
    paid = float(sum((fill.notional for fill in fills), Decimal(0)) / shares)
    sign, mid = item.order.side.sign, float(last.mid_price)

    def bps(name: str, price: float) -> float:
        return sign * BPS * ((paid - price) / price if name in PRICES else (mid - price) / mid)

    return {name: price if isinstance(price, Lack) else bps(name, price) for name, price in prices.items()}


def _lacks(values: Sequence[Price]) -> dict[str, int]:
    return counted(value.value for value in values if isinstance(value, Lack))
