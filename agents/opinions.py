"""The opinions of the risk, optimizer and execution agents on a drafted plan, asked in parallel, as votes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from ..domain.decisions import ModelCall
from ..domain.orders import ParentOrder
from ..domain.views import AbstainReason, Abstention, Agent, Regime, Vote
from .ask import Answer, Asking, Question, ask_all
from .budget import Budget
from .replies import OpinionReply

PROMPTS = {
    Agent.RISK: "risk/opinion",
    Agent.OPTIMIZER: "optimizer/opinion",
    Agent.EXECUTION: "execution/opinion",
}


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


async def gather_opinions(asking: Asking, budget: Budget, draft: DraftFigures) -> Opinions:
    """All three agents' votes; an agent whose model failed abstains on every leg."""
    facts = {
        Agent.RISK: _risk_facts(draft),
        Agent.OPTIMIZER: _optimizer_facts(draft),
        Agent.EXECUTION: _execution_facts(draft),
    }
    questions = [Question(agent.value, PROMPTS[agent], shown, OpinionReply) for agent, shown in facts.items()]
    answers = await ask_all(asking, budget, questions)
    legs = [figures.leg for figures in draft.legs]
    heard = [_opinion(agent, answer, legs) for agent, answer in zip(facts, answers, strict=True)]
    return Opinions(
        votes=tuple(vote for opinion in heard for vote in opinion.votes),
        abstentions=tuple(item for opinion in heard for item in opinion.abstentions),
        calls=tuple(call for opinion in heard for call in opinion.calls),
    )


def _opinion(agent: Agent, answer: Answer[OpinionReply], legs: Sequence[ParentOrder]) -> Opinions:
    if answer.value is None:
        reason = answer.abstention.reason if answer.abstention else AbstainReason.MODEL_FAILED
        votes = tuple(Vote(agent=agent, symbol=leg.symbol, value=None, abstention=reason) for leg in legs)
        return Opinions(votes, (answer.abstention,) if answer.abstention else (), answer.calls)
    return Opinions(_votes(agent, answer.value, legs), (), answer.calls)


def _votes(agent: Agent, reply: OpinionReply, legs: Sequence[ParentOrder]) -> tuple[Vote, ...]:
    """One vote per leg; a leg left out, or voted on twice, is an abstention."""
    given: dict[str, list[tuple[str, int]]] = {}
    for vote in reply.votes:
        given.setdefault(vote.symbol, []).append((vote.vote, vote.confidence))
    votes: list[Vote] = []
    for leg in legs:
        said = given.get(leg.symbol, [])
        if len(said) != 1:
            votes.append(Vote(agent=agent, symbol=leg.symbol, value=None, abstention=AbstainReason.UNPARSABLE))
        elif said[0][0] == "ABSTAIN":
            votes.append(Vote(agent=agent, symbol=leg.symbol, value=None, abstention=AbstainReason.NO_EDGE))
        else:
            value = 1 if said[0][0] == "FOR" else -1
            votes.append(Vote(agent=agent, symbol=leg.symbol, value=value, confidence=said[0][1]))
    return tuple(votes)


def _risk_facts(draft: DraftFigures) -> dict[str, object]:
    return {
        "as_of": draft.as_of.isoformat(),
        "regime": draft.regime.value,
        "var_usage": _brief(draft.var_usage),
        "drawdown_usage": _brief(draft.drawdown_usage),
        "legs": [
            {
                **_leg(figures),
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
        "drift_over_band": _brief(draft.drift_over_band),
        "legs": [
            {
                **_leg(figures),
                "held": _brief(figures.weight_held),
                "target": _brief(figures.weight_after),
                "cost_bps": _brief(figures.cost_bps),
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
            }
            for figures in draft.legs
        ],
    }


def _leg(figures: LegFigures) -> Mapping[str, object]:
    return {"symbol": figures.leg.symbol, "side": figures.leg.side.value}


def _brief(value: float) -> float:
    return float(f"{value:.3g}")
