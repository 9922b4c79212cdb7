"""Tools for what surrounds the prices: money flow from recorded volume, and the volatility index as weather."""

from collections.abc import Mapping

import numpy as np

from ..quant.frictions import amihud_by_name, roll_by_name
from .ledger import Ledger, figure, figures
from .scene import Scene

FLOW_DAYS = 21
CALM_VIX = 20.0
DRYING_RATIO = 3.0
"""A name is drying up when a dollar has moved it this many times as far in the last month as over the year."""


def money_flow(ledger: Ledger, scene: Scene) -> tuple[str, Mapping[str, float]] | None:
    """Chaikin money flow of 21 days per name, from -1 to 1; None where no name has high, low and volume.

    Sum of volume times ((close - low) - (high - close)) / (high - low), over the sum of volume: closes near
    the high on heavy volume count as buying. Source: Chaikin, as in Murphy (1999), Technical Analysis of the
    Financial Markets.
    """
    view, columns = scene.view, list(scene.tradable)
    if view.high is None or view.low is None or view.volume is None:
        return None
    high, low, close, volume = (
        array[-FLOW_DAYS:][:, columns] for array in (view.high, view.low, view.close, view.volume)
    )
    spread = high - low
    usable = np.isfinite(spread) & np.isfinite(close) & np.isfinite(volume) & (spread > 0)
    place = np.where(usable, (2.0 * close - high - low) / np.where(usable, spread, 1.0), 0.0)
    traded = np.where(usable, volume, 0.0)
    total = traded.sum(axis=0)
    flow = np.where(total > 0, (place * traded).sum(axis=0) / np.where(total > 0, total, 1.0), np.nan)
    scores = figures(scene.symbols, np.clip(flow, -1.0, 1.0).tolist())
    if not scores:
        return None
    return ledger.record("money_flow", 1, "score", {"days": FLOW_DAYS}, scores).id, scores


def trading_frictions(ledger: Ledger, scene: Scene) -> tuple[str, tuple[str, ...]] | None:
    """Amihud's illiquidity by a million of value and Roll's spread per name; None where the source has no volume.

    Beside the entry's id, the names that are drying up: for a person to look at, never for a score.
    """
    if scene.view.volume is None:
        return None
    columns = list(scene.tradable)
    closes = scene.closes[:, columns]
    volume = scene.view.volume[-len(closes) :, columns]
    year = amihud_by_name(closes, volume)
    month = amihud_by_name(closes[-FLOW_DAYS - 1 :], volume[-FLOW_DAYS - 1 :])
    drying = tuple(scene.symbols[place] for place in np.flatnonzero(month > DRYING_RATIO * year).tolist())
    output = {
        "amihud_month": figures(scene.symbols, (1e6 * month).tolist()),
        "amihud_year": figures(scene.symbols, (1e6 * year).tolist()),
        "roll_spread": figures(scene.symbols, roll_by_name(closes).tolist()),
        "drying_up": list(drying),
    }
    inputs = {"days": len(closes), "month_days": FLOW_DAYS, "drying_ratio": DRYING_RATIO}
    return ledger.record("trading_frictions", 1, "fraction", inputs, output).id, drying


def volatility_weather(ledger: Ledger, scene: Scene) -> tuple[str, float] | None:
    """(20 - VIX) / 20 clipped to -1 and 1: fair weather above zero; None where the source has no VIX now."""
    vix = scene.vix
    if vix is None:
        return None
    score = figure(max(-1.0, min(1.0, (CALM_VIX - vix) / CALM_VIX)))
    output = {"vix": figure(vix), "score": score}
    return ledger.record("volatility_weather", 1, "index points", {"calm": CALM_VIX}, output).id, score
