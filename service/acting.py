"""`parley actions`: a position, its cost and a standing order through the corporate actions of a span of days.

Alone the file tells what the actions make of them. With prices as they were traded, every session in between is
played at the exchange: the order may fill, and the account is worth what it is worth.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, time
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..desk.errors import SettingsInvalid
from ..domain.orders import ChildOrder, Side, TimeInForce
from ..domain.overnight import BorrowCharged
from ..domain.portfolio import Portfolio, Position
from ..execution.venues.actions import act_on_order, act_on_portfolio
from ..execution.venues.worked_order import WorkedOrder, worked
from ..market.corporate_actions import CorporateAction, due, read_actions
from .console import Console
from .preparing import DEFAULT_SEED, parse_day

if TYPE_CHECKING:
    from ..evals.standing_order import SessionStep

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
    prices: Path | None = None


def perform_actions(request: ActionsRequest, console: Console) -> None:
    since, until = parse_day(request.since, "--since"), parse_day(request.until, "--until")
    assert since is not None and until is not None, "both are given"
    held = Position(symbol=request.symbol, quantity=request.shares, average_price=_money(request.cost, "--cost"))
    book = Portfolio(cash=Decimal(0), positions=(held,) if request.shares else ())
    order = None if request.limit is None else _standing(request, datetime.combine(since, time(0), UTC))
    if request.prices is not None:
        _play(request, request.prices, book, order, console)
        return
    actions = due(read_actions(request.file), {request.symbol}, since, until)
    price = None if request.price is None else _money(request.price, "--price")
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


def _play(request: ActionsRequest, prices: Path, book: Portfolio, order: WorkedOrder | None, console: Console) -> None:
    """Every session of the span at the exchange, with the actions of the file between them."""
    from contextlib import closing

    from ..agents.llm.rules import RulesModel
    from ..desk.desk import RunPlan, build_desk
    from ..desk.settings import load_settings
    from ..evals.standing_order import walk
    from ..gate.limits import load_limits
    from ..market.as_traded import load_as_traded
    from ..memory.log import EventLog
    from ..storage.sql import open_in_memory

    data = load_as_traded(prices, request.file)
    data.panel.column(request.symbol)
    since, until = parse_day(request.since, "--since"), parse_day(request.until, "--until")
    sessions = data.history().sessions_between(since, until)
    settings, plan = load_settings(), RunPlan(str(prices), sessions, RulesModel.name, DEFAULT_SEED)
    with closing(open_in_memory()) as database:
        desk = build_desk(settings, load_limits(), data, plan, EventLog(database), RulesModel(), None)
        steps = list(walk(desk, sessions, book, order, request.symbol, DEFAULT_SEED))
    rows = [_session_row(step) for step in steps]
    console.result(
        {
            "symbol": request.symbol,
            "since": request.since,
            "until": request.until,
            "sessions": rows,
            "fidelity": "T0 synthetic" if data.recorded is None else "T1 recorded",
        }
    )
    shown = [row for place, row in enumerate(rows) if _is_eventful(rows, place)]
    header = ("session", "close", "fills", "standing order", "equity", "night", "held then", "cost a share", "cash")
    keys = ("session", "close", "fills", "order", "equity", "night", "held", "average_price", "cash")
    console.table(request.symbol, header, [tuple(row[key] or "-" for key in keys) for row in shown])
    console.say(f"  {len(rows)} sessions, {len(shown)} shown: those with a fill or an action, and their neighbors.")
    console.say("  Prices as they were traded. Within a session they are drawn from its bar: fills are T0, synthetic.")


def _is_eventful(rows: list[dict[str, Any]], place: int) -> bool:
    near = rows[max(place - 1, 0) : place + 2]
    return place in (0, len(rows) - 1) or any(row["night"] or row["fills"] for row in near)


def _session_row(step: "SessionStep") -> dict[str, Any]:
    held = next((item for item in step.after.positions if item.quantity), None)
    order = f"BUY {step.standing} at {step.limit}" if step.standing else ""
    fills = ", ".join(f"{fill.quantity} at {fill.price}" for fill in step.fills)
    borrow = [f"borrow fee {fact.amount}" for fact in step.night if isinstance(fact, BorrowCharged)]
    return {
        "session": step.session.isoformat(),
        "close": f"{step.close:.2f}",
        "fills": fills,
        "order": f"canceled: {step.ended}" if step.ended else order,
        "equity": f"{step.equity:.2f}",
        "night": ", ".join([*(action.text for action in step.actions), *borrow]),
        "held": "0" if held is None else f"{held.quantity} {held.symbol}",
        "average_price": "" if held is None else f"{held.average_price:.4f}",
        "cash": f"{step.after.cash:.2f}",
    }


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
    """A buy order good till canceled, which no desk decided: it goes to a simulated exchange only."""
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
