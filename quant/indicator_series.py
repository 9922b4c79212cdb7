"""Whole series of technical indicators of one symbol: one typed door, which checks the bars and the parameters."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from .arrays import FloatArray, checked_vector
from .errors import ParameterError, SampleError
from .indicator_table import INDICATORS, Indicator

if TYPE_CHECKING:
    from collections.abc import Mapping


def indicator_series(
    name: str,
    close: npt.ArrayLike,
    *,
    high: npt.ArrayLike | None = None,
    low: npt.ArrayLike | None = None,
    volume: npt.ArrayLike | None = None,
    **parameters: float,
) -> dict[str, FloatArray]:
    """Output name -> (n_bars,) of the named indicator, NaN during its warm-up only (or where it divides by nothing).

    | name | outputs | unit | parameters (bars unless said) |
    |---|---|---|---|
    | sma ema wma kama | itself | price | period 20 (kama 10) |
    | roc | roc | fraction | period 21 |
    | rsi | rsi | 0 to 100 | period 14 |
    | macd | macd signal histogram | price | fast 12, slow 26, signal 9 |
    | bollinger | upper middle lower | price | period 20, width 2 deviations (ddof 0) |
    | donchian | upper middle lower | price | period 20 |
    | keltner | upper middle lower | price | period 20, width 2 ATRs of atr_period 10 around the EMA |
    | atr | atr | price | period 14 |
    | adx | adx plus_di minus_di | 0 to 100 | period 14 |
    | stochastic | k d | 0 to 100 | period 14, k_period 3, d_period 3 |
    | williams_r | williams_r | -100 to 0 | period 14 |
    | cci | cci | mean deviations / 0.015 | period 20 |
    | obv | obv | shares from the first bar's on | none |
    | mfi | mfi | 0 to 100 | period 14 |
    | vwap | vwap | price, of (high + low + close) / 3 | period 20 |

    Causal: row t uses rows up to t only. An oscillator that divides by movement is NaN while there was none,
    where TA-Lib itself would answer 0 (deeply oversold) or a neutral value.

    Parameters
    ----------
    close, high, low, volume : (n_bars,) of one symbol, prices above 0, volumes at least 0, oldest first

    Raises
    ------
    ParameterError : an unknown indicator or parameter, or a period that is no whole number of bars
    SampleError : a NaN, an impossible price, a close outside its bar, a missing input, or no bar left after
        the warm-up
    ShapeError : inputs that differ in length

    Source: Wilder (1978), New Concepts in Technical Trading Systems; Appel (2005); Bollinger (2001);
    Kaufman (1995), Smarter Trading (KAMA); Lambert (1980), Commodities 10 (CCI); Keltner bands in
    the form of Raschke (EMA and ATR); all recursions by TA-Lib 0.8.
    """
    spec = INDICATORS.get(name)
    if spec is None:
        raise ParameterError(f"indicator: found {name!r}, expected one of {', '.join(indicator_names())}")
    chosen = _checked_parameters(name, spec, parameters)
    bars = _checked_bars(close, high=high, low=low, volume=volume, needed=spec.inputs, name=name)
    computed = spec.compute(bars, chosen)
    if any(np.isnan(line).all() for line in computed):
        raise SampleError(
            f"{name}: found {len(bars['close'])} bars, and no value with {chosen} (a history shorter than the "
            "warm-up, or a price that never moved)",
            remedy="Give a longer history or shorter periods.",
        )
    return dict(zip(spec.outputs, computed, strict=True))


def indicator_names() -> tuple[str, ...]:
    """Every name that `indicator_series` knows, in alphabetical order."""
    return tuple(sorted(INDICATORS))


def _checked_bars(
    close: npt.ArrayLike,
    *,
    high: npt.ArrayLike | None,
    low: npt.ArrayLike | None,
    volume: npt.ArrayLike | None,
    needed: tuple[str, ...],
    name: str,
) -> dict[str, FloatArray]:
    """The inputs that ``name`` needs, as finite vectors of one length, else a typed error."""
    closes = np.ascontiguousarray(checked_vector(close, name="close", min_rows=1))
    bars = {"close": closes}
    for field, values in (("high", high), ("low", low), ("volume", volume)):
        if field not in needed:
            continue
        if values is None:
            raise SampleError(f"{name}: found no {field}, expected {', '.join(needed)}", remedy=f"Give {field}=.")
        bars[field] = np.ascontiguousarray(checked_vector(values, name=field, length=len(closes)))
    _check_possible(bars)
    return bars


def _check_possible(bars: Mapping[str, FloatArray]) -> None:
    for field, values in bars.items():
        if field == "volume" and values.min() < 0.0:
            raise SampleError(f"volume: found {values.min()}, expected at least 0", remedy="Check the feed.")
        if field != "volume" and values.min() <= 0.0:
            raise SampleError(
                f"{field}: found {values.min()}, expected prices above 0",
                remedy="Check the feed; an adjusted price can never reach zero.",
            )
    above = "high" in bars and (bars["close"] > bars["high"]).any()
    if above or ("low" in bars and (bars["close"] < bars["low"]).any()):
        raise SampleError(
            "bars: found a close outside its bar's low and high",
            remedy="Adjust open, high, low and close by the same factor.",
        )


def _checked_parameters(name: str, spec: Indicator, given: Mapping[str, float]) -> dict[str, float]:
    unknown = sorted(set(given) - set(spec.defaults))
    if unknown:
        wanted = ", ".join(spec.defaults) or "none"
        raise ParameterError(f"{name}: found the parameter {unknown[0]!r}, expected one of: {wanted}")
    chosen: dict[str, float] = {}
    for key, value in (dict(spec.defaults) | dict(given)).items():
        if key == "width":
            if not 0.0 < value < np.inf:
                raise ParameterError(f"{name} {key}: found {value}, expected a finite number above 0")
            chosen[key] = float(value)
        elif value != int(value) or not spec.least <= value <= 100_000:
            raise ParameterError(f"{name} {key}: found {value}, expected whole bars from {spec.least} to 100000")
        else:
            chosen[key] = int(value)
    if chosen.get("fast", 0) >= chosen.get("slow", 1):
        raise ParameterError(f"{name} fast: found {chosen['fast']}, expected fewer than the {chosen['slow']} of slow")
    return chosen
