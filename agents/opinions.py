"""The opinions of the risk, optimizer and execution agents on a drafted plan, asked in parallel, as votes."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from ..domain.decisions import ModelCall
from ..domain.orders import Algorithm, ExecutionAdvice, ParentOrder
from ..domain.views import AbstainReason, Abstention, Advice, Agent, Regime, Vote
from ..prompts.loader import load_prompt
from . import worded
from .ask import Answer, Asking, Question, ask_all
from .budget import Budget
from .examples import question
from .regimes import REGIME_RULES
from .replies import (
    ExecutionReply,
    ExecutionVote,
    OpinionReply,
    OptimizerReply,
    OptimizerVote,
    RiskReply,
    RiskVote,
    VoteReply,
)

PROMPTS = {
    Agent.RISK: "risk/opinion",
    Agent.OPTIMIZER: "optimizer/opinion",
    Agent.EXECUTION: "execution/opinion",
}

OpinionType = OpinionReply | RiskReply | OptimizerReply | ExecutionReply
VoteType = VoteReply | RiskVote | OptimizerVote | ExecutionVote

REPLIES: Mapping[str, type[OpinionType]] = {
    reply_type.__name__: reply_type for reply_type in (RiskReply, OptimizerReply, ExecutionReply)
}
"""By the name a prompt gives its reply, where that is more than votes: who is not asked to choose is not heard."""


@dataclass(frozen=True, slots=True)
class LegFigures:
    """What the tools computed about one leg of the draft."""

    leg: ParentOrder
    adds_risk: bool
    weight_held: float
    weight_after: float
    max_weight: float
    cost_bps: float
    participation: float | None
    offered: tuple[ExecutionAdvice, ...] = ()
    """The ways to work it, with their expected costs: what the execution agent may choose among."""


@dataclass(frozen=True, slots=True)
class DraftFigures:
    """What the tools computed about the whole draft."""

    as_of: datetime
    regime: Regime
    var_usage: float
    drawdown_usage: float
    drift_over_band: float
    cost_budget_bps: float
    legs: tuple[LegFigures, ...]


@dataclass(frozen=True, slots=True)
class Opinions:
    votes: tuple[Vote, ...]
    abstentions: tuple[Abstention, ...]
    calls: tuple[ModelCall, ...]
    chosen: Mapping[str, ExecutionAdvice] = field(default_factory=dict[str, ExecutionAdvice])
    """By symbol, how the execution agent wants a leg worked, where it wants another way than the tools took."""


async def gather_opinions(
    asking: Asking, budget: Budget, draft: DraftFigures, silent: Collection[Agent] = ()
) -> Opinions:
    """All three agents' votes; one whose model failed, or who is switched off, abstains on every leg."""
    facts = {
        Agent.RISK: _risk_facts(draft),
        Agent.OPTIMIZER: _optimizer_facts(draft),
        Agent.EXECUTION: _execution_facts(draft),
    }
    asked = [agent for agent in facts if agent not in silent]
    questions: list[Question[OpinionType]] = [
        question(
            agent.value, PROMPTS[agent], facts[agent], REPLIES.get(load_prompt(PROMPTS[agent]).output, OpinionReply)
        )
        for agent in asked
    ]
    answers = await ask_all(asking, budget, questions)
    legs = [figures.leg for figures in draft.legs]
    given = dict(zip(asked, answers, strict=True))
    heard = [
        _opinion(agent, given[agent], legs, _copied(agent, draft)) if agent in given else _switched_off(agent, legs)
        for agent in facts
    ]
    return Opinions(
        votes=tuple(vote for opinion in heard for vote in opinion.votes),
        abstentions=tuple(item for opinion in heard for item in opinion.abstentions),
        calls=tuple(call for opinion in heard for call in opinion.calls),
        chosen={
            name: way
            for answer in answers
            if isinstance(answer.value, ExecutionReply)
            for name, way in choices(answer.value, draft).items()
        },
    )


def choices(reply: ExecutionReply, draft: DraftFigures) -> dict[str, ExecutionAdvice]:
    """What was chosen and is on offer; a leg with two answers has none, and what nobody offered is not heard."""
    said: dict[str, list[Algorithm | None]] = {}
    for vote in reply.votes:
        said.setdefault(vote.symbol, []).append(vote.algorithm)
    return {
        figures.leg.symbol: way
        for figures in draft.legs
        for way in figures.offered
        if said.get(figures.leg.symbol) == [way.algorithm] and way != figures.leg.advice
    }


def silence(agent: Agent, legs: Sequence[ParentOrder], reason: AbstainReason) -> tuple[Vote, ...]:
    """No vote on any leg, and why."""
    return tuple(Vote(agent=agent, symbol=leg.symbol, value=None, abstention=reason) for leg in legs)


def _switched_off(agent: Agent, legs: Sequence[ParentOrder]) -> Opinions:
    reason = AbstainReason.SWITCHED_OFF
    return Opinions(silence(agent, legs, reason), (Abstention(who=agent.value, reason=reason),), ())


def _opinion(
    agent: Agent, answer: Answer[OpinionType], legs: Sequence[ParentOrder], copied: Mapping[str, str]
) -> Opinions:
    if answer.value is None:
        reason = answer.abstention.reason if answer.abstention else AbstainReason.MODEL_FAILED
        return Opinions(silence(agent, legs, reason), (answer.abstention,) if answer.abstention else (), answer.calls)
    said: dict[str, list[VoteType]] = {}
    for vote in answer.value.votes:
        said.setdefault(vote.symbol, []).append(vote)
    votes = tuple(_vote(agent, leg.symbol, said.get(leg.symbol, []), copied.get(leg.symbol)) for leg in legs)
    return Opinions(votes, (), answer.calls)


def _vote(agent: Agent, symbol: str, said: Sequence[VoteType], shown: str | None) -> Vote:
    """The vote on one leg; left out, given twice, or with a fact copied wrong it is an abstention."""
    if len(said) != 1:
        return Vote(agent=agent, symbol=symbol, value=None, abstention=AbstainReason.UNPARSABLE)
    (vote,) = said
    copy = vote.room if isinstance(vote, RiskVote) else vote.cost if isinstance(vote, OptimizerVote) else None
    if copy is not None and copy != shown:
        return Vote(agent=agent, symbol=symbol, value=None, abstention=AbstainReason.COPIED_WRONG)
    advice = _advice(vote)
    if vote.vote == "ABSTAIN":
        return Vote(agent=agent, symbol=symbol, value=None, abstention=AbstainReason.NO_EDGE, advice=advice)
    value = 1 if vote.vote == "FOR" else -1
    return Vote(agent=agent, symbol=symbol, value=value, confidence=vote.confidence, advice=advice)


def _advice(vote: VoteType) -> Advice | None:
    """What is asked for beside the vote; nothing where the leg may stay as it is."""
    if not isinstance(vote, RiskVote | OptimizerVote) or vote.advice in ("KEEP", "TRADE"):
        return None
    return Advice(vote.advice)


def _copied(agent: Agent, draft: DraftFigures) -> Mapping[str, str]:
    """By symbol, the fact that an agent's reply has to copy."""
    if agent is Agent.RISK:
        return {item.leg.symbol: worded.fact(worded.room(item.weight_after, item.max_weight)) for item in draft.legs}
    if agent is Agent.OPTIMIZER:
        return {item.leg.symbol: worded.fact(worded.cost(item.cost_bps, draft.cost_budget_bps)) for item in draft.legs}
    return {}


def _risk_facts(draft: DraftFigures) -> dict[str, object]:
    return {
        "as_of": draft.as_of.isoformat(),
        "regime": REGIME_RULES[draft.regime].framing,
        "value_at_risk": worded.use(draft.var_usage),
        "drawdown": worded.use(draft.drawdown_usage),
        "var_usage": _brief(draft.var_usage),
        "drawdown_usage": _brief(draft.drawdown_usage),
        "legs": [
            {
                **_leg(figures),
                "room": worded.room(figures.weight_after, figures.max_weight),
                "adds_risk": figures.adds_risk,
                "weight_after": _brief(figures.weight_after),
                "max_weight": _brief(figures.max_weight),
            }
            for figures in draft.legs
        ],
    }


def _optimizer_facts(draft: DraftFigures) -> dict[str, object]:
    return {
        "as_of": draft.as_of.isoformat(),
        "drift": worded.drift(draft.drift_over_band),
        "drift_over_band": _brief(draft.drift_over_band),
        "legs": [
            {
                **_leg(figures),
                "held": _brief(figures.weight_held),
                "target": _brief(figures.weight_after),
                "cost": worded.cost(figures.cost_bps, draft.cost_budget_bps),
            }
            for figures in draft.legs
        ],
    }


def _execution_facts(draft: DraftFigures) -> dict[str, object]:
    return {
        "as_of": draft.as_of.isoformat(),
        "cost_budget_bps": _brief(draft.cost_budget_bps),
        "legs": [
            {
                **_leg(figures),
                "algorithm": figures.leg.advice.algorithm.value,
                "slices": figures.leg.advice.slices,
                "participation": None if figures.participation is None else _brief(figures.participation),
                "cost_bps": _brief(figures.cost_bps),
                **_offered(figures.offered),
            }
            for figures in draft.legs
        ],
    }


def _offered(ways: Sequence[ExecutionAdvice]) -> Mapping[str, object]:
    """The ways to choose among and their costs; nothing where there is no choice."""
    if len(ways) < 2:
        return {}
    return {"offered": {way.algorithm.value: _brief(way.expected_cost_bps) for way in ways}}


def _leg(figures: LegFigures) -> Mapping[str, object]:
    return {"symbol": figures.leg.symbol, "side": figures.leg.side.value}


def _brief(value: float) -> float:
    return float(f"{value:.3g}")
