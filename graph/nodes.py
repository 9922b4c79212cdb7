"""The nodes from analyst to gate: each reads the state, calls its tools and its agent, and writes its part."""

from collections.abc import Sequence
from decimal import ROUND_UP, Decimal

from ..agents.advice import advised
from ..agents.analyst import NODE as ANALYST
from ..agents.analyst import Reasoning, Signals, form_signals, signal_votes
from ..agents.budget import Budget
from ..agents.calibration import recalibrated
from ..agents.consensus import reach_consensus
from ..agents.debate import argue
from ..agents.opinions import DraftFigures, LegFigures, gather_opinions
from ..domain.canonical import short_id
from ..domain.decisions import Evidence, Intent, IntentKind
from ..domain.orders import ParentOrder, Plan, Side
from ..domain.views import (
    AbstainReason,
    Abstention,
    Agent,
    Assessment,
    Debate,
    Regime,
    RiskMetrics,
    SourceView,
)
from ..gate.gate import review_plan
from ..gate.scale import scale_to_limits
from ..tools.conditions import trading_frictions
from ..tools.errors import NotEnoughData
from ..tools.execution import advise, offers, recorded_participation
from ..tools.ledger import Ledger
from ..tools.market import HORIZON_DAYS, scores, technical_indicators
from ..tools.market import regime as read_regime
from ..tools.portfolio import draft_plan, on_sound_books, target_weights
from ..tools.risk import WayOut, measure, position_caps, suggest_hedge, way_out, worst_scenarios
from ..tools.scene import Scene
from .ports import Ports
from .recollection import Remembered, remembered
from .state import DeskState

VAR_ALERT_USAGE = 0.8
DRAWDOWN_ALERT_FRAC = 0.05
EXIT_ALERT_DAYS = 5.0
"""A trading week: a book that takes longer to sell can not be cut in step with a crisis."""
EXHAUSTED_USAGE = 100.0


class AgentNodes:
    """The four agents in their order, the consensus, and the gate."""

    def __init__(self, ports: Ports) -> None:
        self._ports = ports

    async def analyst(self, state: DeskState) -> DeskState:
        """Merges the views into one signal per instrument."""
        snapshot = state["snapshot"]
        ledger = Ledger(snapshot.as_of, snapshot.data_fingerprint)
        scene = self._ports.scene(snapshot)
        regime_id, regime = read_regime(ledger, scene, self._ports.estimators)
        indicators_id, indicators = technical_indicators(ledger, scene)
        evidence: tuple[str, ...] = (regime_id, indicators_id)
        try:
            scores_id, scored = scores(ledger, scene, self._ports.estimators)
            evidence, rows, horizon_days = (*evidence, scores_id), scored.rows, HORIZON_DAYS
        except NotEnoughData:
            rows, horizon_days = {}, 1
        reasoning = Reasoning(snapshot.as_of, regime, horizon_days, rows, indicators, evidence)
        views = sorted(state.get("views", []), key=lambda view: (view.source.value, view.name))
        memory = remembered(self._ports, ledger, reasoning, views)
        formed, debate = await self._formed(state, reasoning, views, ledger, memory)
        silent = [view.abstention for view in views if view.abstention is not None]
        return {
            "regime": regime,
            "signals": formed.signals,
            "debate": debate,
            "memory": memory.after(debate),
            "abstentions": [*silent, *formed.abstentions],
            "calls": list(formed.calls),
            "evidence": _fresh(ledger, state),
        }

    async def _formed(
        self, state: DeskState, reasoning: Reasoning, views: Sequence[SourceView], ledger: Ledger, memory: Remembered
    ) -> tuple[Signals, Debate | None]:
        """The analyst's signals, or those of a debate in their place; none where the analyst is switched off."""
        if Agent.ANALYST in self._ports.silent:
            off = Abstention(who=ANALYST, reason=AbstainReason.SWITCHED_OFF)
            return Signals((), (off,), ()), None
        asking, budget = self._ports.asking, _budget(state)
        # A debate takes one call more than the analyst alone, the one that a repair has: a decision has either.
        if self._ports.has_debate and budget.repairs > 0:
            known = [*state.get("evidence", []), *ledger.entries]
            may_go_back = not state.get("calls")
            argued = await argue(asking, budget, reasoning, views, known, may_go_back=may_go_back)
            if argued is not None:
                return argued.signals, argued.debate
        return await form_signals(asking, budget, reasoning, views, self._ports.views, memory.similar), None

    async def risk(self, state: DeskState) -> DeskState:
        """Measures the book held and sets caps; it may only tighten what the limits allow."""
        snapshot = state["snapshot"]
        ledger = Ledger(snapshot.as_of, snapshot.data_fingerprint)
        scene, regime = self._ports.scene(snapshot), state["regime"]
        held = scene.held_weights()
        metrics_id, metrics = measure(ledger, scene, held, "held")
        caps_id, caps = position_caps(ledger, self._ports.limited_scene(snapshot, regime))
        hedge = suggest_hedge(ledger, scene, metrics)
        scenario, leaving = worst_scenarios(ledger, scene, metrics), way_out(ledger, scene, held)
        frictions = trading_frictions(ledger, scene)
        found = [item[0] for item in (hedge, scenario, frictions) if item is not None]
        drying = {symbol for symbol in (frictions[1] if frictions else ()) if held.get(symbol)}
        assessment = Assessment(
            metrics=metrics,
            regime=regime,
            max_weights=caps,
            max_gross=min(self._ports.limits_at(snapshot, regime).max_gross, self._ports.policy.max_gross),
            alerts=_alerts(scene, metrics, scenario[1] if scenario else 0.0, leaving, drying),
            hedge=hedge[1] if hedge else None,
            evidence=(metrics_id, caps_id, *found, *leaving.evidence),
            explanation=f"caps stand inside the limits of the regime {regime.value}",
        )
        return {"assessment": assessment, "evidence": _fresh(ledger, state)}

    async def optimizer(self, state: DeskState) -> DeskState:
        """Target weights and a draft plan of them; after a veto, the vetoed plan scaled to the limits instead."""
        snapshot = state["snapshot"]
        if state.get("verdicts"):
            scaled = scale_to_limits(
                state["plan"],
                self._ports.gate_state(snapshot, state["decision_id"]),
                self._ports.limits_at(snapshot, state["regime"]),
                snapshot.as_of,
            )
            return {"drafts": [scaled]}
        scene = self._ports.limited_scene(snapshot, state["regime"])
        ledger = Ledger(snapshot.as_of, snapshot.data_fingerprint)
        assessment = state["assessment"]
        try:
            outlook = scores(ledger, scene, self._ports.estimators)[1].outlook
        except NotEnoughData:
            outlook = None
        _, targets = target_weights(ledger, scene, assessment.max_weights, assessment.max_gross, outlook)
        draft, silent = on_sound_books(scene, draft_plan(scene, targets, state["decision_id"]))
        return {"targets": targets, "drafts": [draft], "abstentions": silent, "evidence": _fresh(ledger, state)}

    async def execution(self, state: DeskState) -> DeskState:
        """Advice and predicted cost for every leg of the latest draft."""
        snapshot, draft = state["snapshot"], state["drafts"][-1]
        ledger = Ledger(snapshot.as_of, snapshot.data_fingerprint)
        _, plan = advise(ledger, self._ports.scene(snapshot), draft, self._ports.history.card.frequency)
        return {"plan": plan, "evidence": list(ledger.entries)}

    async def consensus(self, state: DeskState) -> DeskState:
        """All four agents vote on each leg; disagreement shrinks it, and agreement never makes it larger."""
        plan, snapshot = state["plan"], state["snapshot"]
        ledger = Ledger(snapshot.as_of, snapshot.data_fingerprint)
        scene = self._ports.scene(snapshot)
        draft = self._figures(ledger, scene, state)
        opinions = await gather_opinions(self._ports.asking, _budget(state), draft, self._ports.silent)
        votes = (*signal_votes(state.get("signals", ()), plan.legs), *opinions.votes)
        reducing = frozenset(item.leg.symbol for item in draft.legs if not item.adds_risk)
        standing = self._ports.standings.at(scene.view, state.get("regime", Regime.UNKNOWN))
        heard = recalibrated(votes, standing.curves)
        consensus = reach_consensus([leg.symbol for leg in plan.legs], heard, reducing, standing.weights).model_copy(
            update={"judged_decisions": standing.judged_decisions, "calibration": standing.curves}
        )
        consensus = advised(consensus, draft.legs, votes)
        sizes = {leg.symbol: leg.size_multiplier for leg in consensus.legs}
        worked = [leg.model_copy(update={"advice": opinions.chosen.get(leg.symbol, leg.advice)}) for leg in plan.legs]
        legs = tuple(sized for leg in worked if (sized := _sized(scene, leg, sizes[leg.symbol])) is not None)
        return {
            "votes": votes,
            "consensus": consensus,
            "plan": plan.model_copy(update={"legs": legs}),
            "abstentions": list(opinions.abstentions),
            "calls": list(opinions.calls),
            "evidence": list(ledger.entries),
        }

    async def gate(self, state: DeskState) -> DeskState:
        """The hard-coded veto: pure checks on the plan, all reasons collected."""
        snapshot, decision_id, intent = state["snapshot"], state["decision_id"], state.get("intent")
        scene = self._ports.scene(snapshot)
        plan = state["plan"] if intent is None else intent_plan(scene, intent, decision_id)
        if not plan.legs:
            return {"plan": plan}
        limits = self._ports.limits_at(snapshot, state.get("regime", Regime.UNKNOWN))
        verdict, _ = review_plan(plan, self._ports.gate_state(snapshot, decision_id), limits, snapshot.as_of)
        return {"plan": plan, "verdicts": [verdict]}

    def _figures(self, ledger: Ledger, scene: Scene, state: DeskState) -> DraftFigures:
        """The draft as the three voting agents see it, with the planned book's risk measured for it."""
        targets, assessment, plan = state["targets"], state["assessment"], state["plan"]
        planned = dict(targets.held)
        planned.update({leg.symbol: targets.weights[leg.symbol] for leg in plan.legs})
        _, after = measure(ledger, scene, planned, "planned")
        path = {step.name: step.value for step in targets.path}
        frequency = self._ports.history.card.frequency
        return DraftFigures(
            as_of=state["snapshot"].as_of,
            regime=state.get("regime", Regime.UNKNOWN),
            var_usage=_usage(after.var_99_historical, self._ports.limits_of(state["snapshot"]).max_var_99_frac),
            drawdown_usage=_usage(path["drawdown"], self._ports.policy.dd_limit),
            drift_over_band=path["drift"] / path["band"] if path["band"] > 0 else 0.0,
            cost_budget_bps=self._ports.costs.budget_bps,
            legs=tuple(
                LegFigures(
                    leg=leg,
                    adds_risk=leg.side is Side.BUY,
                    weight_held=targets.held.get(leg.symbol, 0.0),
                    weight_after=targets.weights[leg.symbol],
                    max_weight=assessment.max_weights[leg.symbol],
                    cost_bps=leg.advice.expected_cost_bps,
                    participation=recorded_participation(scene, leg),
                    offered=offers(scene, leg, frequency).ways,
                )
                for leg in plan.legs
            ),
        )


def intent_plan(scene: Scene, intent: Intent, decision_id: str) -> Plan:
    """Orders that bring the named positions to the share the intent keeps: sells of what is held, and buys of what is
    short; no model is asked."""
    legs = [
        ParentOrder(
            order_id=short_id("par", decision_id, symbol),
            decision_id=decision_id,
            symbol=symbol,
            side=Side.SELL if scene.portfolio.quantity(symbol) > 0 else Side.BUY,
            quantity=quantity,
            reference_price=scene.prices[symbol],
            reason=f"{intent.kind.value} asked for by {intent.by}",
            protects=intent.kind is IntentKind.PROTECT,
        )
        for symbol in dict.fromkeys(intent.symbols)
        if symbol in scene.prices and (quantity := _quantity_to_close(scene, intent, symbol)) > 0
    ]
    return Plan(
        plan_id=short_id("plan", decision_id), decision_id=decision_id, as_of=scene.view.as_of, legs=tuple(legs)
    )


def _quantity_to_close(scene: Scene, intent: Intent, symbol: str) -> int:
    """Whole lots, rounded up, or all of the position, long or short, and never past it: in doubt, more risk comes
    off."""
    held, lot = abs(scene.portfolio.quantity(symbol)), scene.instrument(symbol).lot
    keep = intent.keep_fracs.get(symbol, intent.keep_frac)
    keep_frac = Decimal(repr(keep)) if intent.kind is IntentKind.REDUCE else Decimal(0)
    lots = (held * (1 - keep_frac) / lot).to_integral_value(rounding=ROUND_UP)
    return min(int(lots) * lot, held)


def _sized(scene: Scene, leg: ParentOrder, multiplier: float) -> ParentOrder | None:
    """The leg at its share of the size, in whole lots; a leg that keeps all of it stays as it is, odd lots too."""
    if multiplier >= 1.0:
        return leg
    lot = scene.instrument(leg.symbol).lot
    lots = int(Decimal(leg.quantity) * Decimal(repr(multiplier)) / lot)
    return leg.model_copy(update={"quantity": lots * lot}) if lots > 0 else None


def _budget(state: DeskState) -> Budget:
    return Budget.left(len(state["snapshot"].symbols), state.get("calls", []))


def _fresh(ledger: Ledger, state: DeskState) -> list[Evidence]:
    """The entries that no earlier node has made: asking a tool again is no new evidence."""
    known = {entry.id for entry in state.get("evidence", [])}
    return [entry for entry in ledger.entries if entry.id not in known]


def _usage(value: float, limit: float) -> float:
    """The share of a limit that is used; a limit of zero is used up by anything above it."""
    if limit > 0:
        return value / limit
    return EXHAUSTED_USAGE if value > 0 else 0.0


def _alerts(
    scene: Scene, metrics: RiskMetrics, scenario_return: float, leaving: WayOut, drying: set[str]
) -> tuple[str, ...]:
    """Names of what a person should look at; the figures behind them are in the evidence."""
    drawdown = 1.0 - float(scene.equity / max(scene.peak_equity, scene.equity))
    checks = {
        "var_near_limit": metrics.var_99_historical > VAR_ALERT_USAGE * scene.limits.max_var_99_frac,
        "drawdown_past_alert": drawdown > DRAWDOWN_ALERT_FRAC,
        "sudden_scenario_past_drawdown_limit": -scenario_return > scene.policy.dd_limit,
        "exit_takes_over_a_week": leaving.days > EXIT_ALERT_DAYS,
        "held_name_without_volume": bool(leaving.unknown),
        "held_name_drying_up": bool(drying),
    }
    return tuple(name for name, is_raised in checks.items() if is_raised)
