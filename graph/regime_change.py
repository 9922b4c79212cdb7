"""The event that says the market's regime is another one now, why, and what that switches."""

from typing import cast

from pydantic import JsonValue

from ..agents.consensus import VOTING_WEIGHTS
from ..agents.regimes import REGIME_RULES, switched_weights
from ..domain.decisions import Evidence
from ..domain.events import RegimeChanged
from ..domain.views import Regime
from .ports import Ports
from .state import DeskState


def regime_change(ports: Ports, state: DeskState) -> RegimeChanged | None:
    """The change against the last one in the log; None where the regime is what it was, or nobody read it."""
    regime = state.get("regime")
    if regime is None:
        return None
    event = ports.log.last(RegimeChanged)
    before = cast(RegimeChanged, event.decoded()).to_regime if event else Regime.UNKNOWN
    if regime is before:
        return None
    reading = next((entry for entry in state.get("evidence", []) if entry.tool == "regime"), None)
    probability, limit_factor = _probability(reading, regime), ports.limits.dynamic.of(regime)
    rule = REGIME_RULES[regime]
    is_switched = ports.consensus.regime == "switched"
    return RegimeChanged(
        decision_id=state["decision_id"],
        from_regime=before,
        to_regime=regime,
        probability=probability,
        evidence=reading.id if reading else None,
        limit_factor=limit_factor,
        voting_weights=switched_weights(VOTING_WEIGHTS, regime) if is_switched else VOTING_WEIGHTS,
        framing=rule.framing,
        reason=_reason(regime, probability, limit_factor) + (f"; {rule.reason}" if is_switched else ""),
    )


def _probability(reading: Evidence | None, regime: Regime) -> float | None:
    """The filter's, of the state it calls by this name; None where it told of none."""
    output = reading.output if reading is not None else None
    stated: JsonValue = output.get("probability") if isinstance(output, dict) else None
    value = stated.get(regime.value) if isinstance(stated, dict) else None
    return float(value) if isinstance(value, int | float) else None


def _reason(regime: Regime, probability: float | None, limit_factor: float) -> str:
    seen = "too few years to tell" if probability is None else f"the causal filter's likeliest state is {regime.value}"
    return f"{seen}; by rule the limits are at most {limit_factor:.0%} of the file's"
