"""The page of a record: its figures with intervals, its curves, months, factors, and how far luck reaches."""

from collections.abc import Mapping
from itertools import pairwise

import numpy as np
from markupsafe import Markup, escape
from pydantic import JsonValue

from ...market.cards import DataCard
from ...tools.track_record import TrackRecord
from .charts import BOTTOM_PX, TOP_PX, WIDTH_UNITS, bar, chart_data, line_chart, nice_ticks
from .curves import Curves, drawdown_chart, equity_chart
from .months import MONTHS, month_row
from .numbers import shown
from .render import render
from .twin import Fact, Twin

HISTOGRAM_PX = 200
ERRORS = 2.0
"""Standard errors drawn to either side of the rolling Sharpe ratio."""
TONES = 5
"""Lines that a chart can tell apart: of more factors the first are drawn."""


def performance_page(twin: Twin, entries: Mapping[str, Fact], record: TrackRecord, note: str, card: DataCard) -> str:
    """The HTML; `entries` are ledger entries by the name of their tool."""
    found, chance = entries["performance_figures"]["output"], entries["luck"]["output"]
    against = entries["against_benchmark"]["output"]
    periods = entries["by_period"]["output"]
    curves = _curves(record, entries["performance_figures"].ref_id)
    attributions = [entries[tool] for tool in ("factor_attribution", "own_attribution") if tool in entries]
    return render(
        "performance.html",
        title="Performance",
        name=record.name,
        note=twin.derive("note", [record.name], note),
        found=found,
        chance=chance,
        against=against,
        equity=equity_chart(twin, curves),
        drawdown=drawdown_chart(twin, curves),
        rolling=_rolling_sharpe(twin, entries["performance_figures"]),
        rolling_beta=_rolling_beta(twin, entries["against_benchmark"]),
        histogram=_histogram(twin, entries["luck"]),
        falls=found["drawdowns"].rows(),
        years=_stretches(periods["years"]),
        crises=_stretches(periods["crises"]),
        months=_months(periods),
        month_names=MONTHS,
        periods=periods,
        models=[model for entry in attributions for model in _models(twin, entry)],
        refused=[entry["output"]["refused"] for entry in attributions if entry["output"].maybe("refused")],
        above_cash=_above_cash(entries),
        choice=entries["selection_luck"]["output"],
        conventions=[pair for part in (found, chance) for pair in part["conventions"].items()],
        factor_conventions=_factor_conventions(attributions),
        card=twin.derive(
            "card", card.name, {"title": card.title, "survivorship": card.survivorship, "notes": list(card.notes)}
        ),
        evidence=list(entries.values()),
    )


def _curves(record: TrackRecord, ref_id: str) -> Curves:
    lines = {"Record": record.equity}
    if record.benchmark is not None:
        lines[record.benchmark_name or "Benchmark"] = record.benchmark
    return Curves(record.days, lines, [ref_id])


def _rolling_sharpe(twin: Twin, entry: Fact) -> dict[str, object] | None:
    rolling = entry["output"].maybe("rolling")
    if rolling is None:
        return None
    ratio = np.array([row.number() for row in rolling["sharpe"].rows()])
    error = np.array([row.number() for row in rolling["std_error"].rows()]) * ERRORS
    lines = {"Sharpe ratio": ratio, "Two errors below": ratio - error, "Two errors above": ratio + error}
    return _rolling(twin, "rolling_sharpe_chart", "Sharpe ratio of the year before", entry, lines, {"none": 0.0})


def _rolling_beta(twin: Twin, entry: Fact) -> dict[str, object] | None:
    rolling = entry["output"].maybe("rolling")
    if rolling is None:
        return None
    lines = {"Beta": np.array([row.number() for row in rolling["beta"].rows()])}
    return _rolling(twin, "rolling_beta_chart", "Beta of the year before", entry, lines, {"none": 0.0})


def _rolling(
    twin: Twin, tool: str, title: str, entry: Fact, lines: Mapping[str, np.ndarray], levels: Mapping[str, float]
) -> dict[str, object]:
    days = [row.string() for row in entry["output"]["rolling"]["days"].rows()]
    rounded = {name: [round(value, 4) for value in line.tolist()] for name, line in lines.items()}
    fact = twin.derive(tool, [entry.ref_id], chart_data(title, "ratio", days, rounded, levels))
    return {"svg": line_chart(fact, height_px=180), "title": title, "names": list(lines)}


def _histogram(twin: Twin, entry: Fact) -> Markup | None:
    """How often resampled histories had which Sharpe ratio: bars, with zero and the record's own ratio marked."""
    kept = entry["output"].maybe("histogram")
    if kept is None:
        return None
    edges = [row.number() for row in kept["edges"].rows()]
    counts = [row.number() for row in kept["counts"].rows()]
    ticks = nice_ticks(min(edges[0], 0.0), max(edges[-1], 0.0), 6)
    data: dict[str, JsonValue] = {
        "title": "Sharpe ratios of resampled histories",
        "low": ticks[0],
        "high": ticks[-1],
        "x_ticks": list(ticks),
    }
    fact = twin.derive("sharpe_histogram", [entry.ref_id], data)
    floor_px = HISTOGRAM_PX - BOTTOM_PX

    def x(value: float) -> float:
        return (value - ticks[0]) / (ticks[-1] - ticks[0]) * WIDTH_UNITS

    shapes = "".join(
        f'<rect class="{"bad" if right <= 0.0 else "gone"}" x="{x(left):.1f}" '
        f'width="{0.92 * (x(right) - x(left)):.1f}" y="{floor_px - (floor_px - TOP_PX) * count / max(counts):.1f}" '
        f'height="{(floor_px - TOP_PX) * count / max(counts):.1f}"/>'
        for (left, right), count in zip(pairwise(edges), counts, strict=True)
    )
    own = x(entry["output"]["sharpe"].number())
    shapes += f'<path class="m" d="M{x(0.0):.1f} {TOP_PX}V{floor_px}"/>'
    shapes += f'<path class="v v0" d="M{own:.1f} {TOP_PX}V{floor_px}"/>'
    labels = "".join(
        f'<text class="n ratio" x="{x(tick.number()) / WIDTH_UNITS:.2%}" dx="8" y="{HISTOGRAM_PX - 5}" '
        f'data-value="{tick.raw}" data-ref="{escape(tick.ref)}">{shown(tick.raw, "ratio", 1)}</text>'
        for tick in fact["x_ticks"].rows()
    )
    title = escape(fact["title"].string())
    return Markup(
        f'<div class="plot"><svg class="chart" role="img" width="100%" height="{HISTOGRAM_PX}"><title>{title}</title>'
        f'<svg width="100%" height="{HISTOGRAM_PX}" viewBox="0 0 {WIDTH_UNITS} {HISTOGRAM_PX}" '
        f'preserveAspectRatio="none">{shapes}</svg>{labels}</svg></div>'
    )


def _stretches(rows: Fact) -> list[dict[str, object]]:
    found = rows.rows()
    widest = max((abs(row["return"].number()) for row in found), default=1.0)
    return [{"row": row, "bar": bar(row["return"].number(), widest, signed=True)} for row in found]


def _months(periods: Fact) -> list[dict[str, object]]:
    totals = {row["year"].string(): row["return"] for row in periods["years"].rows()}
    return [month_row(year, totals[year], row) for year, row in periods["months"].items()]


def _models(twin: Twin, entry: Fact) -> list[dict[str, object]]:
    """The parts of the return by each model, with bars on one scale, and the betas over time."""
    output = entry["output"]
    if output.maybe("models") is None:
        return []
    return [_model(twin, entry, title, model) for title, model in output["models"].items()]


def _model(twin: Twin, entry: Fact, title: str, model: Fact) -> dict[str, object]:
    parts = [*(part for _, part in model["parts_per_year"].items()), model["alpha_part_per_year"]]
    widest = max(abs(part.number()) for part in parts)
    rows = [
        {"name": name, **{key: model[key][name] for key in ("betas", "std_errors", "t")}, "part": part,
         "bar": bar(part.number(), widest, signed=True)}
        for name, part in model["parts_per_year"].items()
    ]  # fmt: skip
    alpha = bar(parts[-1].number(), widest, signed=True, tone="c1")
    return {
        "title": title,
        "model": model,
        "rows": rows,
        "alpha_bar": alpha,
        "chart": _betas(twin, entry, title, model),
    }


def _betas(twin: Twin, entry: Fact, title: str, model: Fact) -> dict[str, object] | None:
    rolling = model.maybe("rolling")
    if rolling is None:
        return None
    days = [row.string() for row in rolling["days"].rows()]
    lines = {
        name: [round(row.number(), 4) for row in line.rows()] for name, line in list(rolling["betas"].items())[:TONES]
    }
    data = chart_data("Betas of the year before", "ratio", days, lines, {"none": 0.0})
    fact = twin.derive("rolling_betas_chart", [entry.ref_id, title], data)
    undrawn = [name for name, _ in rolling["betas"].items() if name not in lines]
    return {"svg": line_chart(fact, height_px=170), "names": list(lines), "undrawn": undrawn}


def _above_cash(entries: Mapping[str, Fact]) -> Fact | None:
    entry = entries.get("factor_attribution")
    return entry["output"] if entry is not None and entry["output"]["has_cash"].raw is True else None


def _factor_conventions(attributions: list[Fact]) -> list[tuple[str, Fact]]:
    kept = next((entry["output"]["conventions"] for entry in attributions if entry["output"].maybe("models")), None)
    return [] if kept is None else list(kept.items())
