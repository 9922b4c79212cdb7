"""How often a decision comes out otherwise when the same model is asked again: the flip rate of its legs."""

import asyncio
import json
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from ..agents.llm.port import ChatModel, ChatReply, ChatRequest, request_tokens, rough_tokens
from ..agents.llm.rules import RulesModel, rules_reply
from ..desk.desk import RunPlan, build_desk
from ..desk.settings import Settings
from ..domain.portfolio import Portfolio
from ..gate.limits import Limits
from ..market.cards import DataSet
from ..memory.log import EventLog
from ..memory.views import ReadModels
from ..storage.sql import open_in_memory

OTHER = {"BUY": "HOLD", "SELL": "HOLD", "HOLD": "BUY", "FOR": "AGAINST", "AGAINST": "FOR", "ABSTAIN": "FOR"}
CHANGED_FRAC = 0.1
"""How often the stochastic model says something else than it thinks."""
JITTER_POINTS = 10

Legs = tuple[str, int]
"""The side of a leg and its size."""


class StochasticModel:
    """The rules with a mind that wavers: some stances change, and all confidences do. A seed repeats it exactly."""

    name = "stochastic"
    is_deterministic = True

    def __init__(self, seed: int) -> None:
        self._seed = seed

    async def complete(self, request: ChatRequest) -> ChatReply:
        reply = json.loads(rules_reply(request.prompt.name, request.facts))
        # Of the question and the seed alone: nodes that are asked side by side come in any order.
        chance = random.Random(f"{self._seed}/{request.hash}")
        for entries in reply.values():
            for entry in entries if isinstance(entries, list) else []:
                _waver(entry, chance)
        text = json.dumps(reply, separators=(",", ":"))
        return ChatReply(text, request_tokens(request), rough_tokens(text))


@dataclass(frozen=True, slots=True)
class FlipCount:
    """Of all legs that some epoch traded, those whose side or whose being traded at all was not the same in each.

    `other_sizes` are the legs that were traded on one side in all, and not always in the same size.
    """

    model: str
    decisions: int
    epochs: int
    legs: int
    flipped: int
    other_sizes: int


def flips_of(model: str, decisions: Sequence[Sequence[Mapping[str, Legs]]]) -> FlipCount:
    """The count over decisions, each with the legs by symbol that every epoch came to."""
    legs = flipped = other_sizes = 0
    for epochs in decisions:
        for symbol in {symbol for legs_of_epoch in epochs for symbol in legs_of_epoch}:
            said = [legs_of_epoch.get(symbol) for legs_of_epoch in epochs]
            sides = {None if leg is None else leg[0] for leg in said}
            legs += 1
            flipped += len(sides) > 1
            other_sizes += len(sides) == 1 and len(set(said)) > 1
    return FlipCount(model, len(decisions), max(map(len, decisions), default=0), legs, flipped, other_sizes)


def epoch_of(name: str, epoch: int) -> ChatModel:
    """Models that differ in nothing but their luck."""
    return RulesModel() if name == RulesModel.name else StochasticModel(epoch)


def legs_of(data: DataSet, day: date, model: ChatModel, settings: Settings, limits: Limits) -> dict[str, Legs]:
    """By symbol, the side and the size that were approved for an all-cash book; nothing where nothing was."""
    desk = build_desk(settings, limits, data, RunPlan(data.card.name, (day,), model.name, 0), _fresh_log(), model, None)
    decision = asyncio.run(desk.decide(desk.snapshot(day, Portfolio(cash=settings.cash), settings.cash, settings.cash)))
    legs = decision.plan.legs if decision.plan is not None and decision.kind == "trade" else ()
    return {leg.symbol: (leg.side.value, leg.quantity) for leg in legs}


def _fresh_log() -> EventLog:
    database = open_in_memory()
    return EventLog(database, ReadModels(database))


def _waver(entry: dict[str, object], chance: random.Random) -> None:
    for name in ("side", "vote"):
        stance = entry.get(name)
        if isinstance(stance, str) and chance.random() < CHANGED_FRAC:
            entry[name] = OTHER.get(stance, stance)
    confidence = entry.get("confidence")
    if isinstance(confidence, int):
        entry["confidence"] = min(100, max(0, confidence + chance.randint(-JITTER_POINTS, JITTER_POINTS)))
