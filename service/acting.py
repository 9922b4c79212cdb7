"""`parley actions`: a position, its cost and a standing order through the corporate actions of a span of days."""

from dataclasses import dataclass
from datetime import UTC, datetime, time
from decimal import Decimal, InvalidOperation
from pathlib import Path

from ..desk.errors import SettingsInvalid
from ..domain.orders import ChildOrder, Side, TimeInForce
from ..domain.portfolio import Portfolio, Position
from ..execution.venues.actions import act_on_order, act_on_portfolio
from ..execution.venues.worked_order import WorkedOrder, worked
from ..market.corporate_actions import CorporateAction, due, read_actions
from .console import Console
from .preparing import parse_day

TICK, LOT = Decimal("0.01"), 1


@dataclass(frozen=True, slots=True)
class ActionsRequest:
    """The options of `actions`, as given."""

    file: Path
    symbol: str
    since: str
    until: str
    shares: int
    cost: str
    price: str | None
    limit: str | None


def perform_actions(request: ActionsRequest, console: Console) -> None:
    since, until = parse_day(request.since, "--since"), parse_day(request.until, "--until")
    assert since is not None and until is not None, "both are given"
    actions = due(read_actions(request.file), {request.symbol}, since, until)
    held = Position(symbol=request.symbol, quantity=request.shares, average_price=_money(request.cost, "--cost"))
    book = Portfolio(cash=Decimal(0), positions=(held,))
    price = None if request.price is None else _money(request.price, "--price")
    order = None if request.limit is None else _standing(request, datetime.combine(since, time(0), UTC))
    steps = [_step("at first", since.isoformat(), book, order, "")]
    for action in actions:
        book = act_on_portfolio(book, action, price)
        order, why = _moved(order, action)
        steps.append(_step(action.text, action.ex_date.isoformat(), book, order, why))
    console.result({"symbol": request.symbol, "since": request.since, "until": request.until, "steps": steps})
    header = ("before the open of", "what", "held", "cost a share", "cash", "standing order")
    rows = [
        (row["day"], row["what"], row["held"], row["average_price"], row["cash"], row["order"] or "-") for row in steps
    ]
    console.table(request.symbol, header, rows)
    console.say("  For prices as they were traded; adjusted prices hold these actions already.")


def _moved(order: WorkedOrder | None, action: CorporateAction) -> tuple[WorkedOrder | None, str]:
    why = act_on_order(order, action, TICK, LOT) if order else ""
    return (None if why else order), why


def _step(what: str, day: str, book: Portfolio, order: WorkedOrder | None, why: str) -> dict[str, str]:
    open_now = next((item for item in book.positions if item.quantity), None)
    standing = f"BUY {order.remaining} at {order.limit}" if order else ""
    return {
        "day": day,
        "what": what,
        "held": "0" if open_now is None else f"{open_now.quantity} {open_now.symbol}",
        "average_price": "-" if open_now is None else f"{open_now.average_price:.4f}",
        "cash": f"{book.cash:.2f}",
        "order": f"canceled: {why}" if why else standing,
    }


def _standing(request: ActionsRequest, at: datetime) -> WorkedOrder:
    """A buy order good till canceled, only looked at here and sent nowhere."""
    child = ChildOrder(
        client_order_id="standing",
        order_id="standing",
        decision_id="none",
        symbol=request.symbol,
        side=Side.BUY,
        quantity=max(abs(request.shares), 1),
        limit_price=_money(request.limit or "", "--limit"),
        sequence=0,
        created_at=at,
        time_in_force=TimeInForce.GTC,
    )
    return worked(child, at)


def _money(text: str, option: str) -> Decimal:
    try:
        amount = Decimal(text)
    except InvalidOperation as error:
        raise SettingsInvalid(f"{option} {text!r} is not an amount", remedy="Write it as 645.57.") from error
    if not amount.is_finite() or amount <= 0:
        raise SettingsInvalid(f"{option} is {text}, expected above 0", remedy="Write it as 645.57.")
    return amount
