"""Decides a recorded decision again with one thing other: no language model, or an agent or a bound that was not."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from pydantic import JsonValue

from ..agents.ask import Asking
from ..agents.llm.port import ChatReply, ChatRequest
from ..agents.llm.recorded import ReplayModel
from ..agents.llm.rules import RulesModel
from ..desk.desk import Desk, RunPlan, build_desk
from ..desk.settings import settings_of_run
from ..domain.decisions import Decision, ModelCall, Verdict
from ..domain.events import DecisionMade, ModelReplied
from ..domain.orders import Plan
from ..domain.views import Agent
from ..gate.gate import review_plan
from ..gate.limits import parse_limits
from ..gate.state import GateState
from ..graph.ports import Ports
from ..graph.state import DeskState
from ..graph.walk import walk
from ..graph.wiring import wiring_of
from ..market.cards import DataSet
from ..memory.history import run_started
from ..memory.log import EventLog
from .flips import Reviewer, flips_of_votes, growth_flips, veto_flips

VERSION = 1
"""Raised when the same log would give another answer."""
RULES = "rules"
BAND_STEPS = 12


@dataclass(frozen=True, slots=True)
class Again:
    """A decision made again: what it came to, the plan that the gate saw, and who answered."""

    decision: Decision
    plan: Plan | None
    """As it stood at the end: of a vetoed decision what was vetoed last."""
    by_rules: int
    """Questions that nobody had answered in the recording, answered by the rules."""


class Counterfactuals:
    """Re-decides from one log, which is only read: its decision's own snapshot, recorded replies, its own lessons.

    Nothing later than the decision can be seen: the graph looks at the market, at earlier votes and at lessons
    as of the snapshot's moment only.
    """

    def __init__(self, log: EventLog, data: DataSet) -> None:
        self._log = log
        self._desk = _desk(log, data)
        self._known: dict[str, dict[str, JsonValue]] = {}

    def of(self, decision_id: str) -> dict[str, JsonValue] | None:
        """What else the decision could have been, as a document; None where no agent took part.

        Kept by decision, since the pages of its orders ask for the same.
        """
        if decision_id not in self._known:
            decision, calls = _recorded(self._log, decision_id)
            if decision is None or decision.kind == "refused" or decision.intent is not None:
                return None
            self._known[decision_id] = self._document(decision, calls)
        return self._known[decision_id]

    def _document(self, decision: Decision, calls: Sequence[ModelCall]) -> dict[str, JsonValue]:
        again = self._again(decision, calls)
        arms: list[JsonValue] = []
        if again.decision == decision:
            for agent in Agent:
                if agent not in self._desk.ports.silent:
                    arms.append(_arm(agent.value, decision, self._again(decision, calls, silent=agent)))
            if decision.snapshot.model != RULES:
                arms.insert(0, _arm("language_model", decision, self._again(decision, None)))
        return {
            "tool": "evals.counterfactual",
            "version": VERSION,
            "decision": decision.decision_id,
            "is_reproduced": again.decision == decision,
            "uses_rules": decision.snapshot.model == RULES,
            "without": arms,
            "flips": self._flips(decision, calls, again) if again.decision == decision else [],
            "before": self._before(decision),
        }

    def _again(
        self,
        decision: Decision,
        calls: Sequence[ModelCall] | None,
        *,
        silent: Agent | None = None,
        band: float | None = None,
    ) -> Again:
        """The same pass from the recorded snapshot; without `calls` the rules answer everything."""
        ports, hit_rate = self._desk.ports, self._desk.settings.llm.text_hit_rate
        rules = _Counting(hit_rate)
        model = rules if calls is None else ReplayModel(calls, decision.snapshot.model, rules)
        asking: Asking = replace(ports.asking, model=model)
        policy = ports.policy if band is None else replace(ports.policy, band=band)
        spoken = ports.silent if silent is None else ports.silent | {silent}
        changed: Ports = replace(ports, asking=asking, policy=policy, silent=spoken, scenes={})
        begin: DeskState = {"decision_id": decision.decision_id, "snapshot": decision.snapshot, "intent": None}
        found = asyncio.run(walk(wiring_of(changed), begin))
        return Again(found["decision"], found.get("plan"), rules.asked)

    def _flips(self, decision: Decision, calls: Sequence[ModelCall], again: Again) -> list[JsonValue]:
        if decision.kind == "no_trade" and decision.targets is not None and not decision.targets.rebalance:
            return self._band_flip(decision, calls)
        lots = {item.symbol: item.lot for item in self._desk.ports.universe.instruments}
        plan, verdict = again.plan, decision.verdict
        if decision.kind == "vetoed" and plan is not None and verdict is not None:
            return veto_flips(plan, verdict, self._reviewer(decision), lots)
        votes = flips_of_votes(decision, lots)
        if decision.kind != "trade" or plan is None:
            return votes
        return [*votes, *growth_flips(plan, self._reviewer(decision), lots)]

    def _band_flip(self, decision: Decision, calls: Sequence[ModelCall]) -> list[JsonValue]:
        """The widest band, to one part in 4096 of the desk's own, at which this day would have traded."""
        desks = self._desk.ports.policy.band
        low, high = 0, 2**BAND_STEPS
        if self._again(decision, calls, band=0.0).decision.kind == "no_trade":
            return []
        while high - low > 1:
            middle = (low + high) // 2
            found = self._again(decision, calls, band=desks * middle / 2**BAND_STEPS).decision.kind
            low, high = (low, middle) if found == "no_trade" else (middle, high)
        return [{"what": "band", "from": desks, "to": desks * low / 2**BAND_STEPS, "becomes": "trade"}]

    def _reviewer(self, decision: Decision) -> Reviewer:
        state: GateState = self._desk.ports.gate_state(decision.snapshot, decision.decision_id)
        limits = self._desk.limits_of(decision)
        return lambda plan: review_plan(plan, state, limits, decision.snapshot.as_of)[0]

    def _before(self, decision: Decision) -> list[JsonValue]:
        """The gate's measures of the book as it was: the same checks on a plan without a leg."""
        if not decision.verdicts:
            return []
        nothing = Plan(plan_id="nothing", decision_id=decision.decision_id, as_of=decision.snapshot.as_of)
        return _measures(self._reviewer(decision)(nothing))


class _Counting(RulesModel):
    """The rules, and how often they were asked."""

    def __init__(self, text_hit_rate: float | None) -> None:
        super().__init__(text_hit_rate)
        self.asked = 0

    async def complete(self, request: ChatRequest) -> ChatReply:
        self.asked += 1
        return await super().complete(request)


def _arm(name: str, recorded: Decision, again: Again) -> JsonValue:
    """What a decision without somebody came to, beside the recorded one: signed quantities by symbol."""
    theirs, ours = _legs(again.decision), _legs(recorded)
    changed = sorted(symbol for symbol in {*theirs, *ours} if theirs.get(symbol) != ours.get(symbol))
    return {
        "without": name,
        "kind": again.decision.kind,
        "legs": {symbol: theirs[symbol] for symbol in sorted(theirs)},
        "changed_legs": len(changed),
        "is_same": again.decision.kind == recorded.kind and not changed,
        "answered_by_rules": again.by_rules,
    }


def _legs(decision: Decision) -> Mapping[str, int]:
    legs = decision.plan.legs if decision.plan is not None and decision.kind == "trade" else ()
    return {leg.symbol: leg.side.sign * leg.quantity for leg in legs}


def _measures(verdict: Verdict) -> list[JsonValue]:
    """Of each check that measures the whole book its figure; those by leg have none without legs."""
    return [
        {"check": row.check, "value": row.value}
        for row in verdict.checks
        if row.symbol is None and row.value is not None
    ]


def _recorded(log: EventLog, decision_id: str) -> tuple[Decision | None, list[ModelCall]]:
    decision, calls = None, list[ModelCall]()
    for event in log.read(types=(DecisionMade, ModelReplied), decision_id=decision_id):
        payload = event.decoded()
        if isinstance(payload, DecisionMade):
            decision = payload.decision
        elif isinstance(payload, ModelReplied):
            calls += payload.calls
    return decision, calls


def _desk(log: EventLog, data: DataSet) -> Desk:
    """The run's desk over its own log; a model is given to it with each question."""
    started = run_started(log)
    bounds = started.settings.get("limits")
    limits = parse_limits(bounds if isinstance(bounds, dict) else {}, f"run {started.run_id}")
    plan = RunPlan(started.data, (started.first_session, started.last_session), started.model, started.seed)
    model = ReplayModel((), started.model)
    return build_desk(settings_of_run(started.settings), limits, data, plan, log, model, None)
