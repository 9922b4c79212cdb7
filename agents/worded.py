"""Figures in words: code compares and names, so that a model reads `UP (50-day average 112 above 200-day 104)`.

The first word of a phrase is the fact, and what a reply has to copy; the rest shows what it stands on.
"""

from collections.abc import Mapping

FLAT_FRAC = 0.01
"""Averages within a hundredth of each other are no trend."""

LEAST_RETURN = 0.0005
"""An expected return nearer to zero than this is none."""

LEAST_SCORE = 0.1
OVERBOUGHT, OVERSOLD = 70.0, 30.0
FAIR_COST_FRAC = 0.5
UNKNOWN = "UNKNOWN"

TELLS_FOR = frozenset({"UP", "GAIN", "GOOD"})
TELLS_AGAINST = frozenset({"DOWN", "LOSS", "BAD"})
"""The facts that speak for an instrument, and those that speak against it; the others do neither."""


def fact(phrase: str) -> str:
    """The word that a phrase begins with."""
    return phrase.partition(" ")[0]


def trend(indicators: Mapping[str, float]) -> str:
    """The average close of 50 days against that of 200."""
    short, long = indicators.get("sma_50"), indicators.get("sma_200")
    if short is None or long is None or not long > 0:
        return UNKNOWN
    if abs(short / long - 1.0) < FLAT_FRAC:
        return f"FLAT (50-day average {short:.4g} close to 200-day {long:.4g})"
    word, place = ("UP", "above") if short > long else ("DOWN", "below")
    return f"{word} (50-day average {short:.4g} {place} 200-day {long:.4g})"


def outlook(expected_return: float) -> str:
    """What the calibrated scores expect over the horizon, net of the market's part."""
    if abs(expected_return) < LEAST_RETURN:
        return "NONE"
    return f"{'GAIN' if expected_return > 0 else 'LOSS'} ({100 * expected_return:+.3g} %)"


def oscillator(indicators: Mapping[str, float]) -> str:
    """Relative strength: what ran far tends to pause."""
    rsi = indicators.get("rsi_14")
    if rsi is None:
        return UNKNOWN
    word = "HIGH" if rsi > OVERBOUGHT else "LOW" if rsi < OVERSOLD else "MIDDLE"
    return f"{word} (relative strength {rsi:.3g})"


def score(value: float | None) -> str | None:
    """A source's score from -1 to 1; None when the source has nothing to say."""
    if value is None:
        return None
    word = "MIXED" if abs(value) < LEAST_SCORE else "GOOD" if value > 0 else "BAD"
    return f"{word} ({value:.3g})"


def scored(phrase: object) -> float:
    """The figure of such a phrase; nothing said is nought."""
    return float(phrase.partition("(")[2].rstrip(")")) if isinstance(phrase, str) and "(" in phrase else 0.0


def room(weight_after: float, max_weight: float) -> str:
    """What a leg leaves of the cap on its instrument."""
    if max_weight <= 0:
        return "OVER" if weight_after > 0 else "FULL"
    share = weight_after / max_weight
    word = "OVER" if share > 1.0 else "FULL" if share > 0.9 else "FREE"
    return f"{word} ({100 * share:.3g} % of its cap)"


def cost(cost_bps: float, budget_bps: float) -> str:
    """What a leg costs, beside what the desk is willing to pay."""
    word = "DEAR" if cost_bps > budget_bps else "FAIR" if cost_bps > FAIR_COST_FRAC * budget_bps else "CHEAP"
    return f"{word} ({cost_bps:.3g} of {budget_bps:.3g} basis points)"


def use(share: float) -> str:
    """How much of a limit is used."""
    word = "OVER" if share > 1.0 else "HIGH" if share > 0.8 else "MODEST"
    return f"{word} ({100 * share:.3g} % of its limit)"


def drift(over_band: float) -> str:
    """How far the book is from its target."""
    word = "FAR" if over_band > 1.0 else "NEAR"
    return f"{word} ({over_band:.3g} times the no-trade band)"
