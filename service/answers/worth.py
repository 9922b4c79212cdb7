"""Questions about what the run was worth: its equity curve, and the desk beside plain strategies on the same days."""

from collections.abc import Mapping

import numpy as np
from pydantic import JsonValue

from ...domain.canonical import content_hash
from ...domain.events import RunStarted
from ...evals.baselines import Compared, compared
from ...memory.performance_view import PERFORMANCE
from ...quant.arrays import FloatArray
from ...tools.ledger import figure
from ..pages.charts import chart_data
from .answer import Answer, Kind
from .askable import Askable
from .draft import Draft, num, quote, when
from .growing import Onward
from .reader import Reading
from .spans import OfPeriod, Period, rows_in, span_of

NAMES = {"desk": "desk", "index": "index, held", "equal_weight": "equal weight", "risk_parity": "risk parity",
         "minimum_variance": "minimum variance"}  # fmt: skip


class OfMonth(OfPeriod):
    period: Period = "month"


class OfWeek(OfPeriod):
    period: Period = "week"


def equity_curve(reading: Reading, draft: Draft, asked: OfPeriod) -> Answer:
    """Return since the close before the period, and the loss since the peak of the run."""
    span = span_of(reading, asked)
    first, behind = rows_in(reading, span) if span else (0, 0)
    if behind <= first:
        return draft.no_data("no session of this run closed in these days.", more="equity_curve period=all")
    sessions = reading.sessions[first:behind]
    base = _base(reading, first)
    equity = [float(item.equity) for item in sessions]
    rows: list[JsonValue] = [
        {
            "session": item.session.isoformat(),
            "equity": value,
            "return": figure(value / base - 1.0),
            "drawdown": item.drawdown_frac,
            "gross": item.gross,
            "benchmark": item.benchmark,
        }
        for item, value in zip(sessions, equity, strict=True)
    ]
    days = [item.session.isoformat() for item in sessions]
    deepest = max(sessions, key=lambda item: item.drawdown_frac)
    found = draft.derive(
        "equity",
        {
            "rows": rows,
            "base": base,
            "return": figure(equity[-1] / base - 1.0),
            "gain": equity[-1] - base,
            "count": len(rows),
        }
        | {"drawdown": sessions[-1].drawdown_frac, "deepest": deepest.drawdown_frac}
        | {"deepest_at": deepest.session.isoformat(), "from": days[0], "to": days[-1]},
    )
    last = found["rows"][len(rows) - 1]
    draft.say(
        "{} to {}, {} sessions: equity {}, a return of {} ({}) since the close before.",
        *(when(found["from"]), when(found["to"]), num(found["count"], "count"), num(last["equity"], "usd")),
        *(num(found["return"], "frac", sign=True), num(found["gain"], "usd", sign=True)),
    )
    draft.say(
        "Drawdown from the run's peak is {} at the end; the deepest of these days was {} at {}.",
        *(num(found["drawdown"], "frac"), num(found["deepest"], "frac"), when(found["deepest_at"])),
    )
    lines = {"return": [figure(value / base - 1.0) for value in equity]}
    lines["drawdown"] = [-item.drawdown_frac for item in sessions]
    chart = chart_data("Return and drawdown", "frac", days, lines)
    draft.table(
        {
            "session": ("text", "session"),
            "equity": ("usd", "equity"),
            "return": ("frac", "return"),
            "drawdown": ("frac", "drawdown"),
            "gross": ("frac", "gross"),
        },
        found["rows"].rows(),
    )
    return draft.answer(Kind.CHART, chart=draft.derive("equity_chart", chart), more="compare")


def compare(reading: Reading, draft: Draft, asked: OfPeriod) -> Answer:
    """The desk beside the index, equal weight and others: each bought at the run's start, net of the same costs."""
    span = span_of(reading, asked)
    first, behind = rows_in(reading, span) if span else (0, 0)
    if behind <= first:
        return draft.no_data("no session of this run closed in these days.", more="compare period=all")
    paths = reading.once("paths", lambda: _paths(reading), of=PERFORMANCE.handlers)
    if len(paths) < 2:
        return draft.no_data("the data of this run have no index and no whole year, so nothing to compare with.")
    rows: list[JsonValue] = []
    lines: dict[str, list[float | None]] = {}
    for name, path in paths.items():
        base = float(path[first - 1]) if first else float(reading.started.cash)
        part = path[first:behind] / base
        lines[NAMES.get(name, name)] = [figure(value - 1.0) for value in part.tolist()]
        peak = np.maximum.accumulate(np.concatenate([[1.0], part]))
        fallen = float((1.0 - np.concatenate([[1.0], part]) / peak).max())
        rows.append(
            {"name": NAMES.get(name, name), "return": figure(float(part[-1]) - 1.0), "drawdown": figure(fallen)}
        )
    dates = [item.session.isoformat() for item in reading.sessions[first:behind]]
    found = draft.derive(
        "compared", {"rows": rows, "from": dates[0], "to": dates[-1], "count": len(dates)}, prices=_prices_id(reading)
    )
    draft.say(
        "{} to {}, {} sessions, net of costs:", when(found["from"]), when(found["to"]), num(found["count"], "count")
    )
    for row in found["rows"].rows():
        draft.say(
            "{}: {}, deepest loss {}",
            quote(row["name"]),
            num(row["return"], "frac", sign=True),
            num(row["drawdown"], "frac"),
        )
    draft.say(
        "So few days tell luck from skill for nobody; the others were bought at the run's start, as the desk could."
    )
    draft.table(
        {"": ("text", "name"), "return": ("frac", "return"), "deepest loss": ("frac", "drawdown")}, found["rows"].rows()
    )
    chart = draft.derive("compared_chart", chart_data("Return since the close before", "frac", dates, lines))
    return draft.answer(Kind.COMPARISON_CHART, chart=chart, more="equity_curve, or compare period=all")


def _base(reading: Reading, first: int) -> float:
    return float(reading.sessions[first - 1].equity if first else reading.started.cash)


def _paths(reading: Reading) -> Mapping[str, FloatArray]:
    rates = reading.settings.costs
    days = tuple(item.session for item in reading.sessions)
    cash, cost_frac = float(reading.started.cash), (rates.half_spread_bps + rates.fee_bps) / 1e4
    walked = reading.once("baselines walked", Onward[Compared], of=(RunStarted,))
    others = walked.next(lambda before: compared(reading.history, days, cash, cost_frac, before)).found
    desk = np.array([float(item.equity) for item in reading.sessions])
    return {"desk": desk} | {name: item.equity for name, item in others.items()}


def _prices_id(reading: Reading) -> str:
    return content_hash([reading.started.data_fingerprint, reading.last_session])


WORTH = (
    Askable(
        name="equity_curve",
        says="Equity, return and drawdown over a period.",
        parameters=OfMonth,
        answer=equity_curve,
        kind=Kind.CHART,
        examples=("Show the equity curve and drawdown for this month.",),
    ),
    Askable(
        name="compare",
        says="The desk beside buy-and-hold, equal weight and other plain strategies.",
        parameters=OfWeek,
        answer=compare,
        kind=Kind.COMPARISON_CHART,
        examples=("Compare this week with buy-and-hold and 1/N.",),
    ),
)
