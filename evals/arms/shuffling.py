"""The same days with texts of another time: what a desk makes of news that is news no more."""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import timedelta

from ...domain.market import TextItem
from ...market.cards import DataSet

SHIFT = timedelta(days=14)
"""Two weeks: longer than the desk looks back at texts, and than what a text is judged over."""


def with_shuffled_texts(data: DataSet) -> DataSet:
    """Each text says what one about the same instrument said two weeks before, or earlier; when it arrives stays.

    So the stream has its usual hours and density, no text is repeated that was not, and none says what had not been
    published by then. The first two weeks of an instrument's texts, for which there are no earlier ones, fall away.
    """
    by_symbol: dict[str, list[TextItem]] = {}
    for item in data.texts:
        by_symbol.setdefault(item.symbol, []).append(item)
    texts = tuple(text for items in by_symbol.values() for text in _shifted(items))
    note = f"texts shuffled: each {SHIFT.days} days old or older, {len(texts)} of {len(data.texts)} left"
    return replace(data, texts=texts, card=replace(data.card, notes=(*data.card.notes, note)))


def _shifted(items: Iterable[TextItem]) -> list[TextItem]:
    """Every text with the content of the one so many places before it, the same number for all."""
    ordered = sorted(items, key=lambda item: (item.available_at, item.id))
    places = _least_places(ordered)
    return [
        slot.model_copy(update={"source": told.source, "headline": told.headline, "body": told.body})
        for slot, told in zip(ordered[places:], ordered, strict=False)
    ]


def _least_places(ordered: Sequence[TextItem]) -> int:
    """How far back one has to reach so that it is two weeks everywhere."""
    arrivals = [item.available_at for item in ordered]
    # Of a text's own place, those that had arrived two weeks before it: any nearer one is too young.
    return max(place - bisect_right(arrivals, arrival - SHIFT) + 1 for place, arrival in enumerate(arrivals))
