"""A whole option chain by expiry: forwards, smiles, skews and expected moves, and whether the smiles fit together."""

import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from itertools import pairwise

import numpy as np

from ..quant.arrays import FloatArray
from ..quant.errors import QuantError
from ..quant.implied_vol import ImpliedVols, VolStatus, implied_volatilities
from ..quant.option_flow import delta_skew, implied_forward, implied_move
from ..quant.vol_surface import Smile, VolSurface, fit_smile
from .chain_rows import Chain
from .chain_volume import ratios
from .errors import NotEnoughData, ToolError
from .ledger import Ledger, figure
from .pricing import DAYS_PER_YEAR

Pairs = tuple[FloatArray, FloatArray, FloatArray]
"""Strikes, call prices and put prices."""
LEAST_PRICE = 0.05
"""Closes under five cents are mostly the tick: their volatility says nothing about the smile."""
NEAR_PAIRS = 8
"""Strikes nearest the money from which the forward is read."""
CURVE_POINTS = 61


@dataclass(frozen=True, slots=True, eq=False)
class Points:
    """The quotes of one expiry that make its smile, by strike, and how many quotes had which status."""

    rows: Chain
    log_strike: FloatArray
    vol: FloatArray
    counts: dict[str, int]


@dataclass(frozen=True, slots=True)
class ExpiryRead:
    """What one expiry said; `smile` and its `quoted` span of log strikes are for comparing expiries."""

    expiry: date
    output: dict[str, object]
    smile: Smile | None
    quoted: tuple[float, float]


def read_expiry(ledger: Ledger, chain: Chain, expiry: date, rate: float) -> ExpiryRead:
    """Forward, volatilities, SVI smile, skew, move and ratios of one expiry of one day's chain.

    What cannot be had from these quotes is an object with `refused` that says why.
    """
    rows = chain.where(chain.expiry == np.datetime64(expiry, "D"))
    days = int((rows.expiry[0] - rows.day[0]).astype(int))
    years = days / DAYS_PER_YEAR
    traded = rows.where(rows.is_traded)
    output: dict[str, object] = {
        "expiry": expiry.isoformat(),
        "days": days,
        "years": figure(years),
        "rows": len(rows.strike),
        "traded": len(traded.strike),
        "put_call": ratios(rows),
    }
    smile, quoted = None, (0.0, 0.0)
    try:
        pairs = _pairs(traded)
        forward = _forward(pairs, math.exp(-rate * years))
    except ToolError as error:
        output["refused"] = error.message
    else:
        output["forward"] = figure(forward)
        output["move"] = _stated(lambda: {"fraction": figure(implied_move(*pairs, forward))})
        points = _points(traded, forward, years, rate)
        output["status"] = points.counts
        output["points"] = _point_rows(points)
        smile, output["smile"] = _smile(points, years)
        if smile is not None:
            quoted = float(points.log_strike[0]), float(points.log_strike[-1])
            output["skew"] = _skew(smile, points, forward, years)
    ledger.record("option_expiry", 1, "as named", {"expiry": expiry.isoformat(), "rate": rate}, output)
    return ExpiryRead(expiry, output, smile, quoted)


def calendar_check(ledger: Ledger, expiries: Sequence[ExpiryRead]) -> list[dict[str, object]]:
    """Each fitted smile against the one before, where both were quoted: total variance must not fall with time."""
    fitted = [(item, item.smile) for item in expiries if item.smile is not None]
    output: list[dict[str, object]] = []
    for (before, near), (after, far) in pairwise(fitted):
        low, high = max(before.quoted[0], after.quoted[0]), min(before.quoted[1], after.quoted[1])
        row: dict[str, object] = {"from": before.expiry.isoformat(), "to": after.expiry.isoformat()}
        if low < high:
            least = VolSurface((near, far)).check(np.linspace(low, high, CURVE_POINTS)).least_calendar
            row |= {"least_growth": figure(least), "is_free": least >= 0.0}
        else:
            row["refused"] = "the two smiles share no quoted strikes"
        output.append(row)
    inputs = {"expiries": [item.expiry.isoformat() for item, _ in fitted]}
    ledger.record("calendar_check", 1, "total variance", inputs, {"rows": output})
    return output


def _stated(measure: Callable[[], dict[str, object]]) -> dict[str, object]:
    try:
        return measure()
    except QuantError as error:
        return {"refused": error.message}


def _pairs(traded: Chain) -> Pairs:
    """Strikes at which call and put both traded, ascending, with their prices."""
    strikes, at_call, at_put = np.intersect1d(
        traded.strike[traded.is_call], traded.strike[~traded.is_call], assume_unique=True, return_indices=True
    )
    if len(strikes) < 2:
        raise NotEnoughData(
            f"{len(strikes)} strikes have both a traded call and a traded put, 2 are needed for a forward",
            remedy="Choose another day, or read this expiry off its neighbors.",
        )
    return strikes, traded.price[traded.is_call][at_call], traded.price[~traded.is_call][at_put]


def _forward(pairs: Pairs, discount: float) -> float:
    """By parity, at the strikes where call and put are worth most nearly the same: no spot is needed for that."""
    strikes, calls, puts = pairs
    nearest = np.sort(np.argsort(np.abs(calls - puts), kind="stable")[:NEAR_PAIRS])
    return implied_forward(strikes[nearest], calls[nearest], puts[nearest], discount)


def _points(traded: Chain, forward: float, years: float, rate: float) -> Points:
    """A volatility for every traded quote on the forward; those out of the money and not all tick make the smile."""
    # Discounted to today, the forward is the spot of an asset that pays nothing until expiry.
    found = _vols(traded, forward * math.exp(-rate * years), years, rate)
    is_otm = traded.is_call == (traded.strike >= forward)
    kept = np.flatnonzero(found.is_solved & is_otm & (traded.price >= LEAST_PRICE))
    kept = kept[np.argsort(traded.strike[kept], kind="stable")]
    counts = {status.name.lower(): int((found.status == status).sum()) for status in VolStatus}
    counts |= {"in_the_money": int((~is_otm).sum()), "in_smile": len(kept)}
    return Points(traded.where(kept), np.log(traded.strike[kept] / forward), found.vol[kept], counts)


def _vols(rows: Chain, spot: float, years: float, rate: float) -> ImpliedVols:
    kinds = np.where(rows.is_call, "call", "put")
    return implied_volatilities(kinds, rows.price, spot, rows.strike, years, rate)


def _point_rows(points: Points) -> list[dict[str, object]]:
    rows = points.rows
    return [
        {
            "strike": figure(float(rows.strike[place])),
            "kind": "call" if rows.is_call[place] else "put",
            "price": figure(float(rows.price[place])),
            "volume": int(rows.volume[place]),
            "vol": figure(float(points.vol[place])),
        }
        for place in range(len(rows.strike))
    ]


def _smile(points: Points, years: float) -> tuple[Smile | None, dict[str, object]]:
    """Raw SVI weighted by vega, its errors, a butterfly check where quotes are, and a curve to draw."""
    k, vols = points.log_strike, points.vol
    try:
        # Vega, up to a factor that all points of one expiry share.
        d1 = -k / (vols * math.sqrt(years)) + 0.5 * vols * math.sqrt(years)
        smile = fit_smile(k, vols, years, np.exp(-0.5 * d1 * d1))
        grid = np.linspace(k[0], k[-1], CURVE_POINTS)
        least = VolSurface((smile,)).check(grid).least_butterfly
    except QuantError as error:
        return None, {"refused": error.message}
    miss = smile.vol(k) - vols
    forward = float(points.rows.strike[0] / math.exp(k[0]))
    return smile, {
        "parameters": {name: figure(value) for name, value in asdict(smile).items()},
        "at_the_money": figure(float(smile.vol(0.0))),
        "rmse": figure(float(np.sqrt(np.mean(miss**2)))),
        "worst": figure(float(np.abs(miss).max())),
        "least_butterfly": figure(least),
        "is_free": least >= 0.0,
        "curve": {
            "strike": [figure(value) for value in (forward * np.exp(grid)).tolist()],
            "vol": [figure(value) for value in smile.vol(grid).tolist()],
        },
    }


def _skew(smile: Smile, points: Points, forward: float, years: float) -> dict[str, object]:
    """The 25-delta put less the 25-delta call, on the fitted smile at the quoted strikes, which never extrapolates."""
    fitted = smile.vol(points.log_strike)
    return _stated(lambda: {"fraction": figure(delta_skew(points.rows.strike, fitted, forward, years))})
