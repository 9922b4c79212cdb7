"""The `rules` model: a deterministic policy behind the chat-model port. It is code, not a language model.

It reads the same fenced facts a language model would and writes the same JSON, so it is the desk's default
and the no-LLM control arm of every evaluation.
"""

import json
import math
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


LESSON_POINTS = 5
"""The most that lessons move a confidence: as much as a debate."""
LEAST_CONFIDENCE = 51


class RulesModel:
    """Answers each prompt by its own rule; an unknown one gets an empty object, which parses as nothing.

    `text_hit_rate` is how often a text score of 1 is taken to be right; without it no text gives a side by itself.
    """

    name = "rules"
    is_deterministic = True
    _text_hit_rate: float | None = None

    def __init__(self, text_hit_rate: float | None = None) -> None:
        self._text_hit_rate = text_hit_rate

    async def complete(self, request: ChatRequest) -> ChatReply:
        text = rules_reply(request.prompt.name, request.facts, self._text_hit_rate)
        return ChatReply(
            text=text,
            prompt_tokens=request_tokens(request),
            completion_tokens=rough_tokens(text),
        )


def rules_reply(prompt_name: str, facts: str, text_hit_rate: float | None = None) -> str:
    """The reply to a prompt's facts, as compact JSON."""
    rule, given = RULES.get(prompt_name), json.loads(facts)
    if rule is _views and text_hit_rate is not None:
        reply: Facts = {"views": [_believing(row, text_hit_rate) for row in _rows(given, "rows")]}
    else:
        reply = rule(given) if rule else {}
    return json.dumps(reply, separators=(",", ":"))


def _views(facts: Facts) -> Facts:
    lessons = {row["symbol"]: scored(row.get("alike")) for row in _rows(facts, "lessons")} if "lessons" in facts else {}
    return {"views": [_remembering(_view(row), lessons.get(row["symbol"])) for row in _rows(facts, "rows")]}


def _remembering(view: Row, beat_share: float | None) -> Row:
    """What lessons move: the confidence of a side that was taken, by five points at most and never to a coin toss.

    Ten times how far the share of lessons that beat the average name is from a half, toward a BUY, away from a SELL.
    """
    if beat_share is None or view["side"] == "HOLD":
        return view
    points = round(LESSON_POINTS * (2.0 * beat_share - 1.0)) * (1 if view["side"] == "BUY" else -1)
    return {**view, "confidence": max(LEAST_CONFIDENCE, min(99, int(_number(view, "confidence")) + points))}


def _view(row: Row) -> Row:
    """Follow the calibrated score and the texts: their sign is the side, the measured hit rate the confidence."""
    texts = SENTIMENT_WEIGHT * scored(row.get("sentiment"))
    score, confidence = _number(row, "composite") + texts, _number(row, "confidence")
    if abs(score) < MIN_SCORE or confidence <= 50:
        return _side(row, 0.0, 50, "none")
    return _side(row, score, int(confidence), "sentiment" if abs(texts) > abs(score - texts) else "technical")


def _believing(row: Row, text_hit_rate: float) -> Row:
    """The odds of both add up: the calibrated hit rate for the scores' side, and the assumed one as far as texts go.

    Which takes them for independent, as naive Bayes does; the assumed rate is a setting, and no finding.
    """
    composite, texts = _number(row, "composite"), scored(row.get("sentiment")) * _log_odds(text_hit_rate)
    scores = math.copysign(_log_odds(_number(row, "confidence") / 100), composite) if composite else 0.0
    odds = scores + texts
    confidence = int(100 / (1 + math.exp(-abs(odds))))
    if confidence <= 50:
        return _side(row, 0.0, 50, "none")
    return _side(row, odds, confidence, "sentiment" if abs(texts) > abs(scores) else "technical")


def _log_odds(probability: float) -> float:
    within = min(max(probability, 0.01), 0.99)
    return math.log(within / (1 - within))


def _side(row: Row, score: float, confidence: int, driver: str) -> Row:
    side = "HOLD" if not score else "BUY" if score > 0 else "SELL"
    copied = {"symbol": row["symbol"], "trend": _fact(row, "trend"), "outlook": _fact(row, "outlook")}
    return {**copied, "side": side, "confidence": confidence, "driver": driver}


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
