"""The `rules` model: a deterministic policy behind the chat-model port. It is code, not a language model.

It reads the same fenced facts a language model would and writes the same JSON, so it is the desk's default
and the no-LLM control arm of every evaluation.
"""

import json
from collections.abc import Callable

from ..worded import TELLS_AGAINST, TELLS_FOR, fact, scored
from .port import ChatReply, ChatRequest, request_tokens, rough_tokens

Facts = dict[str, object]
Row = dict[str, object]

FALLBACK_MODEL = "rules (fallback)"
"""What a recorded call names as its model where the rules answered in the place of a model that didn't."""

MIN_SCORE = 0.5
"""A composite score nearer to zero than this is not worth a side."""

SENTIMENT_WEIGHT = 0.5
"""What the texts' score, from -1 to 1, counts beside the composite one: alone it is just worth a side."""


class RulesModel:
    """Answers each prompt by its own rule; an unknown one gets an empty object, which parses as nothing."""

    name = "rules"
    is_deterministic = True

    async def complete(self, request: ChatRequest) -> ChatReply:
        text = rules_reply(request.prompt.name, request.facts)
        return ChatReply(
            text=text,
            prompt_tokens=request_tokens(request),
            completion_tokens=rough_tokens(text),
        )


def rules_reply(prompt_name: str, facts: str) -> str:
    """The reply to a prompt's facts, as compact JSON."""
    rule = RULES.get(prompt_name)
    reply = rule(json.loads(facts)) if rule else {}
    return json.dumps(reply, separators=(",", ":"))


def _views(facts: Facts) -> Facts:
    return {"views": [_view(row) for row in _rows(facts, "rows")]}


def _view(row: Row) -> Row:
    """Follow the calibrated score and the texts: their sign is the side, the measured hit rate the confidence."""
    texts = SENTIMENT_WEIGHT * scored(row.get("sentiment"))
    score, confidence = _number(row, "composite") + texts, _number(row, "confidence")
    copied = {"symbol": row["symbol"], "trend": _fact(row, "trend"), "outlook": _fact(row, "outlook")}
    if abs(score) < MIN_SCORE or confidence <= 50:
        return {**copied, "side": "HOLD", "confidence": 50, "driver": "none"}
    driver = "sentiment" if abs(texts) > abs(score - texts) else "technical"
    return {**copied, "side": "BUY" if score > 0 else "SELL", "confidence": int(confidence), "driver": driver}


def _bull(facts: Facts) -> Facts:
    return {"cases": [case for row in _rows(facts, "rows") if (case := _case(row, TELLS_FOR))]}


def _bear(facts: Facts) -> Facts:
    return {"cases": [case for row in _rows(facts, "rows") if (case := _case(row, TELLS_AGAINST))]}


def _case(row: Row, telling: frozenset[str]) -> Row | None:
    """As strong as there are facts that tell for it; none where there are none."""
    facts = {name: fact(str(phrase)) for name, phrase in row.items() if name != "symbol"}
    found = [(name, word) for name, word in facts.items() if word in telling]
    if not found:
        return None
    strength = ("WEAK", "FAIR", "STRONG")[min(len(found), 3) - 1]
    return {"symbol": row["symbol"], "leans_on": found[0][0], "copied": found[0][1], "strength": strength, "words": ""}


def _readings(_facts: Facts) -> Facts:
    """Rules do not read prose: no reading at all is more honest than a word count."""
    return {"readings": []}


def _risk(facts: Facts) -> Facts:
    usage = max(_number(facts, "var_usage"), _number(facts, "drawdown_usage"))
    return {"votes": [_risk_vote(row, usage) for row in _rows(facts, "legs")]}


def _risk_vote(row: Row, usage: float) -> Row:
    if not row["adds_risk"]:
        return _vote(row, "FOR", 95)
    crowding = max(usage, _number(row, "weight_after") / max(_number(row, "max_weight"), 1e-9))
    if crowding > 1.0:
        return _vote(row, "AGAINST", min(95, int(50 + 100 * (crowding - 1.0))))
    return _vote(row, "FOR", int(60 + 35 * (1.0 - crowding)))


def _optimizer(facts: Facts) -> Facts:
    drift = min(2.0, _number(facts, "drift_over_band"))
    return {"votes": [_vote(row, "FOR", int(55 + 20 * drift)) for row in _rows(facts, "legs")]}


def _execution(facts: Facts) -> Facts:
    budget = _number(facts, "cost_budget_bps")
    return {"votes": [_execution_vote(row, budget) for row in _rows(facts, "legs")]}


def _execution_vote(row: Row, budget_bps: float) -> Row:
    share = _number(row, "cost_bps") / budget_bps
    if share > 1.0:
        return _vote(row, "AGAINST", min(95, int(50 + 50 * (share - 1.0))))
    return _vote(row, "FOR", int(60 + 35 * (1.0 - share)))


def _vote(row: Row, vote: str, confidence: int) -> Row:
    return {"symbol": row["symbol"], "vote": vote, "confidence": confidence}


def _rows(facts: Facts, key: str) -> list[Row]:
    rows = facts[key]
    return rows if isinstance(rows, list) else []


def _fact(row: Row, key: str) -> str:
    return fact(str(row[key]))


def _number(row: Row, key: str) -> float:
    value = row.get(key)
    return float(value) if isinstance(value, int | float) else 0.0


RULES: dict[str, Callable[[Facts], Facts]] = {
    "analyst/views": _views,
    "debate/bull": _bull,
    "debate/bear": _bear,
    "sentiment/read": _readings,
    "risk/opinion": _risk,
    "optimizer/opinion": _optimizer,
    "execution/opinion": _execution,
}
