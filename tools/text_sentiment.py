"""The sentiment tool: one score per instrument from deduplicated texts, weighed by age and by their sources' record.

Within a source, fresh texts count more. Between sources, each counts by its record and by how fresh its newest text is,
never by how many texts it sends; and none has more than SOURCE_CAP of a score, alone or not.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from ..domain.canonical import content_hash, short_id
from ..domain.market import TextItem
from ..quant.text_features import normal_text
from .ledger import Ledger, figure
from .text_record import UNKNOWN_SOURCE, SourceRecord

HALF_LIFE_DAYS = 1.0
SOURCE_CAP = 0.5
MODEL_SHARE = 0.5
"""At most so much of a text's polarity is what a language model makes of it; the rest is the encoder's."""
SECONDS_PER_DAY = 86_400.0


@dataclass(frozen=True, slots=True)
class ModelReading:
    """What a language model read in a text, as figures: `trust` is its confidence as a fraction."""

    polarity: float
    trust: float
    novelty: float
    half_life_days: float


@dataclass(frozen=True, slots=True)
class TextFigures:
    """What is known of the texts of a window: polarities by item id, source records, and what a model read."""

    encoder: str
    polarities: Mapping[str, float]
    sources: Mapping[str, SourceRecord]
    readings: Mapping[str, ModelReading]


def text_sentiment(
    ledger: Ledger, as_of: datetime, items: Sequence[TextItem], figures: TextFigures
) -> tuple[str, Mapping[str, float]] | None:
    """A score from -1 to 1 for each instrument that has a text; None where no text is left."""
    kept = unrepeated(items)
    if not kept:
        return None
    by_symbol: defaultdict[str, list[TextItem]] = defaultdict(list)
    for item in kept:
        by_symbol[item.symbol].append(item)
    scores = {symbol: figure(_score(as_of, by_symbol[symbol], figures)) for symbol in sorted(by_symbol)}
    sources = sorted({item.source for item in kept})
    output = {
        "score": scores,
        "texts": {symbol: len(by_symbol[symbol]) for symbol in scores},
        # A source's name is a stranger's text: the ledger knows it by its hash.
        "source_weight": {source_key(name): figure(_record(figures, name).weight) for name in sources},
        "repeats_left_out": len(items) - len(kept),
        "read_by_model": sum(item.id in figures.readings for item in kept),
    }
    inputs = {
        "encoder": figures.encoder,
        "texts": content_hash([item.id for item in kept]),
        "readings": content_hash({item.id: _told(figures.readings.get(item.id)) for item in kept}),
        "half_life_days": HALF_LIFE_DAYS,
        "source_cap": SOURCE_CAP,
    }
    return ledger.record("text_sentiment", 1, "score", inputs, output).id, scores


def unrepeated(items: Sequence[TextItem]) -> list[TextItem]:
    """Texts that say something new about their instrument, oldest first: of those alike, the first to arrive."""
    seen: set[tuple[str, str]] = set()
    kept: list[TextItem] = []
    for item in sorted(items, key=lambda item: (item.available_at, item.id)):
        said = (item.symbol, " ".join(normal_text(item.headline).split()))
        if said not in seen:
            seen.add(said)
            kept.append(item)
    return kept


def source_key(source: str) -> str:
    """A source by a name that nobody outside has chosen."""
    return short_id("source", source)


def _score(as_of: datetime, items: Sequence[TextItem], figures: TextFigures) -> float:
    by_source: defaultdict[str, list[tuple[float, float]]] = defaultdict(list)
    for item in items:
        polarity, weight = _read(as_of, item, figures)
        by_source[item.source].append((polarity, weight))
    strength = {
        name: _record(figures, name).weight * max(weight for _, weight in parts) for name, parts in by_source.items()
    }
    total = sum(strength.values())
    if not total > 0.0:
        return 0.0
    return sum(min(strength[name] / total, SOURCE_CAP) * _mean(by_source[name]) for name in sorted(by_source))


def _read(as_of: datetime, item: TextItem, figures: TextFigures) -> tuple[float, float]:
    """The polarity of a text, and its weight by age and novelty."""
    age_days = (as_of - item.available_at).total_seconds() / SECONDS_PER_DAY
    said, reading = figures.polarities[item.id], figures.readings.get(item.id)
    if reading is None:
        return said, 0.5 ** (age_days / HALF_LIFE_DAYS)
    share = MODEL_SHARE * reading.trust
    return said + share * (reading.polarity - said), reading.novelty * 0.5 ** (age_days / reading.half_life_days)


def _mean(parts: Sequence[tuple[float, float]]) -> float:
    total = sum(weight for _, weight in parts)
    return sum(polarity * weight for polarity, weight in parts) / total if total > 0.0 else 0.0


def _record(figures: TextFigures, source: str) -> SourceRecord:
    return figures.sources.get(source, UNKNOWN_SOURCE)


def _told(reading: ModelReading | None) -> list[float] | None:
    if reading is None:
        return None
    return [reading.polarity, reading.trust, reading.novelty, reading.half_life_days]
