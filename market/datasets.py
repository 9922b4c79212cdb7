"""The catalog of data sets that come with installed packages, and the one door to any data set."""

from pathlib import Path

from ..storage.series import SeriesStore
from .cards import DataCard, DataSet
from .earlier import earlier_name, split_earlier, with_earlier
from .errors import DataFileError, IntervalRefused, UnknownDataSet
from .files import load_file
from .intervals import MARK, span_text, split_name
from .intraday_sets import is_intraday, load_intraday
from .packaged_sets import PACKAGED
from .recording_checks import is_raw_feed
from .shared_sets import SHARED
from .tables import read_table
from .texted import split_texts, texted_name, with_texts

_CATALOG = {**PACKAGED, **SHARED}


def catalog() -> tuple[DataCard, ...]:
    """The cards of the built-in data sets, without loading any."""
    return tuple(entry.card for entry in _CATALOG.values())


def load_data(name_or_path: str, store: SeriesStore | None = None) -> DataSet:
    """A built-in data set by name, one imported into the store by name, or a Parquet or CSV file by path.

    A path with a span behind it, `minutes.parquet@30m`, is a recording that is decided on within the day; without one
    its rows become daily bars. Earlier prices and texts of one's choice are named behind: see `earlier` and `texted`.
    """
    prices, texts = split_texts(name_or_path)
    if texts is not None:
        return with_texts(load_data(prices, store), texts)
    prices, earlier = split_earlier(name_or_path)
    if earlier is not None:
        return with_earlier(load_data(prices, store), load_data(earlier, store))
    if name_or_path in _CATALOG:
        return _CATALOG[name_or_path].load()
    imported = () if store is None else store.names()
    if store is not None and name_or_path in imported:
        # Here, because an import must know the names above, which it may not take.
        from .store import load_stored

        return load_stored(store, name_or_path)
    path, every = split_name(name_or_path)
    if every is not None and Path(path).exists():
        return load_intraday(Path(path), every)
    if Path(name_or_path).is_file():
        _refuse_feed(Path(name_or_path))
        return load_file(Path(name_or_path))
    raise UnknownDataSet(
        f"{name_or_path!r} is neither a data set ({', '.join((*_CATALOG, *imported))}) nor a file.",
        remedy="Pass one of these names, or the path of a Parquet or CSV file.",
    )


def load_to_decide(
    name_or_path: str, every: str | None = None, store: SeriesStore | None = None
) -> tuple[str, DataSet]:
    """The data set that decisions are made on, and the name that `load_data` gives the same one by.

    A recording made within the day is decided on every so often, as asked or as usual for it; `every="day"` takes its
    closes instead. Raises IntervalRefused where a span is asked of data that have one close a day.
    """
    prices, texts = split_texts(name_or_path)
    if texts is not None:
        name, data = load_to_decide(prices, every, store)
        return texted_name(name, texts), with_texts(data, texts)
    prices, earlier = split_earlier(name_or_path)
    if earlier is not None:
        name, data = load_to_decide(prices, every, store)
        return earlier_name(name, earlier), with_earlier(data, load_data(earlier, store))
    path, written = split_name(name_or_path)
    if written is not None and every not in (None, written):
        raise IntervalRefused(
            f"{name_or_path} says {written}, and --every says {every}", remedy=f"Leave {MARK}{written} or --every out."
        )
    is_file = name_or_path not in _CATALOG and is_intraday(Path(path))
    if every == "day" or (not is_file and every is None and written is None):
        return name_or_path, load_data(name_or_path, store)
    if not is_file:
        _refuse_feed(Path(path))
        if Path(path).is_file():
            read_table(Path(path))
        raise IntervalRefused(
            f"{path} holds one bar a day, and {every or written} was asked for",
            remedy="Leave --every out, or give a recording of minutes, seconds, ticks or order books.",
        )
    data = load_intraday(Path(path), every or written)
    assert data.panel.interval is not None, "loaded with an interval"
    return f"{path}{MARK}{span_text(data.panel.interval.every_s)}", data


def _refuse_feed(path: Path) -> None:
    """A market's messages as they came are no bars: only the replay plays them."""
    if path.is_file() and is_raw_feed(path):
        raise DataFileError(
            f"{path.name}: is a raw feed, message by message, and no file of bars, quotes or order books.",
            remedy=f"Play it with `parley bench replay --feed {path}`, or give a recording made of it.",
            reason="raw_feed",
        )
