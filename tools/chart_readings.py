"""What an indicator's figure is usually taken to say, by the rule its inventor or the textbooks give."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

Values = Mapping[str, float]
Group = Literal["trend", "reversal", "volatility", "volume"]
Rule = Callable[[Values, Values, float], tuple[int, str]]


@dataclass(frozen=True, slots=True)
class Reading:
    """One indicator in words; `lean` is 1 where the rule expects a rise, -1 a fall, 0 neither."""

    group: Group
    lean: int
    says: str


def read_indicator(name: str, now: Values, before: Values, close: float) -> Reading:
    """The reading of an indicator's outputs at the last bar; `before` are those a month of bars earlier.

    Source: Wilder (1978) for RSI and ADX, Lambert (1980) for CCI, Bollinger (2001), Murphy (1999), Technical
    Analysis of the Financial Markets, for the rest. These are customs, not evidence: the record of a side is.
    """
    shown = _SHOWN[name]
    lean, words = shown.rule(now, before, close)
    number = f"{100.0 * now[shown.main]:.1f}%" if shown.is_share else f"{now[shown.main]:,.{shown.digits}f}"
    return Reading(shown.group, lean, f"{shown.label} {number}: {words}")


def _against(line: str) -> Rule:
    def rule(now: Values, before: Values, close: float) -> tuple[int, str]:
        return (1, "the close is above it") if close > now[line] else (-1, "the close is not above it")

    return rule


def _stretched(line: str, low: float, high: float) -> Rule:
    def rule(now: Values, before: Values, close: float) -> tuple[int, str]:
        if now[line] >= high:
            return -1, "overbought"
        return (1, "oversold") if now[line] <= low else (0, "neither overbought nor oversold")

    return rule


def _outside(above: tuple[int, str], below: tuple[int, str], inside: str, *, touches: bool = False) -> Rule:
    """Where the close stands against an upper and a lower line; `touches` counts standing on one as outside."""

    def rule(now: Values, before: Values, close: float) -> tuple[int, str]:
        if close > now["upper"] or (touches and close == now["upper"]):
            return above
        return below if close < now["lower"] or (touches and close == now["lower"]) else (0, inside)

    return rule


def _roc(now: Values, before: Values, close: float) -> tuple[int, str]:
    return (1, "higher than a month before") if now["roc"] > 0.0 else (-1, "not higher than a month before")


def _macd(now: Values, before: Values, close: float) -> tuple[int, str]:
    side = 1 if now["histogram"] > 0.0 else -1
    has_turned = before.get("histogram", side) * side < 0.0
    line = "above" if side > 0 else "below"
    return side, f"the line is {line} its signal" + (", unlike a month before" if has_turned else "")


def _atr(now: Values, before: Values, close: float) -> tuple[int, str]:
    earlier = before.get("atr")
    if earlier is None:
        return 0, "no month to compare with"
    return 0, "days are wider than a month before" if now["atr"] > earlier else "days are no wider than a month before"


def _adx(now: Values, before: Values, close: float) -> tuple[int, str]:
    if now["adx"] < 25.0:
        return 0, "no trend to speak of"
    return (1, "trending up") if now["plus_di"] > now["minus_di"] else (-1, "trending down")


def _cci(now: Values, before: Values, close: float) -> tuple[int, str]:
    if now["cci"] > 100.0:
        return 1, "unusually far above its mean, a new upswing by Lambert's rule"
    return (-1, "unusually far below its mean") if now["cci"] < -100.0 else (0, "near its mean")


def _obv(now: Values, before: Values, close: float) -> tuple[int, str]:
    earlier = before.get("obv")
    if earlier is None:
        return 0, "no month to compare with"
    return (1, "volume came with gains") if now["obv"] > earlier else (-1, "volume did not come with gains")


@dataclass(frozen=True, slots=True)
class _Shown:
    label: str
    main: str
    digits: int
    group: Group
    rule: Rule
    is_share: bool = False


_BOLLINGER = _outside(
    (-1, "the close is above the upper band, stretched"),
    (1, "the close is below the lower band, stretched"),
    "the close is inside the bands",
)
_KELTNER = _outside((1, "broke out above the channel"), (-1, "broke out below the channel"), "inside the channel")
_DONCHIAN = _outside(
    (1, "at the highest of the channel"), (-1, "at the lowest of the channel"), "inside the channel", touches=True
)
_SHOWN: Mapping[str, _Shown] = {
    "sma": _Shown("Simple mean", "sma", 2, "trend", _against("sma")),
    "ema": _Shown("Exponential mean", "ema", 2, "trend", _against("ema")),
    "wma": _Shown("Weighted mean", "wma", 2, "trend", _against("wma")),
    "kama": _Shown("Adaptive mean", "kama", 2, "trend", _against("kama")),
    "roc": _Shown("Rate of change", "roc", 4, "trend", _roc, is_share=True),
    "macd": _Shown("MACD", "macd", 3, "trend", _macd),
    "adx": _Shown("ADX", "adx", 1, "trend", _adx),
    "cci": _Shown("CCI", "cci", 0, "trend", _cci),
    "donchian": _Shown("Donchian middle", "middle", 2, "trend", _DONCHIAN),
    "keltner": _Shown("Keltner middle", "middle", 2, "trend", _KELTNER),
    "rsi": _Shown("RSI", "rsi", 1, "reversal", _stretched("rsi", 30.0, 70.0)),
    "bollinger": _Shown("Bollinger middle", "middle", 2, "reversal", _BOLLINGER),
    "stochastic": _Shown("Stochastic", "k", 1, "reversal", _stretched("k", 20.0, 80.0)),
    "williams_r": _Shown("Williams", "williams_r", 1, "reversal", _stretched("williams_r", -80.0, -20.0)),
    "atr": _Shown("ATR", "atr", 2, "volatility", _atr),
    "obv": _Shown("On-balance volume", "obv", 0, "volume", _obv),
    "mfi": _Shown("Money flow index", "mfi", 1, "volume", _stretched("mfi", 20.0, 80.0)),
    "vwap": _Shown("Volume-weighted mean", "vwap", 2, "volume", _against("vwap")),
}
