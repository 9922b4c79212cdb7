"""Reads untrusted texts with a tool-less model call: enum symbol, enum polarity, integer percent, known ids."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from ..domain.decisions import ModelCall
from ..domain.market import TextItem
from ..domain.views import AbstainReason, Abstention, Source, SourceView
from .ask import Asking, ask
from .replies import Reading, SentimentReply

NODE = "sentiment"
MAX_ITEMS = 60
MAX_HEADLINE_CHARS = 200
POLARITY = {"POSITIVE": 1.0, "NEGATIVE": -1.0, "NEUTRAL": 0.0}


@dataclass(frozen=True, slots=True)
class TextsRead:
    view: SourceView
    calls: tuple[ModelCall, ...]


async def read_texts(asking: Asking, as_of: datetime, symbols: Sequence[str], items: Sequence[TextItem]) -> TextsRead:
    """A score per instrument from the newest texts, or an abstention when there is nothing to read."""
    known = set(symbols)
    newest = sorted((item for item in items if item.symbol in known), key=lambda item: (item.available_at, item.id))[
        -MAX_ITEMS:
    ]
    if not newest:
        return TextsRead(_abstain(AbstainReason.NO_DATA, "no text items in the window"), ())
    facts: dict[str, object] = {
        "as_of": as_of.isoformat(),
        "symbols": list(symbols),
        "items": [
            {"id": item.id, "symbol": item.symbol, "text": item.headline[:MAX_HEADLINE_CHARS]} for item in newest
        ],
    }
    answer = await ask(asking, NODE, "sentiment/read", facts, SentimentReply)
    if answer.value is None:
        return TextsRead(SourceView(source=Source.SENTIMENT, abstention=answer.abstention), answer.calls)
    scores = score_readings(answer.value.readings, newest)
    if not scores:
        return TextsRead(_abstain(AbstainReason.NO_EDGE, "the model read nothing into the texts"), answer.calls)
    return TextsRead(SourceView(source=Source.SENTIMENT, scores=scores), answer.calls)


def score_readings(readings: Sequence[Reading], items: Sequence[TextItem]) -> dict[str, float]:
    """Confidence-weighted mean polarity per symbol; a reading of an unknown id or of another symbol is void."""
    owner = {item.id: item.symbol for item in items}
    polarity: defaultdict[str, list[tuple[float, float]]] = defaultdict(list)
    for reading in readings:
        if owner.get(reading.id) == reading.symbol:
            polarity[reading.symbol].append((reading.confidence / 100, POLARITY[reading.polarity]))
    scores: dict[str, float] = {}
    for symbol, parts in sorted(polarity.items()):
        weight = sum(part for part, _ in parts)
        if weight > 0:
            scores[symbol] = round(sum(part * sign for part, sign in parts) / weight, 10)
    return scores


def _abstain(reason: AbstainReason, text: str) -> SourceView:
    abstention = Abstention(who=NODE, reason=reason, text=text)
    return SourceView(source=Source.SENTIMENT, abstention=abstention)
