"""The pictures of the risk page: far tail, moving correlation, selling out, hedge ratios and the book's backtest."""

from markupsafe import Markup
from pydantic import JsonValue

from .charts import chart_data, line_chart
from .number_axis import Points, curve_chart, curve_data
from .twin import Fact, Twin

Picture = dict[str, object]
"""An SVG and the names of its lines, in the order of their colors."""


def extreme_pictures(twin: Twin, entry: Fact) -> dict[str, Picture] | None:
    """Mean excess, shape by threshold and Hill's shape by tail size; None where the tool refused."""
    output = entry["output"]
    if not output.maybe("scan"):
        return None
    scan, chosen = output["scan"].rows(), output["chosen"]
    excess = [(row["threshold"].number(), row["mean"].number()) for row in output["mean_excess"].rows()]
    shapes: dict[str, Points] = {
        "shape": [(row["level"].number(), row["shape"].number()) for row in scan],
        "a standard error below": [_off(row, -1.0) for row in scan],
        "a standard error above": [_off(row, 1.0) for row in scan],
    }
    hills = output["hill"].rows()
    hill: Points = [(row["tail"].number(), 1.0 / row["alpha"].number()) for row in hills]
    return {
        "mean_excess": _curves(
            twin,
            entry,
            "Mean loss beyond a threshold",
            ("frac", "frac"),
            {"mean excess": excess},
            [chosen["threshold"]],
        ),
        "shape": _curves(twin, entry, "Shape by threshold", ("frac", "ratio"), shapes, [chosen["level"]]),
        "hill": _curves(
            twin, entry, "Shape by number of largest losses", ("count", "ratio"), {"Hill": hill}, [chosen["excesses"]]
        ),
    }


def correlation_picture(twin: Twin, entry: Fact) -> Picture | None:
    output = entry["output"]
    if not output.maybe("path"):
        return None
    lines = {"average correlation": _numbers(output["path"]["correlation"])}
    levels = {"mean of the days before": output["mean"].number()}
    days = [row.string() for row in output["path"]["day"].rows()]
    data = chart_data("Average correlation of the names", "ratio", days, lines, levels)
    return _drawn(twin, "correlation_chart", entry, data, 180, list(lines))


def liquidity_picture(twin: Twin, entry: Fact) -> Picture:
    rows = entry["output"]["sold"].rows()
    curves: dict[str, Points] = {
        name: [(0.0, 0.0), *((row["day"].number(), row[key].number()) for row in rows)]
        for name, key in (("ordinary market", "now"), ("bad market", "stressed"))
    }
    return _curves(twin, entry, "Share of the book sold by day", ("num", "frac"), curves, [])


def ratio_picture(twin: Twin, entry: Fact) -> Picture | None:
    output = entry["output"]
    if not output.maybe("path"):
        return None
    lines = {name: _numbers(ratios) for name, ratios in output["path"]["ratio"].items()}
    days = [row.string() for row in output["path"]["day"].rows()]
    data = chart_data("Index to sell for a unit of the book", "ratio", days, lines)
    return _drawn(twin, "hedge_ratio_chart", entry, data, 180, list(lines))


def backtest_picture(twin: Twin, entry: Fact) -> Picture | None:
    output = entry["output"]
    if not output.maybe("path"):
        return None
    path = output["path"]
    floors = {f"{name} VaR": _numbers(floor) for name, floor in path["floor"].items()}
    lines = {"day's return": _numbers(path["return"])} | floors
    days = [row.string() for row in path["day"].rows()]
    data = chart_data("Each day against the loss foreseen for it", "frac", days, lines)
    return _drawn(twin, "backtest_chart", entry, data, 260, list(lines))


def _off(row: Fact, errors: float) -> tuple[float, float]:
    return row["level"].number(), row["shape"].number() + errors * row["shape_error"].number()


def _numbers(values: Fact) -> list[float]:
    return [row.number() for row in values.rows()]


def _curves(
    twin: Twin, entry: Fact, title: str, units: tuple[str, str], curves: dict[str, Points], marks: list[Fact]
) -> Picture:
    data = curve_data(title, units, curves, [mark.number() for mark in marks])
    svg: Markup = curve_chart(twin.derive("curves", [entry.ref_id, title], data))
    return {"svg": svg, "names": list(curves)}


def _drawn(twin: Twin, tool: str, entry: Fact, data: dict[str, JsonValue], height_px: int, names: list[str]) -> Picture:
    fact = twin.derive(tool, entry.ref_id, data)
    return {"svg": line_chart(fact, height_px=height_px), "names": names}
