"""Reads untrusted texts with a tool-less model call: enum symbol, enum polarity, integer percent, known ids."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from ..domain.decisions import ModelCall
from ..domain.market import TextItem
from ..domain.views import AbstainReason, Abstention, Source, SourceView
from .ask import Asking, Question, ask
from .budget import Budget
from .replies import Reading, SentimentReply

NODE = "sentiment"
MAX_ITEMS = 60
MAX_HEADLINE_CHARS = 200
POLARITY = {"POSITIVE": 1.0, "NEGATIVE": -1.0, "NEUTRAL": 0.0}


@dataclass(frozen=True, slots=True)
class TextsRead:
    view: SourceView
    calls: tuple[ModelCall, ...]


async def read_texts(
    asking: Asking, budget: Budget, as_of: datetime, symbols: Sequence[str], items: Sequence[TextItem]
) -> TextsRead:
    """A score per instrument from the newest texts, or an abstention when there is nothing to read."""
    newest = newest_items(as_of, symbols, items)
    if not newest:
        return TextsRead(_abstain(AbstainReason.NO_DATA, "no text items in the window"), ())
    question = Question(NODE, "sentiment/read", _facts(as_of, symbols, newest), SentimentReply)
    answer = await ask(asking, budget, question)
    if answer.value is None:
        return TextsRead(SourceView(source=Source.SENTIMENT, abstention=answer.abstention), answer.calls)
    scores = score_readings(answer.value.readings, newest)
    if not scores:
        return TextsRead(_abstain(AbstainReason.NO_EDGE, "the model read nothing into the texts"), answer.calls)
    return TextsRead(SourceView(source=Source.SENTIMENT, scores=scores), answer.calls)


def newest_items(as_of: datetime, symbols: Sequence[str], items: Sequence[TextItem]) -> list[TextItem]:
    """The latest texts about these instruments that had arrived, oldest first, at most MAX_ITEMS."""
    known = set(symbols)
    arrived = [item for item in items if item.symbol in known and item.available_at <= as_of]
    return sorted(arrived, key=lambda item: (item.available_at, item.id))[-MAX_ITEMS:]


def score_readings(readings: Sequence[Reading], items: Sequence[TextItem]) -> dict[str, float]:
    """Confidence-weighted mean polarity per symbol, in the order of the symbols.

    A reading of an unknown id or of another symbol than the item's is void, and so are two of one item.
    """
    owner = {item.id: item.symbol for item in items}
    times = Counter(reading.id for reading in readings)
    polarity: defaultdict[str, list[tuple[float, float]]] = defaultdict(list)
    for reading in readings:
        if owner.get(reading.id) == reading.symbol and times[reading.id] == 1:
            polarity[reading.symbol].append((reading.confidence / 100, POLARITY[reading.polarity]))
    scores: dict[str, float] = {}
    for symbol, parts in sorted(polarity.items()):
        weight = sum(part for part, _ in parts)
        if weight > 0:
            scores[symbol] = round(sum(part * sign for part, sign in parts) / weight, 10)
    return scores


def _facts(as_of: datetime, symbols: Sequence[str], newest: Sequence[TextItem]) -> dict[str, object]:
    """Only the instruments that have a text: the others would cost tokens and invite a guess."""
    told = {item.symbol for item in newest}
    return {
        "as_of": as_of.isoformat(),
        "symbols": [symbol for symbol in symbols if symbol in told],
        "items": [
            {"id": item.id, "symbol": item.symbol, "text": item.headline[:MAX_HEADLINE_CHARS]} for item in newest
        ],
    }


def _abstain(reason: AbstainReason, text: str) -> SourceView:
    return SourceView(source=Source.SENTIMENT, abstention=Abstention(who=NODE, reason=reason, text=text))
