"""Questions about risk as it stands: tail risk by every method, who carries it, and how much of each limit is used."""

from typing import Any

from pydantic import Field, JsonValue

from ...domain.model import Model
from ...tools.stress import stress_book
from ...tools.tails import components, tail_by_method
from .answer import Answer, Kind
from .arguments import Limit, Nothing
from .askable import Askable
from .draft import Draft, measured, num, quote, when
from .reader import Reading
from .reviewing import probe_legs, review_of_book

LINES_SHOWN = 8
MAIN_METHOD = "historical, 1 year"
"""What the gate itself measures by."""


class OfTail(Model):
    """`level` is the confidence of VaR and ES."""

    level: float = Field(default=0.99, gt=0.5, le=0.999)


class OfUse(Model):
    """Limits of which at least this share is used."""

    above: float = Field(default=0.8, ge=0.0, le=1.0)
    limit: Limit = 50


def nothing_held(draft: Draft) -> Answer:
    return draft.no_data("the book holds no position, so it has no risk to measure.", more="positions")


def tail_risk(reading: Reading, draft: Draft, asked: OfTail) -> Answer:
    """VaR and ES of the book held, by each method; what the gate measures by comes first."""
    weights = reading.weights
    if not weights:
        return nothing_held(draft)
    entries = reading.measured("tail", lambda to: tail_by_method(to, reading.scene, weights, asked.level), asked.level)
    found = draft.entries(entries)["tail_by_method"]
    level = draft.derive("level", asked.level)
    equity = float(reading.equity)
    rows: list[JsonValue] = []
    for name, row in found.items():
        if row.maybe("var") is None:
            continue
        var, es = row["var"].number(), row["es"].number()
        rows.append({"method": name, "var": var, "es": es, "var_cash": var * equity, "es_cash": es * equity})
    table = draft.derive("tail", rows, entry=entries[0].id)
    if not rows:
        return draft.no_data("no method could measure the tail: the history is too short.")
    main = next((row for row in table.rows() if row["method"].raw == MAIN_METHOD), table[0])
    draft.say(
        "One-day value at risk at {}: {} of equity ({}); expected shortfall {} ({}).",
        *(num(level, "frac", 1), num(main["var"], "frac"), num(main["var_cash"], "usd")),
        *(num(main["es"], "frac"), num(main["es_cash"], "usd")),
    )
    draft.say(
        "Method: {}, of the weights held at {}; by the other methods:",
        quote(main["method"]),
        when(draft.derive("session", reading.last_session)),
    )
    for row in [row for row in table.rows() if row["method"].raw != main["method"].raw][:LINES_SHOWN]:
        draft.say("{}: VaR {}, ES {}", quote(row["method"]), num(row["var"], "frac"), num(row["es"], "frac"))
    draft.table(
        {
            "method": ("text", "method"),
            "VaR": ("frac", "var"),
            "ES": ("frac", "es"),
            "VaR, cash": ("usd", "var_cash"),
            "ES, cash": ("usd", "es_cash"),
        },
        table.rows(),
    )
    return draft.answer(Kind.NUMBER_WITH_CONTEXT, more="risk_contributions, or shock")


def risk_contributions(reading: Reading, draft: Draft, asked: OfTail) -> Answer:
    """Each position's share of the book's VaR; the largest first."""
    weights = reading.weights
    if not weights:
        return nothing_held(draft)
    entries = reading.measured("parts", lambda to: components(to, reading.scene, weights, asked.level), asked.level)
    found = draft.entries(entries)["var_components"]
    total = found["normal_var"].number()
    rows: list[JsonValue] = [
        {
            "symbol": symbol,
            "part": part.number(),
            "share": part.number() / total if total else 0.0,
            "weight": weights[symbol],
            "when_sold": found["when_sold"][symbol].number(),
        }
        for symbol, part in sorted(found["by_name"].items(), key=lambda item: -item[1].number())
    ]
    table = draft.derive("parts", rows, entry=entries[0].id).rows()
    largest = table[0]
    draft.say(
        "The largest single contribution is {}: {} of equity, {} of the one-day VaR of {} at {}, with a weight of {}.",
        *(quote(largest["symbol"]), num(largest["part"], "frac", 4), num(largest["share"], "frac", 1)),
        *(num(found["normal_var"], "frac", 4), num(draft.derive("level", asked.level), "frac", 1)),
        num(largest["weight"], "frac"),
    )
    draft.say("Parts are Euler shares of the normal VaR and sum to it.")
    for row in table[1 : LINES_SHOWN + 1]:
        draft.say(
            "{}: {} of equity, {} of the whole",
            *(quote(row["symbol"]), num(row["part"], "frac", 4), num(row["share"], "frac", 1)),
        )
    draft.table(
        {
            "symbol": ("text", "symbol"),
            "contribution": ("frac", "part"),
            "share": ("frac", "share"),
            "weight": ("frac", "weight"),
            "VaR changed by selling": ("frac", "when_sold"),
        },
        table,
    )
    return draft.answer(Kind.NUMBER_WITH_BREAKDOWN, more=f"doubled_position symbol={largest['symbol'].string()}")


def scenarios(reading: Reading, draft: Draft, asked: Nothing) -> Answer:
    """Dated crises and round shocks on the book held."""
    weights = reading.weights
    if not weights:
        return nothing_held(draft)
    entries = reading.measured("stress", lambda to: stress_book(to, reading.scene, weights))
    found = draft.entries(entries)
    rows = found["stress_table"]["rows"].rows()
    draft.say(
        "Through its market beta of {} the book would have come out like this:", num(found["stress_table"]["beta"])
    )
    for row in rows[:LINES_SHOWN]:
        draft.say(
            "{} ({} to {}): {}",
            *(quote(row["title"]), when(row["first_day"]), when(row["last_day"])),
            num(row["return"], "frac", sign=True),
        )
    draft.table(
        {
            "scenario": ("text", "title"),
            "from": ("text", "first_day"),
            "to": ("text", "last_day"),
            "market": ("frac", "market"),
            "book": ("frac", "return"),
        },
        rows,
    )
    return draft.answer(Kind.TABLE, more="shock, correlations_to or volatility_times")


def limits_used(reading: Reading, draft: Draft, asked: OfUse) -> Answer:
    """The gate's checks of the book with one lot more of each name, and the breakers, by the share that is used."""
    review = review_of_book(reading, probe_legs(reading)) if reading.last_mark else None
    if review is None:
        return draft.no_data("no session of this run has closed yet, so the gate has nothing to measure.")
    checks = [check for check in review.verdict.checks if check.check in BOOK_CHECKS]
    rows = [row for check in checks if (row := _used(check.check, check.symbol, check.value, check.limit, check.unit))]
    rows = sorted(rows + _breakers(reading), key=lambda row: -row["used"])
    over = [row for row in rows if row["used"] >= asked.above]
    table = draft.derive(
        "limits", {"rows": [*rows], "over": len(over)}, decision=review.decision_id, limits=review.limits_hash
    )
    draft.say(
        "Limits that are at least {} used by the book at the close of {}: {}.",
        *(num(draft.asked["above"], "frac", 0), when(draft.derive("session", reading.last_session))),
        num(table["over"], "count"),
    )
    shown = table["rows"].rows()
    if not over:
        draft.say("The ones used most:")
    for row in shown[: min(max(len(over), 3), LINES_SHOWN)]:
        draft.say(
            "{}: {} used, {} of {}",
            *(quote(row["name"]), num(row["used"], "frac", 0)),
            *(measured(row["value"], row["unit"]), measured(row["limit"], row["unit"])),
        )
    draft.say("Limits are those of the last decision, its regime and drawdown in them; breakers are marked so.")
    if tightened := dict(sorted(reading.standing.tightened.items())):
        names = ", ".join(tightened)
        draft.say(
            "People have tightened: {}.", quote(draft.derive("tightened", {"names": names, **tightened})["names"])
        )
    draft.table(
        {
            "limit": ("text", "name"),
            "used": ("frac", "used"),
            "value": ("num", "value"),
            "bound": ("num", "limit"),
            "unit": ("text", "unit"),
        },
        shown[: asked.limit],
    )
    return draft.answer(Kind.TABLE, more="limits_used above=0, or other_limits")


BOOK_CHECKS = frozenset(
    {
        *("daily_loss", "instrument_weight", "sector_weight", "gross", "net", "concentration", "liquidation_days"),
        *("var_99", "es_975", "beta", "correlation_cluster", "price_age"),
    }
)
"""Of the gate's checks those that measure the book, and not one plan's form."""


def _breakers(reading: Reading) -> list[dict[str, Any]]:
    """The circuit breakers that a session's close tells: loss on the day and since the peak."""
    last, earlier = reading.sessions[-1], reading.sessions[-2:-1]
    before = earlier[0].equity if earlier else reading.started.cash
    loss, fallen = max(0.0, float(1 - last.equity / before)), last.drawdown_frac
    rules = reading.settings.breakers
    found = (
        ("breaker: loss on the day", loss, rules.daily_loss.trip),
        ("breaker: drawdown alert", fallen, rules.drawdown_alert.trip),
        ("breaker: drawdown halt", fallen, rules.drawdown.trip),
    )
    return [row for name, value, trip in found if (row := _used(name, None, value, trip, "fraction"))]


def _used(name: str, symbol: str | None, value: float | None, limit: float | None, unit: str) -> dict[str, Any] | None:
    """None where nothing was measured, or where the bound is nothing at all: that is kept or broken, never near."""
    if value is None or limit is None or limit <= 0:
        return None
    told = name.replace("_", " ") + (f" {symbol}" if symbol else "")
    return {"name": told, "value": value, "limit": limit, "unit": unit, "used": max(value, 0.0) / limit}


RISKS = (
    Askable(
        name="tail_risk",
        says="Value at risk and expected shortfall of the book, by every method.",
        parameters=OfTail,
        answer=tail_risk,
        kind=Kind.NUMBER_WITH_CONTEXT,
        examples=("What is the current VaR and expected shortfall, and which method?",),
    ),
    Askable(
        name="risk_contributions",
        says="Each position's part of the book's risk, the largest first.",
        parameters=OfTail,
        answer=risk_contributions,
        kind=Kind.NUMBER_WITH_BREAKDOWN,
        examples=("What is our largest single risk contribution?",),
    ),
    Askable(
        name="scenarios",
        says="What dated crises would do to the book.",
        parameters=Nothing,
        answer=scenarios,
        kind=Kind.TABLE,
        examples=("How would we come through a crisis like that of the banks?",),
    ),
    Askable(
        name="limits_used",
        says="The gate's limits and how much of each is used.",
        parameters=OfUse,
        answer=limits_used,
        kind=Kind.TABLE,
        examples=("Which limits are above 80% used?",),
    ),
)
