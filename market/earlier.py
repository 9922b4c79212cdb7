"""A data set with earlier prices of its names in front of it, `PRICES+before=NAME`, so that it has a year behind it.

A short recording has no year of returns behind its first close, and a desk that asks for one never decides. Earlier
rows of the same names give it that year: real returns of other days, joined without a move across the days in between.
They are history only, nothing is decided on them, and every reader is told how old they are.
"""

from dataclasses import replace

import numpy as np

from .cards import DataCard, DataSet
from .errors import DataFileError
from .history import MarketView
from .panel import BAR_FIELDS, FloatArray
from .sessions import utc_moment
from .texted import split_texts, texted_name

EARLIER_MARK = "+before="
EARLIER_NOTE = "earlier prices from"
"""How the card's note of them begins."""


def split_earlier(name: str) -> tuple[str, str | None]:
    """The name of the prices, and of the earlier ones where they are named; texts come behind both."""
    plain, mark, earlier = name.partition(EARLIER_MARK)
    return (plain, earlier) if mark else (name, None)


def earlier_name(name: str, earlier: str | None) -> str:
    """The name of these prices with those in front; `earlier` takes the place of any that the name holds."""
    prices, texts = split_texts(name)
    return name if earlier is None else texted_name(f"{split_earlier(prices)[0]}{EARLIER_MARK}{earlier}", texts)


def with_earlier(data: DataSet, earlier: DataSet) -> DataSet:
    """The data set with the earlier rows of its names in front; raises DataFileError where there are none to take."""
    data.history().require_daily("a longer history")
    earlier.history().require_daily("a longer history")
    first = data.panel.sessions[0]
    n_rows = int(np.searchsorted(earlier.panel.sessions, first))
    shared = [symbol for symbol in data.panel.symbols if symbol in earlier.panel.symbols]
    if not n_rows or not shared or earlier.panel.calendar != data.panel.calendar:
        raise DataFileError(
            f"{earlier.card.name}: {len(shared)} of the {len(data.panel.symbols)} names of {data.card.name}, and "
            f"{n_rows} sessions of {earlier.panel.calendar} before {first}; expected some of each on "
            f"{data.panel.calendar}.",
            remedy="Name a data set that holds the same names on earlier days.",
            reason="unreadable",
        )
    # As the last earlier close saw them: prices as traded are in the shares of that day then.
    seen = earlier.history().as_of(utc_moment(earlier.panel.close_times[n_rows - 1]))
    scale = _joint(data.panel.close[0], _placed(seen.close, seen, data.panel.symbols))
    fields = {name: _stacked(data, seen, name, scale) for name in ("close", *BAR_FIELDS)}
    panel = replace(
        data.panel,
        sessions=np.concatenate([seen.sessions, data.panel.sessions]),
        close_times=np.concatenate([seen.close_times, data.panel.close_times]),
        **fields,
        benchmark=_levels(data.panel.benchmark, seen.benchmark, n_rows, _same_index(data, seen)),
        vix=_levels(data.panel.vix, seen.vix, n_rows, is_same=True),
    )
    card = _noted(data.card, earlier.card, seen, len(data.panel.symbols), int(np.isfinite(scale).sum()))
    return replace(data, panel=panel, card=card, joined_at=data.panel.sessions[0].item())


def _same_index(data: DataSet, seen: MarketView) -> bool:
    return data.panel.benchmark_name == seen.benchmark_name


def _placed(values: FloatArray, seen: MarketView, symbols: tuple[str, ...]) -> FloatArray:
    """(n_rows, n_symbols) of the earlier values under these symbols, NaN for those it lacks."""
    placed = np.full((len(values), len(symbols)), np.nan)
    columns = {symbol: column for column, symbol in enumerate(seen.symbols)}
    for place, symbol in enumerate(symbols):
        if symbol in columns:
            placed[:, place] = values[:, columns[symbol]]
    return placed


def _joint(first: FloatArray, before: FloatArray) -> FloatArray:
    """(n_symbols,) what earlier prices are multiplied by, so that the first later close is the last earlier one.

    NaN for a name without a close on the first session: to place its past it would take a price of its future.
    """
    scale = np.full(len(first), np.nan)
    for column, close in enumerate(first.tolist()):
        known = before[np.isfinite(before[:, column]), column]
        if len(known):
            scale[column] = close / known[-1]
    return scale


def _stacked(data: DataSet, seen: MarketView, name: str, scale: FloatArray) -> FloatArray | None:
    """Both parts of one field; a field that the data set lacks stays absent, one that only the earlier lacks is NaN."""
    later = getattr(data.panel, name)
    if later is None:
        return None
    values = getattr(seen, name)
    if values is None:
        return np.vstack([np.full((len(seen.sessions), later.shape[1]), np.nan), later])
    # Shares go the other way than prices, so that price times volume stays the money traded.
    factor = 1.0 / scale if name == "volume" else scale
    return np.vstack([_placed(values, seen, data.panel.symbols) * factor, later])


def _levels(later: FloatArray | None, before: FloatArray | None, n_rows: int, is_same: bool) -> FloatArray | None:
    if later is None:
        return None
    return np.concatenate([before if before is not None and is_same else np.full(n_rows, np.nan), later])


def _noted(card: DataCard, earlier: DataCard, seen: MarketView, n_names: int, n_joined: int) -> DataCard:
    last = seen.sessions[-1].item()
    note = (
        f"{EARLIER_NOTE} {earlier.name}: {n_joined} of {n_names} names, {len(seen.sessions):,} sessions to {last}, "
        f"{(card.first_session - last).days} days before the first of its own; joined without a move, so their returns "
        f"were real and their levels were not; names without any are not traded before they have a year"
    )
    return replace(card, notes=(*card.notes, note))
