"""Questions about what is held and what it came to: positions, the equity curve, the desk beside plain strategies."""

from typing import Any

from .answer import Answer, Kind
from .arguments import Shown
from .askable import Askable
from .draft import Draft, num, quote, when
from .places import BOOK
from .reader import Reading

LINES_SHOWN = 8


def positions(reading: Reading, draft: Draft, asked: Shown) -> Answer:
    """Every open position with weight and result; the largest first."""
    mark = reading.last_mark
    if mark is None:
        return draft.no_data("no session of this run has closed yet, so nothing is valued.", more="help")
    rows = reading.once("position rows", lambda: _position_rows(reading), of=BOOK)
    totals = _totals(reading, rows)
    book = draft.derive("positions", {"rows": [*rows[: asked.limit]], "book": totals}, mark=mark.id)
    session = draft.event(mark)["payload"]["session"]
    found = book["rows"].rows()
    draft.say(
        "{} open positions at the close of {}: {} of equity {} invested, cash {}.",
        *(num(book["book"]["count"], "count"), when(session), num(book["book"]["gross"], "frac")),
        *(num(book["book"]["equity"], "usd"), num(book["book"]["cash"], "usd")),
    )
    draft.say(
        "Unrealized {} and realized {}.",
        num(book["book"]["unrealized"], "usd", sign=True),
        num(book["book"]["realized"], "usd", sign=True),
    )
    for row in found[:LINES_SHOWN]:
        draft.say(
            "{}: weight {}, {} shares worth {}, unrealized {}",
            *(quote(row["symbol"]), num(row["weight"], "frac"), num(row["quantity"], "count")),
            *(num(row["value"], "usd"), num(row["unrealized"], "usd", sign=True)),
        )
    draft.table(POSITION_COLUMNS, found)
    return draft.answer(Kind.TABLE, more="risk_contributions" if len(rows) <= asked.limit else "positions with a limit")


POSITION_COLUMNS = {
    "symbol": ("text", "symbol"),
    "weight": ("frac", "weight"),
    "quantity": ("count", "quantity"),
    "price": ("price", "price"),
    "value": ("usd", "value"),
    "average cost": ("price", "average_price"),
    "unrealized": ("usd", "unrealized"),
    "unrealized, of cost": ("frac", "unrealized_frac"),
    "realized": ("usd", "realized"),
}


def _position_rows(reading: Reading) -> list[dict[str, Any]]:
    prices, equity = reading.prices, reading.equity
    rows: list[dict[str, Any]] = []
    for held in reading.portfolio.positions:
        if not held.quantity:
            continue
        value = prices[held.symbol] * held.quantity
        gain = (prices[held.symbol] - held.average_price) * held.quantity
        cost = abs(held.average_price * held.quantity)
        rows.append(
            {
                "symbol": held.symbol,
                "quantity": held.quantity,
                "price": float(prices[held.symbol]),
                "value": float(value),
                "weight": float(value / equity),
                "average_price": float(held.average_price),
                "unrealized": float(gain),
                "unrealized_frac": float(gain / cost) if cost else 0.0,
                "realized": float(held.realized),
            }
        )
    return sorted(rows, key=lambda row: (-abs(row["weight"]), row["symbol"]))


def _totals(reading: Reading, rows: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "count": len(rows),
        "equity": float(reading.equity),
        "cash": float(reading.portfolio.cash),
        "gross": sum(abs(weight) for weight in reading.weights.values()),
        "unrealized": sum(row["unrealized"] for row in rows),
        "realized": float(sum(item.realized for item in reading.portfolio.positions)),
    }


HOLDINGS = (
    Askable(
        name="positions",
        says="Open positions with weights, value and result.",
        parameters=Shown,
        answer=positions,
        kind=Kind.TABLE,
        examples=("Show open positions with weights and unrealised P&L.",),
    ),
)
