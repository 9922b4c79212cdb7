"""What the desk knows of the sources of texts: how each text reads, and how often a source's texts came true since.

A source's call is the mean polarity of what it wrote about an instrument up to a close. It came true when the
instrument then did better than the others over the horizon, or worse where the call was bad; that is known only once
the horizon has passed, and not a close before.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np

from ..domain.market import TextItem
from ..market.history import MarketView
from ..quant.arrays import FloatArray
from ..quant.source_record import hit_rates
from .encoders import Encoder, polarity_of

HORIZON_DAYS = 5
"""A trading week: what a text moves later than that, nobody can tell from the rest."""
HALF_LIFE_DAYS = 126.0
PRIOR_CALLS = 40.0
"""A source must have been right for long before it is believed: forty calls to move half way to what it shows."""
MIN_POLARITY = 0.1
"""A call nearer to neutral than this is none."""

Place = tuple[str, str, int]


@dataclass(frozen=True, slots=True)
class SourceRecord:
    """Of one source: its calls whose outcome is known, how many came true, and what its texts weigh for it."""

    calls: int
    hits: int
    rate: float

    @property
    def weight(self) -> float:
        """One for a coin's record, up to two for one that is always right."""
        return 2.0 * self.rate


UNKNOWN_SOURCE = SourceRecord(0, 0, 0.5)


@dataclass
class TextRecord:
    """Polarities and source records as of a moment. Texts are read once, as they arrive; asking for the past starts
    afresh, so that nothing later is in what it gives."""

    encoder: Encoder
    _polarities: dict[str, float] = field(default_factory=dict[str, float])
    _calls: dict[Place, list[float]] = field(default_factory=dict[Place, list[float]])
    _until: datetime | None = None

    def polarities(self, items: Iterable[TextItem]) -> Mapping[str, float]:
        """By item id, from -1 to 1, by its headline: what encoders are trained on."""
        wanted = {item.id: item.headline for item in items}
        fresh = [ident for ident in wanted if ident not in self._polarities]
        if fresh:
            found = polarity_of(self.encoder.probabilities([wanted[ident] for ident in fresh]))
            self._polarities.update(zip(fresh, found.tolist(), strict=True))
        return {ident: self._polarities[ident] for ident in wanted}

    def sources(self, view: MarketView) -> Mapping[str, SourceRecord]:
        """Every source with a text by `view.as_of`; where rows are bars within the day, none has a record yet."""
        self._take(view)
        names = sorted({source for source, _, _ in self._calls})
        if not names or view.interval is not None:
            return dict.fromkeys(names, UNKNOWN_SOURCE)
        places = {name: place for place, name in enumerate(names)}
        columns = {symbol: column for column, symbol in enumerate(view.symbols)}
        made = [
            (places[source], columns[symbol], row, sum(parts) / len(parts))
            for (source, symbol, row), parts in self._calls.items()
            if row + HORIZON_DAYS < len(view.close)
        ]
        table = np.array(made, dtype=np.float64).reshape(len(made), 4)
        sources, column, row = table[:, :3].astype(np.int64).T
        beyond = _beyond_the_others(view.close, column, row)
        counted = np.isfinite(beyond) & (np.abs(table[:, 3]) >= MIN_POLARITY)
        known_for = len(view.close) - 1.0 - (row + HORIZON_DAYS)
        rates = hit_rates(
            sources[counted],
            np.sign(beyond[counted]) == np.sign(table[counted, 3]),
            known_for[counted],
            len(names),
            half_life_days=HALF_LIFE_DAYS,
            prior_calls=PRIOR_CALLS,
        )
        rows = zip(rates.calls.tolist(), rates.hits.tolist(), rates.rate.tolist(), strict=True)
        return {name: SourceRecord(*row) for name, row in zip(names, rows, strict=True)}

    def _take(self, view: MarketView) -> None:
        if self._until is not None and view.as_of < self._until:
            self._calls.clear()
            self._until = None
        items = [item for item in view.texts(since=self._until) if item.symbol in view.symbols]
        known = self.polarities(items)
        closes = view.close_times
        arrived = np.array([int(item.available_at.timestamp()) for item in items], dtype=np.int64)
        # The first close at or after the arrival: the one at which the desk can first have acted on it.
        rows = np.searchsorted(closes.astype(np.int64), arrived, side="left").tolist()
        for item, row in zip(items, rows, strict=True):
            self._calls.setdefault((item.source, item.symbol, row), []).append(known[item.id])
        self._until = view.as_of


def _beyond_the_others(close: FloatArray, columns: np.ndarray, rows: np.ndarray) -> FloatArray:
    """(n,) return from each row over the horizon, less the plain mean of all names over the same days."""
    with np.errstate(invalid="ignore", divide="ignore"):
        returns = close[HORIZON_DAYS:] / close[:-HORIZON_DAYS] - 1.0
    present = np.isfinite(returns)
    counts = present.sum(axis=1)
    mean = np.where(present, returns, 0.0).sum(axis=1) / np.maximum(counts, 1)
    own = returns[rows, columns]
    return np.where(counts[rows] > 1, own - mean[rows], own) if len(rows) else np.zeros(0)
