"""How much each agent counts at a moment: the document's weights, or what the votes already judged have taught."""

from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from ..agents.calibration import fitted_curves
from ..agents.consensus import VOTING_WEIGHTS
from ..agents.regimes import switched_weights
from ..agents.track_record import Judge, JudgedDecision, Prices, outcomes_by_agent
from ..agents.weights import adapted_weights
from ..domain.views import Agent, CalibrationStep, Regime
from ..market.history import History, MarketView
from ..memory.agent_scores import VoteRecord
from ..memory.log import EventLog


@dataclass(frozen=True, slots=True)
class ConsensusRules:
    """What may change how agents are heard. Nothing does by default."""

    weights: Literal["frozen", "adapted"] = "frozen"
    confidence: Literal["as_said", "calibrated"] = "as_said"
    regime: Literal["same", "switched"] = "same"


AS_CONFIGURED = ConsensusRules()


@dataclass(frozen=True, slots=True)
class Standing:
    """What one decision's votes are weighed by."""

    weights: dict[Agent, float]
    curves: dict[Agent, tuple[CalibrationStep, ...]] = field(default_factory=dict[Agent, tuple[CalibrationStep, ...]])
    judged_decisions: int = 0


class Standings:
    """A function of the log before a decision and of the prices known at it, whoever asks and in whatever order."""

    def __init__(self, rules: ConsensusRules, log: EventLog, history: History) -> None:
        self._rules = rules
        self._record = VoteRecord(log)
        self._judge = Judge(lambda moment: len(history.as_of(moment).close) - 1)

    def at(self, view: MarketView, regime: Regime) -> Standing:
        """The weights, and the curves of confidence that were fitted last January, for a decision on this view."""
        rules, weights = self._rules, dict(VOTING_WEIGHTS)
        curves: dict[Agent, tuple[CalibrationStep, ...]] = {}
        judged: tuple[JudgedDecision, ...] = ()
        if rules.weights == "adapted" or rules.confidence == "calibrated":
            prices = Prices(view.symbols, view.close, view.close_times)
            judged = self._judge.judged(self._record.votes(), prices)
        if rules.weights == "adapted":
            weights = adapted_weights([decision.losses for decision in judged if decision.votes])
        if rules.confidence == "calibrated":
            curves = fitted_curves(outcomes_by_agent(known_by_january(judged, view), only_for=True))
        if rules.regime == "switched":
            weights = switched_weights(weights, regime)
        return Standing(weights, curves, len(judged))


def known_by_january(judged: tuple[JudgedDecision, ...], view: MarketView) -> tuple[JudgedDecision, ...]:
    """Those whose outcome was known before the year of the view's last session: curves are refitted each January."""
    january = np.datetime64(view.session, "Y")
    return tuple(decision for decision in judged if decision.known_at < january)
