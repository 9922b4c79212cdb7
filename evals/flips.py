"""The smallest changes that would have turned a recorded decision: of one vote, of a plan's size, of a limit."""

from collections.abc import Callable, Mapping
from decimal import Decimal

from pydantic import JsonValue

from ..agents.calibration import recalibrated
from ..agents.consensus import reach_consensus
from ..domain.decisions import Decision, Verdict
from ..domain.orders import ParentOrder, Plan, Side
from ..domain.views import Agent, Vote

Reviewer = Callable[[Plan], Verdict]
Lots = Mapping[str, int]

COIN_TOSS, CERTAIN = 50, 50
"""A confidence of 50 percent says nothing; from there to certainty are 50 points on either side."""
SHARE_STEPS = 10
"""Halvings of a plan's share: one part in 1024."""
RESTRICTION = "trading_state"
"""The check that fails while the desk is halted or may only take risk off: no limit, and somebody has to lift it."""
MOST_GROWTH = 64
GROWTH_STEPS = 12


def flips_of_votes(decision: Decision, lots: Lots) -> list[JsonValue]:
    """For each leg, the smallest change of one agent's vote that drops it, or that keeps what was dropped.

    Every whole percent of every agent is tried, the nearest first: confidence from certain against, over a coin toss,
    to certain for. A leg that takes risk off stands whatever is voted, and what an agent postponed is not looked at.
    """
    consensus = decision.consensus
    if consensus is None or not decision.drafts:
        return []
    found: list[JsonValue] = []
    for leg in decision.drafts[0].legs:
        settled = next((item for item in consensus.legs if item.symbol == leg.symbol), None)
        if settled is None or leg.side is Side.SELL or settled.rule == "advice":
            continue
        found.append(_nearest(decision, leg, lots.get(leg.symbol, 1)))
    return found


def _nearest(decision: Decision, leg: ParentOrder, lot: int) -> JsonValue:
    consensus = decision.consensus
    assert consensus is not None, "looked at by the caller"
    votes = [vote for vote in decision.votes if vote.symbol == leg.symbol]
    others = {agent: [vote for vote in votes if vote.agent is not agent] for agent in Agent}

    def is_kept(changed: Vote | None) -> bool:
        cast = votes if changed is None else [*others[changed.agent], changed]
        heard = recalibrated(cast, consensus.calibration)
        settled = reach_consensus([leg.symbol], heard, frozenset(), consensus.weights).legs[0]
        return int(Decimal(leg.quantity) * Decimal(repr(settled.size_multiplier)) / lot) > 0

    now, tried = is_kept(None), 0
    strengths = {vote.agent: _strength(vote) for vote in votes}
    nearest = sorted(
        (abs(strength - was), list(Agent).index(agent), strength, agent)
        for agent, was in strengths.items()
        for strength in range(-CERTAIN, CERTAIN + 1)
        if strength != was
    )
    for points, _, strength, agent in nearest:
        tried += 1
        if is_kept(_vote(agent, leg.symbol, strength)) is not now:
            return {
                **_said("vote", leg.symbol, now),
                "agent": agent.value,
                "from": _words(strengths[agent]),
                "to": _words(strength),
                "points": points,
                "tried": tried,
            }
    return {**_said("vote", leg.symbol, now), "agent": None, "tried": tried}


def _said(what: str, symbol: str, is_kept: bool) -> dict[str, JsonValue]:
    return {"what": what, "symbol": symbol, "becomes": "dropped" if is_kept else "kept"}


def _strength(vote: Vote) -> int:
    """From certain against to certain for; nothing for an abstention, and at a coin toss or less."""
    return (vote.value or 0) * max(0, vote.confidence - COIN_TOSS)


def _vote(agent: Agent, symbol: str, strength: int) -> Vote:
    value = 1 if strength > 0 else -1 if strength < 0 else 0
    return Vote(agent=agent, symbol=symbol, value=value, confidence=COIN_TOSS + abs(strength))


def _words(strength: int) -> dict[str, JsonValue]:
    side = "for" if strength > 0 else "against" if strength < 0 else "silent"
    return {"side": side, "confidence": COIN_TOSS + abs(strength)}


def growth_flips(plan: Plan, review: Reviewer, lots: Lots) -> list[JsonValue]:
    """How large the approved plan could have been as a whole before the gate says no, by bisection up to 64 times."""
    low, high = 1.0, float(MOST_GROWTH)
    if review(_times(plan, high, lots)).approved:
        return [{"what": "size", "from": 1.0, "to": None, "becomes": "approved", "at_most": high}]
    for _ in range(GROWTH_STEPS):
        middle = (low + high) / 2
        low, high = (middle, high) if review(_times(plan, middle, lots)).approved else (low, middle)
    stopped = review(_times(plan, high, lots)).reasons[0]
    return [{"what": "size", "from": 1.0, "to": high, "becomes": "vetoed", "check": stopped.check}]


def veto_flips(plan: Plan, verdict: Verdict, review: Reviewer, lots: Lots) -> list[JsonValue]:
    """What each failed check's limit would have had to be, and the largest share of the plan that would have passed."""
    limits: list[JsonValue] = [
        {
            "what": "restriction" if row.check == RESTRICTION else "limit",
            "check": row.check,
            "symbol": row.symbol,
            "from": row.limit,
            "to": row.value,
            "unit": row.unit,
            "becomes": "passed",
        }
        for row in verdict.reasons
        if row.value is not None and row.limit is not None
    ]
    low, high = 0, 2**SHARE_STEPS
    while high - low > 1:
        middle = (low + high) // 2
        scaled = _times(plan, middle / 2**SHARE_STEPS, lots)
        low, high = (middle, high) if scaled.legs and review(scaled).approved else (low, middle)
    share = low / 2**SHARE_STEPS
    return [*limits, {"what": "size", "from": 1.0, "to": share if low else None, "becomes": "approved"}]


def _times(plan: Plan, factor: float, lots: Lots) -> Plan:
    """Every leg at this multiple of its quantity, in whole lots; what comes to nothing is left out."""
    legs = [
        leg.model_copy(update={"quantity": size})
        for leg in plan.legs
        for lot in (lots.get(leg.symbol, 1),)
        if (size := int(Decimal(leg.quantity) * Decimal(repr(factor)) / lot) * lot) > 0
    ]
    return plan.model_copy(update={"legs": tuple(legs)})
