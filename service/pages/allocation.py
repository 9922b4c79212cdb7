"""The page of books side by side: the frontier with each method on it, weights, risk, and the trial out of sample."""

from collections.abc import Mapping
from typing import Any

from markupsafe import Markup, escape
from pydantic import JsonValue

from ...market.cards import DataCard
from .charts import BOTTOM_PX, TOP_PX, WIDTH_UNITS, bar, nice_ticks
from .numbers import shown
from .render import render
from .twin import Fact, Twin

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
CHART_PX = 320
STRIP_PX = 30
NEAR_FRAC = 0.02
NEAR_PX = 11.0
RULE_NAMES = {
    "kelly_sample": "Kelly, the year's mean",
    "kelly_calibrated": "Kelly, calibrated",
    "kelly_joint": "Kelly, calibrated, joint",
    "vol_target": "Volatility target",
    "range_unit": "Range unit",
    "desk": "The desk's own",
}
TONES = (0.02, 0.05, 0.1, 0.14)
"""Weights from which a cell of the table is shaded one step darker."""


def allocation_page(twin: Twin, entries: Mapping[str, Fact], session: str, card: DataCard) -> str:
    """The HTML; `entries` are ledger entries by the name of their tool."""
    output = entries["build_books"]["output"]
    books = [
        {"letter": letter, "name": name, "book": book}
        for letter, (name, book) in zip(LETTERS, output["books"].items(), strict=False)
    ]
    built = [row for row in books if "weights" in _keys(row["book"])]
    trial = entries["out_of_sample"]["output"]
    drawn = twin.derive(
        "frontier_chart", [entries["efficient_frontier"].ref_id, entries["build_books"].ref_id], _chart(entries, built)
    )
    symbols = [symbol.string() for symbol in output["together"].rows()] if built else []
    sectors = list(_keys(built[0]["book"]["sectors"])) if built else []
    return render(
        "allocation.html",
        title="Portfolios",
        name=card.name,
        session=session,
        books=books,
        built=[row | {"strip": _strip(row["book"]["weights"], symbols)} for row in built],
        chart=frontier_chart(drawn),
        intensity=output["ledoit_wolf_intensity"],
        weights=[(symbol, [_cell(row["book"]["weights"][symbol]) for row in built]) for symbol in symbols],
        sectors=[(label, [_cell(row["book"]["sectors"][label]) for row in built]) for label in sectors],
        trial=trial,
        trials=_trials(trial, books),
        covariances=list(entries["covariance_estimates"]["output"].items()),
        sizes=_sizes(entries["position_sizes"]["output"]),
        exposures=_exposures(entries["factor_exposures"]["output"]),
        views=_views(entries["stated_views"]["output"]) if "stated_views" in entries else None,
        plan=entries["rebalancing_plan"]["output"] if "rebalancing_plan" in entries else None,
        survivorship=twin.derive("card", card.name, {"survivorship": card.survivorship})["survivorship"],
        evidence=list(entries.values()),
    )


def frontier_chart(data: Fact) -> Markup:
    """Expected return over volatility: the frontier as a line, each method as a dot with its letter."""
    floor_px = CHART_PX - BOTTOM_PX

    def x(value: float) -> float:
        return (value - data["x_low"].number()) / (data["x_high"].number() - data["x_low"].number())

    def y(value: float) -> float:
        share = (value - data["y_low"].number()) / (data["y_high"].number() - data["y_low"].number())
        return round(floor_px - share * (floor_px - TOP_PX), 1)

    line = "L".join(
        f"{x(row['volatility_annual'].number()) * WIDTH_UNITS:.1f} {y(row['return_annual'].number())}"
        for row in data["line"].rows()
    )
    text = ""
    for tick in data["y_ticks"].rows():
        at = y(tick.number())
        text += f'<line class="g" x2="100%" y1="{at}" y2="{at}"/>{_tick(tick, "-7", f"{at + 4:.1f}", "0")}'
    for tick in data["x_ticks"].rows():
        text += _tick(tick, f"{x(tick.number()):.2%}", str(CHART_PX - 5), "12")
    text += _dots([(row["letter"].string(), x(row["x"].number()), y(row["y"].number())) for row in data["dots"].rows()])
    title = escape(data["title"].string())
    return Markup(
        f'<div class="plot"><svg class="chart" role="img" width="100%" height="{CHART_PX}"><title>{title}</title>'
        f'<svg width="100%" height="{CHART_PX}" viewBox="0 0 {WIDTH_UNITS} {CHART_PX}" preserveAspectRatio="none">'
        f'<path class="l c0" d="M{line}"/></svg>{text}</svg></div>'
    )


def _chart(entries: Mapping[str, Fact], built: list[dict[str, Any]]) -> dict[str, JsonValue]:
    """The twin's record of the chart: the line, the dots, and the scales of both axes."""
    line = entries["efficient_frontier"]["output"]["points"].raw
    points = entries["efficient_frontier"]["output"]["points"].rows()
    dots: list[JsonValue] = [
        {
            "letter": row["letter"],
            "x": row["book"]["volatility_shrunk"].raw,
            "y": row["book"]["return_annual"].raw,
        }
        for row in built
    ]
    across = [row["volatility_annual"].number() for row in points]
    across += [row["book"]["volatility_shrunk"].number() for row in built]
    up = [row["return_annual"].number() for row in points] + [row["book"]["return_annual"].number() for row in built]
    x_ticks, y_ticks = nice_ticks(min(across), max(across), 5), nice_ticks(min(up), max(up), 5)
    return {
        "title": "Expected return over volatility, the frontier and each method",
        "line": line,
        "dots": dots,
        "x_low": x_ticks[0],
        "x_high": x_ticks[-1],
        "y_low": y_ticks[0],
        "y_high": y_ticks[-1],
        "x_ticks": list(x_ticks),
        "y_ticks": list(y_ticks),
    }


def _tick(tick: Fact, x: str, y: str, shift: str) -> str:
    return (
        f'<text class="n frac" x="{x}" dx="{shift}" y="{y}" data-value="{tick.raw}" data-ref="{escape(tick.ref)}">'
        f"{shown(tick.raw, 'frac', 1)}</text>"
    )


def _dots(dots: list[tuple[str, float, float]]) -> str:
    """A dot for each method; neighbors share one label with all their letters, from left to right."""
    groups: list[tuple[str, float, float]] = []
    for letter, x, y in sorted(dots, key=lambda dot: dot[1]):
        near = next((k for k, at in enumerate(groups) if abs(at[1] - x) < NEAR_FRAC and abs(at[2] - y) < NEAR_PX), None)
        if near is None:
            groups.append((letter, x, y))
        else:
            groups[near] = (f"{groups[near][0]} {letter}", x, y)
    marks = "".join(f'<circle class="d" cx="{x:.2%}" cy="{y}" r="4.5"/>' for _, x, y in dots)
    return marks + "".join(f'<text x="{x:.2%}" dx="7" y="{y - 5:.1f}">{names}</text>' for names, x, y in groups)


def _strip(weights: Fact, symbols: list[str]) -> Markup:
    """One upright bar for each name, in the order of the table below; it repeats numbers that stand there."""
    values = [weights[symbol].number() for symbol in symbols]
    width, top = 100.0 / len(values), max(values)
    bars = "".join(
        f'<rect class="c0" x="{k * width:.2f}%" width="{0.8 * width:.2f}%" y="{STRIP_PX * (1 - value / top):.1f}"'
        f' height="{STRIP_PX * value / top:.1f}"/>'
        for k, value in enumerate(values)
        if value > 0.0
    )
    return Markup(f'<svg class="strip" width="100%" height="{STRIP_PX}" aria-hidden="true">{bars}</svg>')


def _cell(weight: Fact) -> dict[str, object]:
    return {"weight": weight, "tone": sum(weight.number() >= edge for edge in TONES)}


def _sizes(output: Fact) -> dict[str, Any]:
    """The sizing rules as rows, and every name's weight by each; why there are none otherwise."""
    if output.maybe("refused"):
        return {"refused": output["refused"]}
    rules = _keys(output["rules"])
    return {
        "refused": None,
        "rules": [{"name": RULE_NAMES[rule], "row": output["rules"][rule]} for rule in rules],
        "names": [
            (symbol, expected, [_cell(output["weights"][rule][symbol]) for rule in rules])
            for symbol, expected in output["expected_annual"].items()
        ],
        "output": output,
    }


def _exposures(output: Fact) -> dict[str, Any]:
    if output.maybe("refused"):
        return {"refused": output["refused"]}
    factors = [factor.string() for factor in output["factors"].rows()]
    return {
        "refused": None,
        "factors": factors,
        "output": output,
        "books": [
            {"name": name, "book": book, "cells": [(book["betas"][f], book["t"][f]) for f in factors]}
            for name, book in output["books"].items()
            if not book.maybe("refused")
        ],
    }


def _trials(trial: Fact, books: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rows of the trial, best Sharpe ratio first; none when the history was too short."""
    if "methods" not in _keys(trial):
        return []
    rows = [{"letter": row["letter"], "name": row["name"], "row": trial["methods"][row["name"]]} for row in books]
    rows.sort(key=lambda item: -item["row"]["sharpe"].number())
    widest = max(abs(item["row"]["sharpe"].number()) for item in rows)
    return [item | {"bar": bar(item["row"]["sharpe"].number(), widest, signed=True)} for item in rows]


def _views(output: Fact) -> dict[str, Any]:
    """Every name with its returns before and after the views, and both books with what the views moved."""
    stated = {row["symbol"].raw: row for row in output["views"].rows()}
    books = {name: book for name, book in output["books"].items() if not book.maybe("refused")}
    widest = max((abs(tilt.number()) for book in books.values() for _, tilt in book["tilt"].items()), default=1.0)
    return {
        "output": output,
        "books": books,
        "refused": [(name, book["refused"]) for name, book in output["books"].items() if book.maybe("refused")],
        "rows": [
            {
                "symbol": symbol,
                "view": stated.get(symbol),
                "prior": prior,
                "posterior": output["posterior_annual"][symbol],
                "books": [
                    (
                        book["after"][symbol],
                        bar(book["tilt"][symbol].number(), widest, signed=True),
                        book["tilt"][symbol],
                    )
                    for book in books.values()
                ],
            }
            for symbol, prior in output["prior_annual"].items()
        ],
    }


def _keys(fact: Fact) -> list[str]:
    return [key for key, _ in fact.items()]
