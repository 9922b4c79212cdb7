"""The ends of the graph: observe refuses what cannot be decided, commit writes the decision once."""

from ..domain.decisions import Decision, DecisionKind
from ..domain.events import (
    Actor,
    DecisionMade,
    EvidenceRecorded,
    ModelReplied,
    NewEvent,
    Payload,
    PlanApproved,
    RegimeChanged,
    UntrustedTextFlagged,
)
from ..domain.orders import Plan
from ..domain.reflections import Recollection
from ..domain.views import Regime
from ..tools.errors import NotEnoughData
from .flagging import flagged
from .ports import Ports
from .regime_change import regime_change
from .state import DeskState


class EndNodes:
    """The first and the last node of every pass."""

    def __init__(self, ports: Ports) -> None:
        self._ports = ports

    async def observe(self, state: DeskState) -> DeskState:
        """Checks that the frozen snapshot can be decided on; a business no is a refusal, not an error.

        An intent only takes risk off: it needs no history, and nobody may be kept from selling for want of one.
        """
        snapshot = state["snapshot"]
        if state.get("intent") is not None:
            return {}
        if snapshot.equity <= 0:
            return {"refusal": f"equity is {snapshot.equity}, there is nothing to size a book by"}
        try:
            _ = self._ports.scene(snapshot).tradable
        except NotEnoughData as error:
            return {"refusal": error.message}
        return {}

    async def commit(self, state: DeskState) -> DeskState:
        """Appends evidence, model replies, the decision and its approval as one batch."""
        decision = decision_of(self._ports.run_id, state)
        record_decision(self._ports, decision, state)
        return {"decision": decision}


def record_decision(ports: Ports, decision: Decision, state: DeskState) -> None:
    """Append the decision's events unless the log has them: a crash can come between this and the checkpoint."""
    if ports.log.version(_stream(decision)) == 0:
        ports.log.append(decision_events(decision, state, regime_change(ports, state), flagged(ports, state)))


def decision_of(run_id: str, state: DeskState) -> Decision:
    """The decision that a finished pass amounts to."""
    kind, summary, plan = _outcome(state)
    calls = state.get("calls", [])
    return Decision(
        decision_id=state["decision_id"],
        run_id=run_id,
        as_of=state["snapshot"].as_of,
        kind=kind,
        summary=summary,
        snapshot=state["snapshot"],
        regime=state.get("regime", Regime.UNKNOWN),
        views=tuple(sorted(state.get("views", []), key=lambda view: (view.source.value, view.name))),
        signals=state.get("signals", ()),
        assessment=state.get("assessment"),
        targets=state.get("targets"),
        drafts=tuple(state.get("drafts", [])),
        votes=state.get("votes", ()),
        consensus=state.get("consensus"),
        verdicts=tuple(state.get("verdicts", [])),
        plan=plan,
        abstentions=tuple(state.get("abstentions", [])),
        intent=state.get("intent"),
        debate=state.get("debate"),
        memory=_remembered(state, plan),
        llm_calls=len(calls),
        prompt_tokens=sum(call.prompt_tokens for call in calls),
    )


def _remembered(state: DeskState, plan: Plan | None) -> Recollection | None:
    """What it saw, and the setups of what it trades: a lesson is only ever made of a leg."""
    memory = state.get("memory")
    if memory is None:
        return None
    legs = {leg.symbol for leg in plan.legs} if plan is not None else set[str]()
    return memory.model_copy(update={"setups": {key: value for key, value in memory.setups.items() if key in legs}})


def decision_events(
    decision: Decision, state: DeskState, change: RegimeChanged | None, flags: UntrustedTextFlagged | None
) -> list[NewEvent]:
    """What the log gets, causes before effects; ledger entries are sorted so that timing leaves no trace."""
    evidence = {entry.id: entry for entry in state.get("evidence", [])}
    calls = sorted(state.get("calls", []), key=lambda call: call.node)
    entries = tuple(evidence[key] for key in sorted(evidence))
    events = [_event(decision, "graph", EvidenceRecorded(decision_id=decision.decision_id, entries=entries))]
    if calls:
        events.append(_event(decision, "graph", ModelReplied(decision_id=decision.decision_id, calls=tuple(calls))))
    if flags is not None:
        events.append(_event(decision, "graph", flags))
    if change is not None:
        events.append(_event(decision, "graph", change))
    events.append(_event(decision, "graph", DecisionMade(decision=decision)))
    if decision.plan is not None and decision.verdict is not None:
        events.append(_event(decision, "gate", PlanApproved(plan=decision.plan, verdict=decision.verdict)))
    return events


def _stream(decision: Decision) -> str:
    return f"decision/{decision.decision_id}"


def _event(decision: Decision, name: str, payload: Payload) -> NewEvent:
    # Every part was validated where it was made; doing it once more here would only cost time.
    return NewEvent.model_construct(
        stream=_stream(decision),
        event_time=decision.as_of,
        actor=Actor(kind="gate" if name == "gate" else "node", name=name),
        payload=payload,
        run_id=decision.run_id,
        decision_id=decision.decision_id,
        order_id=None,
        cause_id=None,
    )


def _outcome(state: DeskState) -> tuple[DecisionKind, str, Plan | None]:
    refusal, verdicts, plan = state.get("refusal"), state.get("verdicts", []), state.get("plan")
    if refusal:
        return "refused", f"Refused to decide: {refusal}.", None
    if not verdicts or plan is None:
        return "no_trade", _quiet(state), None
    if not verdicts[-1].approved:
        failed = sorted({check.check for check in verdicts[-1].reasons})
        return "vetoed", f"The gate vetoed the plan: {', '.join(failed)}.", None
    sides = [leg.side.value for leg in plan.legs]
    how = " after it was scaled to the limits" if len(verdicts) > 1 else ""
    return "trade", f"Approved {sides.count('BUY')} buys and {sides.count('SELL')} sells{how}.", plan


def _quiet(state: DeskState) -> str:
    targets = state.get("targets")
    if targets is None:
        return "Nothing to do."
    if not targets.rebalance:
        return "Kept the book: its drift from the target is inside the band."
    return "Kept the book: no leg was large enough, or found enough support, to trade."
