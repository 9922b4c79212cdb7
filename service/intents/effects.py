"""What a request would do, worked out from the record before it is done: sells, orders taken back, the state after."""

from collections.abc import Callable, Mapping
from decimal import ROUND_FLOOR, Decimal
from typing import cast

from pydantic import JsonValue

from ...domain.instruments import AssetClass
from ...domain.levels import in_words
from ...domain.trading import ACCOUNT, Cause, Scope, TradingState
from ...gate.limits import FLOORS, TABLES
from ...gate.tightening import TIGHTENABLE, read_tightened, tightest
from ...memory.orders_view import OrderRecord
from ..answers.reader import Reading
from .answering import plan_answered
from .errors import IntentInvalid
from .intent import Acknowledge, Approve, Cancel, Flatten, Halt, Intent, Reduce, ReducePosition, Reject, Resume, Tighten
from .protective import stop_rows, stops_among

Effects = dict[str, JsonValue]
OPEN_STATES = frozenset({"approved", "working"})
BPS = Decimal(10_000)


def effects_of(reading: Reading, intent: Intent) -> Effects:
    """Effects as plain data. `refusal` says why it can't be done at all; `idle` that it would change nothing."""
    effects = _WORKED[type(intent)](reading, intent)
    return {"action": intent.action, **effects}


def scope_of(symbol: str | None) -> Scope:
    return ACCOUNT if symbol is None else Scope(kind="instrument", name=symbol)


def sold_symbols(reading: Reading, intent: Flatten) -> tuple[str, ...]:
    """The names a flatten is about; none when it is about everything."""
    if intent.sector is None:
        return intent.symbols
    wanted = intent.sector.casefold()
    members = [item for item in reading.started.universe.instruments if item.sector.casefold() == wanted]
    if not members:
        known = sorted({item.sector for item in reading.started.universe.instruments})
        raise IntentInvalid("no name of this run is in that sector", remedy=f"Name one of: {', '.join(known)}.")
    return tuple(item.symbol for item in members)


def kept_shares(reading: Reading, intent: ReducePosition) -> int:
    """Whole lots that a position keeps; none are bought where it is smaller already."""
    price, held = reading.prices.get(intent.symbol), reading.portfolio.quantity(intent.symbol)
    instrument = reading.started.universe.instrument(intent.symbol)
    if price is None or instrument is None or held <= 0:
        return 0
    shares = Decimal(repr(intent.weight_frac)) * reading.equity / price / instrument.lot
    return min(int(shares.to_integral_value(ROUND_FLOOR)) * instrument.lot, held)


def waiting_notifications(reading: Reading, intent: Acknowledge) -> list[str]:
    waiting = sorted(reading.standing.unacknowledged)
    named = intent.notification
    return waiting if named is None else [name for name in waiting if name.startswith(named)]


def _restricted(reading: Reading, intent: Halt | Reduce) -> Effects:
    _require_known(reading, intent.symbol)
    after = TradingState.HALTED if isinstance(intent, Halt) else TradingState.REDUCING
    scope, flag = scope_of(intent.symbol), reading.post.flag.is_raised
    before = reading.standing.of_scope(scope)
    is_up = flag and scope == ACCOUNT
    cause: Cause = "kill_flag" if isinstance(intent, Halt) and scope == ACCOUNT else "operator"
    orders = _open_orders(reading, intent.symbol)
    if isinstance(intent, Reduce):
        orders = [order for order in orders if not _takes_risk_off(reading, order)]
    stops = stops_among(reading, orders)
    return {
        "scope": str(scope),
        "before": TradingState.HALTED.value if is_up else before.value,
        "after": after.value,
        "orders": _order_rows([order for order in orders if order.order_id not in stops]),
        "stops": stop_rows(stops, orders),
        "idle": is_up or not reading.standing.is_worsened_by(scope, after, cause, cause),
    }


def _resumed(reading: Reading, intent: Resume) -> Effects:
    _require_known(reading, intent.symbol)
    scope = scope_of(intent.symbol)
    held, flag = reading.standing.in_force.get(scope), reading.post.flag.is_raised
    is_up = flag and scope == ACCOUNT
    note = reading.post.flag.read() if is_up else None
    before = TradingState.HALTED if is_up else reading.standing.of_scope(scope)
    return {
        "scope": str(scope),
        "before": before.value,
        "after": TradingState.ACTIVE.value,
        "why": "; ".join(in_words(item.reason) for item in reading.standing.all_causes if item.scope == scope),
        "flag": is_up,
        "halt": None if note is None else {"by": note.by, "reason": note.reason, "at": note.at},
        "idle": held is None and not is_up,
    }


def _flattened(reading: Reading, intent: Flatten) -> Effects:
    for symbol in intent.symbols:
        _require_known(reading, symbol)
    names = sold_symbols(reading, intent)
    holdings = reading.portfolio.holdings()
    sold = {name: held for name, held in holdings.items() if not names or name in names}
    orders = [order for order in _open_orders(reading, None) if not names or order.symbol in names]
    return _sale(reading, sold, orders, reading.post.flag.is_raised)


def _position_reduced(reading: Reading, intent: ReducePosition) -> Effects:
    _require_known(reading, intent.symbol)
    held, kept = reading.portfolio.quantity(intent.symbol), kept_shares(reading, intent)
    sold = {intent.symbol: held - kept} if held > kept else {}
    weight = reading.weights.get(intent.symbol, 0.0)
    after = {"held": held, "kept": kept, "weight": weight, "asked_weight": intent.weight_frac}
    sale = _sale(reading, sold, _open_orders(reading, intent.symbol), reading.post.flag.is_raised)
    if held and weight <= intent.weight_frac:
        sale = {**sale, "smaller": True}
    return {**sale, **after}


def _sale(reading: Reading, sold: Mapping[str, int], orders: list[OrderRecord], is_flag_up: bool) -> Effects:
    prices, rows = reading.prices, list[JsonValue]()
    costs = reading.settings.costs
    rate = (Decimal(repr(costs.half_spread_bps)) + Decimal(repr(costs.fee_bps))) / BPS
    total = Decimal(0)
    for symbol in sorted(sold):
        value = abs(prices[symbol] * sold[symbol])
        total += value
        rows.append({"symbol": symbol, "quantity": sold[symbol], "value": float(value), "cost": float(value * rate)})
    return {
        "sold": rows,
        "value": float(total),
        "cost": float(total * rate),
        "cash_after": float(reading.portfolio.cash + total * (1 - rate)),
        "orders": _order_rows(orders),
        "refusal": "the kill flag is up: nothing at all may be sent" if is_flag_up else "",
        "idle": not sold,
    }


def _canceled(reading: Reading, intent: Cancel) -> Effects:
    working = _open_orders(reading, None)
    if intent.order is None:
        # Nobody takes a stop back without naming it.
        stops = stops_among(reading, working)
        others = [order for order in working if order.order_id not in stops]
        return {"orders": _order_rows(others), "stops": stop_rows(stops, working), "idle": not others}
    found = [order for order in reading.orders if order.order_id == intent.order] or [
        order for order in reading.orders if order.order_id.startswith(intent.order) and len(intent.order) >= 5
    ]
    if len(found) != 1:
        return {"orders": [], "unknown": intent.order, "last": reading.orders[-1].order_id if reading.orders else ""}
    bare = stop_rows(stops_among(reading, found), found)
    return {"orders": _order_rows(found), "bare": bare, "idle": found[0].state not in OPEN_STATES}


def _tightened(reading: Reading, intent: Tighten) -> Effects:
    if intent.limit not in TIGHTENABLE:
        raise IntentInvalid("no such limit can be tightened", remedy=f"Name one of: {', '.join(TIGHTENABLE)}.")
    asked = read_tightened({intent.limit: intent.bound})
    now = tightest(reading.limits, reading.standing.tightened)
    before = getattr(now, intent.limit)
    if intent.limit in TABLES:
        before = max(before.of(item) for item in AssetClass)
    is_tighter = intent.bound > before if intent.limit in FLOORS else intent.bound < before
    return {
        "limit": intent.limit,
        "before": before,
        "bound": intent.bound,
        "refusal": "" if is_tighter and asked else "limits can only be made tighter while a desk works",
        "limits_hash": tightest(now, asked).hash(),
    }


def _acknowledged(reading: Reading, intent: Acknowledge) -> Effects:
    waiting = reading.standing.unacknowledged
    found = waiting_notifications(reading, intent)
    return {"notifications": [{"id": name, "text": in_words(waiting[name].text)} for name in found], "idle": not found}


_WORKED: Mapping[type[Intent], Callable[[Reading, Intent], Effects]] = {
    Halt: lambda reading, intent: _restricted(reading, cast(Halt, intent)),
    Reduce: lambda reading, intent: _restricted(reading, cast(Reduce, intent)),
    Resume: lambda reading, intent: _resumed(reading, cast(Resume, intent)),
    Flatten: lambda reading, intent: _flattened(reading, cast(Flatten, intent)),
    ReducePosition: lambda reading, intent: _position_reduced(reading, cast(ReducePosition, intent)),
    Cancel: lambda reading, intent: _canceled(reading, cast(Cancel, intent)),
    Tighten: lambda reading, intent: _tightened(reading, cast(Tighten, intent)),
    Acknowledge: lambda reading, intent: _acknowledged(reading, cast(Acknowledge, intent)),
    Approve: lambda reading, intent: plan_answered(reading, cast(Approve, intent)),
    Reject: lambda reading, intent: plan_answered(reading, cast(Reject, intent)),
}


def _require_known(reading: Reading, symbol: str | None) -> None:
    if symbol is not None and symbol not in reading.symbols:
        raise IntentInvalid(
            f"{symbol} is not in the universe of this run", remedy=f"Name one of: {', '.join(reading.symbols)}."
        )


def _open_orders(reading: Reading, symbol: str | None) -> list[OrderRecord]:
    return [item for item in reading.orders if item.state in OPEN_STATES and symbol in (None, item.symbol)]


def _takes_risk_off(reading: Reading, order: OrderRecord) -> bool:
    held = reading.portfolio.quantity(order.symbol)
    return held > 0 if order.side == "SELL" else held < 0


def _order_rows(orders: list[OrderRecord]) -> list[JsonValue]:
    return [
        {
            "order_id": item.order_id,
            "symbol": item.symbol,
            "side": item.side,
            "quantity": item.quantity,
            "left": item.quantity - item.filled,
            "state": item.state,
        }
        for item in orders
    ]
