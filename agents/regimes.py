"""What a market regime changes besides the limits: how much each agent counts, and how a question is framed.

The limits tighten by the factors of the limits file (`gate/dynamic.py`), always. The framing is a line of fact in the
questions of the analyst and the risk manager, always. The voting weights switch where the settings say so.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from ..domain.views import Agent, Regime
from .weights import within_bounds


@dataclass(frozen=True, slots=True)
class RegimeRule:
    """One row: factors on voting weights before they are brought back to a sum of 1, and the line of fact."""

    factors: Mapping[Agent, float]
    framing: str
    reason: str


REGIME_RULES: Mapping[Regime, RegimeRule] = {
    Regime.CALM: RegimeRule({}, "calm market: judge each leg on its own figures", "nothing is out of the ordinary"),
    Regime.STRESSED: RegimeRule(
        {Agent.RISK: 1.25},
        "stressed market: figures of calm months understate what can be lost",
        "losses come in clusters: who measures them is heard first",
    ),
    Regime.CRISIS: RegimeRule(
        {Agent.RISK: 1.5, Agent.EXECUTION: 1.5, Agent.ANALYST: 0.5},
        "crisis: names fall together and liquidity is scarce; taking risk off comes before any view",
        "single-name views are worth least, and trading costs most, when everything moves as one",
    ),
    Regime.UNKNOWN: RegimeRule({}, "the regime is not known: there are too few years to tell", "no reading, no switch"),
}


def switched_weights(weights: Mapping[Agent, float], regime: Regime) -> dict[Agent, float]:
    """These weights under a regime's factors, of sum 1 and within floor and cap; unchanged where no factor applies."""
    factors = REGIME_RULES[regime].factors
    if not factors:
        return dict(weights)
    raw = {agent: weight * factors.get(agent, 1.0) for agent, weight in weights.items()}
    return {agent: round(weight, 6) for agent, weight in within_bounds(raw).items()}
