"""Other futures for a data set: the days up to a cut as they were, and after them anything but what happened."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime

import numpy as np
import numpy.typing as npt

from ...domain.market import TextItem
from ...market.cards import DataSet
from ...market.panel import BAR_FIELDS, FloatArray, Panel
from ..look_ahead import Change, garbled_after

VALUE_FIELDS = ("close", *BAR_FIELDS, "benchmark", "vix")
ROW_FIELDS = ("sessions", "close_times", *VALUE_FIELDS, "is_decision")
PRICE_FIELDS = ("close", "open", "high", "low", "benchmark")
SCALE = 7.0


@dataclass(frozen=True, slots=True)
class Future:
    """One way to replace what comes after a cut. A run can go on into some of them, and must end at the cut in others,
    because the days it would go on with are gone."""

    text: str
    change: Change
    goes_on: bool


def recent(data: DataSet, cut: date, days: int, more: int) -> DataSet:
    """The data set with `days` sessions up to the cut and `more` after it, so that a probe is quick."""
    place = int(np.searchsorted(data.panel.sessions, np.datetime64(cut, "D"), side="right"))
    rows = np.zeros(len(data.panel.sessions), dtype=bool)
    rows[max(0, place - days) : place + more] = True
    return replace(data, panel=with_rows(data.panel, rows))


def with_rows(panel: Panel, rows: npt.NDArray[np.bool_] | npt.NDArray[np.int64]) -> Panel:
    """The panel of some of its rows."""
    found = {name: getattr(panel, name) for name in ROW_FIELDS}
    return replace(panel, **{name: None if values is None else values[rows] for name, values in found.items()})


def _permuted(data: DataSet, cut: date, rng: np.random.Generator) -> DataSet:
    """The days that were to come, in another order; the texts' words likewise, each at another one's time."""
    later, panel = _later(data, cut), data.panel
    place = np.arange(len(later))
    place[later] = rng.permutation(place[later])
    moved = {name: values[place] for name in VALUE_FIELDS if (values := getattr(panel, name)) is not None}
    known, coming = _split(data, cut)
    words = [coming[int(other)] for other in rng.permutation(len(coming))]
    texts = [
        item.model_copy(update={"headline": other.headline, "body": other.body, "symbol": other.symbol})
        for item, other in zip(coming, words, strict=True)
    ]
    return replace(data, panel=replace(panel, **moved), texts=(*known, *texts))


def _scaled(data: DataSet, cut: date, rng: np.random.Generator) -> DataSet:
    """Prices, volumes and fear at another level, so that anything fitted to the whole sample moves."""
    later, panel = _later(data, cut), data.panel
    changed: dict[str, FloatArray] = {}
    for name in VALUE_FIELDS:
        values = getattr(panel, name)
        if values is not None:
            changed[name] = values.copy()
            changed[name][later] *= SCALE if name in PRICE_FIELDS else 1.0 / SCALE
    return replace(data, panel=replace(panel, **changed))


def _missing(data: DataSet, cut: date, rng: np.random.Generator) -> DataSet:
    """Not a price, level or volume after the cut."""
    later, panel = _later(data, cut), data.panel
    changed: dict[str, FloatArray] = {}
    for name in VALUE_FIELDS:
        values = getattr(panel, name)
        if values is not None:
            changed[name] = values.copy()
            changed[name][later] = np.nan
    return replace(data, panel=replace(panel, **changed))


def _deleted(data: DataSet, cut: date, rng: np.random.Generator) -> DataSet:
    """Half of the later days never happened, and half of the texts never came."""
    later = _later(data, cut)
    known, coming = _split(data, cut)
    kept = ~later | (rng.random(len(later)) < 0.5)
    texts = (item for item, stays in zip(coming, rng.random(len(coming)) < 0.5, strict=True) if stays)
    return replace(data, panel=with_rows(data.panel, kept), texts=(*known, *texts))


def _truncated(data: DataSet, cut: date, rng: np.random.Generator) -> DataSet:
    """The data end with the cut."""
    return replace(data, panel=with_rows(data.panel, ~_later(data, cut)), texts=_split(data, cut)[0])


FUTURES: Mapping[str, Future] = {
    "drawn": Future("random later prices, volumes and texts", garbled_after, goes_on=False),
    "permuted": Future("the later days in another order and texts at each other's times", _permuted, goes_on=True),
    "scaled": Future(f"later prices {SCALE:g} times as high, volumes and VIX a {SCALE:g}th", _scaled, goes_on=True),
    "missing": Future("no later price, volume or level at all", _missing, goes_on=False),
    "deleted": Future("half of the later days and texts taken out", _deleted, goes_on=False),
    "truncated": Future("data that end with the cut", _truncated, goes_on=False),
}


def _later(data: DataSet, cut: date) -> npt.NDArray[np.bool_]:
    return data.panel.sessions > np.datetime64(cut, "D")


def _split(data: DataSet, cut: date) -> tuple[tuple[TextItem, ...], tuple[TextItem, ...]]:
    """The texts known at the cut's close, and those that came later."""
    until: datetime = data.history().close_time(cut)
    ordered = sorted(data.texts, key=lambda item: (item.available_at, item.id))
    known = tuple(item for item in ordered if item.available_at <= until)
    return known, tuple(ordered[len(known) :])
