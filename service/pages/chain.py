"""The page of an option chain: each expiry's forward, smile, skew and move, and where volume was unusual."""

from collections.abc import Sequence

from markupsafe import Markup, escape

from .charts import BOTTOM_PX, TOP_PX, WIDTH_UNITS, nice_ticks
from .numbers import shown
from .render import render
from .twin import Fact, Twin

CHART_PX = 200
DOT_PX = 2.5
STRIKE_TICKS = 4


def chain_page(twin: Twin, entries: Sequence[Fact], underlying: str, day: str) -> str:
    """The HTML; `entries` are the ledger entries of one day's chain."""
    expiries = [entry["output"] for entry in entries if entry["tool"].raw == "option_expiry"]
    others = {entry["tool"].string(): entry["output"] for entry in entries}
    return render(
        "chain.html",
        title="Option chain",
        underlying=underlying,
        day=day,
        flow=others["chain_flow"],
        expiries=[_expiry(twin, output) for output in expiries],
        calendar=others["calendar_check"]["rows"].rows(),
        unusual=others["unusual_volume"],
        evidence=entries,
    )


def smile_chart(axes: Fact, output: Fact) -> Markup:
    """Points and fitted curve of one expiry over strikes; the dotted line is the forward."""
    strikes, vols = ([tick.number() for tick in axes[name].rows()] for name in ("x_ticks", "y_ticks"))
    left, right = axes["low"].number(), axes["high"].number()
    foot = CHART_PX - BOTTOM_PX

    def x(strike: float) -> float:
        return (strike - left) / (right - left)

    def y(vol: float) -> float:
        return round(foot - (vol - vols[0]) / (vols[-1] - vols[0]) * (foot - TOP_PX), 1)

    curve = output["smile"]["curve"]
    line = " ".join(
        f"{x(strike.number()) * WIDTH_UNITS:.1f},{y(vol.number())}"
        for strike, vol in zip(curve["strike"].rows(), curve["vol"].rows(), strict=True)
    )
    forward = x(output["forward"].number()) * WIDTH_UNITS
    shapes = f'<path class="m" d="M{forward:.1f} {TOP_PX}V{foot}"/><path class="l c0" d="M{line}"/>'
    dots = "".join(
        f'<circle class="d" cx="{x(row["strike"].number()):.2%}" cy="{y(row["vol"].number())}" r="{DOT_PX}"/>'
        for row in output["points"].rows()
    )
    labels = "".join(_vol_label(tick, y(tick.number())) for tick in axes["y_ticks"].rows())
    labels += "".join(
        _strike_label(tick, x(strike)) for tick, strike in zip(axes["x_ticks"].rows(), strikes, strict=True)
    )
    return Markup(
        f'<div class="plot"><svg class="chart" role="img" width="100%" height="{CHART_PX}">'
        f"<title>Implied volatility by strike, {escape(output['expiry'].string())}</title>"
        f'<svg width="100%" height="{CHART_PX}" viewBox="0 0 {WIDTH_UNITS} {CHART_PX}" preserveAspectRatio="none">'
        f"{shapes}</svg>{dots}{labels}</svg></div>"
    )


def _expiry(twin: Twin, output: Fact) -> dict[str, object]:
    smile = output.maybe("smile")
    is_fitted = smile is not None and smile.maybe("parameters") is not None
    return {
        "output": output,
        "smile": smile if is_fitted else None,
        "why_not": None if is_fitted else output.maybe("refused") or (smile and smile.maybe("refused")),
        "forward": output.maybe("forward"),
        "skew": _fraction(output.maybe("skew")),
        "move": _fraction(output.maybe("move")),
        "status": output.maybe("status"),
        "chart": smile_chart(_axes(twin, output), output) if is_fitted else "",
    }


def _fraction(part: Fact | None) -> Fact | None:
    return part.maybe("fraction") if part else None


def _axes(twin: Twin, output: Fact) -> Fact:
    """Round numbers along both axes, kept in the twin like every other number of the page."""
    points = output["points"].rows()
    strikes = [row["strike"].number() for row in points]
    vols = [row["vol"].number() for row in points] + [vol.number() for vol in output["smile"]["curve"]["vol"].rows()]
    low, high = min(strikes), max(strikes)
    room = 0.02 * (high - low)
    x_ticks = [tick for tick in nice_ticks(low, high, STRIKE_TICKS) if low - room <= tick <= high + room]
    return twin.derive(
        "smile_axes",
        {"expiry": output["expiry"].string(), "source": output.ref_id},
        {
            "low": low - room,
            "high": high + room,
            "x_ticks": list(x_ticks),
            "y_ticks": list(nice_ticks(min(vols), max(vols))),
        },
    )


def _vol_label(tick: Fact, y: float) -> str:
    digits = 0 if abs(100 * tick.number() - round(100 * tick.number())) < 1e-9 else 1
    return (
        f'<line class="g" x2="100%" y1="{y}" y2="{y}"/><text class="n frac" x="-7" y="{y + 4:.1f}" '
        f'data-value="{tick.raw}" data-ref="{escape(tick.ref)}">{shown(tick.raw, "frac", digits)}</text>'
    )


def _strike_label(tick: Fact, x: float) -> str:
    digits = 0 if tick.number().is_integer() else 2
    return (
        f'<text class="t price" x="{x:.2%}" y="{CHART_PX - 5}" text-anchor="middle" data-value="{tick.raw}" '
        f'data-ref="{escape(tick.ref)}">{shown(tick.raw, "price", digits)}</text>'
    )
