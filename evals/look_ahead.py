"""Finds look-ahead by experiment: turn all data after a moment into garbage and see what moves before it."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime
from itertools import zip_longest

import numpy as np
from pydantic import JsonValue

from ..domain.canonical import canonical_bytes
from ..domain.events import Event, RunStarted
from ..domain.market import TextItem
from ..market.cards import DataSet
from ..market.intraday_files import RecordedQuotes
from ..market.panel import FloatArray, Panel
from ..market.tables import without_rows
from ..memory.difference import first_difference

Play = Callable[[DataSet], Iterable[Event]]
"""Runs the desk over a data set, through the cut at least, and gives every event of the run."""

Change = Callable[[DataSet, date, np.random.Generator], DataSet]
"""The data set with other days after the cut."""

PRICES = (1e-2, 1e5)
CHAINED = {"prev_hash", "hash"}


@dataclass(frozen=True, slots=True)
class Leak:
    """The first fact that knew the future: its place in the log, its kind, and how it moved."""

    place: int
    kind: str
    text: str


def look_ahead_difference(
    play: Play, data: DataSet, cut: date, *, seed: int = 0, change: Change | None = None
) -> Leak | None:
    """Plays the data as they are, and with garbage after the close of `cut`; None when no earlier fact differs.

    `change` makes another future than `garbled_after` does.

    Every event with a time at or before that close is compared byte for byte: decisions, evidence, model
    calls, orders, fills and marks. Left out are the two things that must differ: the fingerprint of the whole
    data set in RunStarted, and the hashes chained from it.
    """
    until = data.history().close_time(cut)
    told = _facts(play(data), until)
    retold = _facts(play((change or garbled_after)(data, cut, np.random.default_rng(seed))), until)
    for place, (one, other) in enumerate(zip_longest(told, retold), start=1):
        if one is None or other is None or canonical_bytes(one) != canonical_bytes(other):
            found = first_difference(one, other)
            kind = next(str(fact["type"]) for fact in (one, other) if fact is not None)
            return Leak(place, kind, f"{found.path}: {found.left} or {found.right}" if found else "its bytes")
    return None


def garbled_after(data: DataSet, cut: date, rng: np.random.Generator) -> DataSet:
    """The data set with another future: the same days, but random prices and volumes, other texts, and no quotes."""
    until = data.history().close_time(cut)
    return replace(
        data,
        panel=_garbled_panel(data.panel, cut, rng),
        texts=tuple(item if item.available_at <= until else _garbled_text(item) for item in data.texts),
        recorded=_quotes_until(data.recorded, cut),
    )


def _facts(events: Iterable[Event], until: datetime) -> list[dict[str, JsonValue]]:
    facts: list[dict[str, JsonValue]] = []
    for event in events:
        if event.event_time > until:
            continue
        fact: dict[str, JsonValue] = event.model_dump(mode="json", exclude=CHAINED)
        if event.type == RunStarted.__name__ and isinstance(fact["payload"], dict):
            fact["payload"] = fact["payload"] | {"data_fingerprint": ""}
        facts.append(fact)
    return facts


def _garbled_panel(panel: Panel, cut: date, rng: np.random.Generator) -> Panel:
    after = panel.sessions > np.datetime64(cut, "D")
    shape = (int(after.sum()), len(panel.symbols))
    # A bar stays a possible bar, so that a run past the cut meets wild prices and not malformed ones.
    low, open_, close, high = np.sort(np.exp(rng.uniform(*np.log(PRICES), size=(4, *shape))), axis=0)
    garbage = {"low": low, "open": open_, "close": close, "high": high, "volume": rng.uniform(1.0, 1e9, shape)}
    changed = {name: _with_rows(getattr(panel, name), after, values) for name, values in garbage.items()}
    for name, top in (("benchmark", 1e5), ("vix", 200.0)):
        changed[name] = _with_rows(getattr(panel, name), after, rng.uniform(1.0, top, shape[0]))
    return replace(panel, **changed)


def _with_rows(array: FloatArray | None, rows: np.ndarray, values: FloatArray) -> FloatArray | None:
    if array is None:
        return None
    changed = array.copy()
    changed[rows] = values
    return changed


def _garbled_text(item: TextItem) -> TextItem:
    return item.model_copy(update={"id": f"garbled-{item.id}", "headline": "garbled", "body": "garbled"})


def _quotes_until(recorded: RecordedQuotes | None, cut: date) -> RecordedQuotes | None:
    if recorded is None:
        return None
    later = np.flatnonzero(recorded.table.days > np.datetime64(cut, "D")).tolist()
    return replace(recorded, table=without_rows(recorded.table, later))
