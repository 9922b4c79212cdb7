"""The catalog of data sets that come with installed packages, and the one door to any data set."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..domain.instruments import AssetClass, Instrument, Universe
from ..storage.series import SeriesStore
from .cards import FINE_TICK, DataCard, DataSet
from .errors import DataFileError, IntervalRefused, UnknownDataSet
from .files import load_file
from .intervals import MARK, span_text, split_name
from .intraday_sets import is_intraday, load_intraday
from .panel import FloatArray, Panel
from .sessions import session_calendar
from .texted import split_texts, texted_name, with_texts

if TYPE_CHECKING:
    from pandas import DataFrame

BENCHMARK = "SPX"

# GICS sectors as of the last session of each set; a name's sector of 1990 may have been another.
US20_SECTORS = {
    "AAPL": "Information Technology",
    "AMD": "Information Technology",
    "BAC": "Financials",
    "BBY": "Consumer Discretionary",
    "CVX": "Energy",
    "GE": "Industrials",
    "HD": "Consumer Discretionary",
    "JNJ": "Health Care",
    "JPM": "Financials",
    "KO": "Consumer Staples",
    "LLY": "Health Care",
    "MRK": "Health Care",
    "MSFT": "Information Technology",
    "PEP": "Consumer Staples",
    "PFE": "Health Care",
    "PG": "Consumer Staples",
    "RRC": "Energy",
    "UNH": "Health Care",
    "WMT": "Consumer Staples",
    "XOM": "Energy",
}
US5_SECTORS = {
    "AAPL": "Information Technology",
    "FB": "Information Technology",
    "GOOG": "Information Technology",
    "IBM": "Information Technology",
    "MSFT": "Information Technology",
}

US20 = DataCard(
    name="us20",
    title="20 large US stocks, adjusted daily closes",
    source="skfolio package, sp500_dataset and sp500_index",
    license="BSD-3-Clause (package)",
    first_session=date(1990, 1, 2),
    last_session=date(2022, 12, 28),
    frequency="daily",
    close_only=True,
    adjusted=True,
    survivorship="chosen with hindsight: all 20 names lived through all 33 years",
    notes=(
        "no volume and no intraday range in the source",
        "closes are back-adjusted for splits and dividends, to three decimals",
        "the benchmark is the S&P 500 price index: it pays no dividends, the stocks do",
    ),
)
US5 = DataCard(
    name="us5",
    title="5 US technology stocks, daily bars with volume",
    source="bokeh-sampledata package, stocks",
    license="public domain (package)",
    first_session=date(2000, 3, 1),
    last_session=date(2013, 3, 1),
    frequency="daily",
    close_only=False,
    adjusted=True,
    survivorship="chosen with hindsight; GOOG lists on 2004-08-19, FB on 2012-05-18",
    notes=(
        "open, high and low are scaled by adjusted close over close",
        "volume is adjusted inversely, so that price times volume is the money traded",
    ),
)
SP500 = DataCard(
    name="sp500",
    title="S&P 500 index, daily bars with volume",
    source="arch package, sp500 and vix",
    license="NCSA (package)",
    first_session=date(1999, 1, 4),
    last_session=date(2018, 12, 31),
    frequency="daily",
    close_only=False,
    adjusted=False,
    survivorship="none: an index replaces its members as they change",
    notes=(
        "an index cannot be bought: results stand for a fund that tracks it without cost and dividends",
        "volume is that of the members",
        "vix from 2014: the previous session's close, because it is set 15 minutes after the stock close",
    ),
)


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the catalog."""

    card: DataCard
    load: Callable[[], DataSet]


def catalog() -> tuple[DataCard, ...]:
    """The cards of the built-in data sets, without loading any."""
    return tuple(entry.card for entry in _CATALOG.values())


def load_data(name_or_path: str, store: SeriesStore | None = None) -> DataSet:
    """A built-in data set by name, one imported into the store by name, or a Parquet or CSV file by path.

    A path with a span behind it, `minutes.parquet@30m`, is a recording that is decided on within the day; without one
    its rows become daily bars. Texts of one's choice are named behind either: see `texted`.
    """
    prices, texts = split_texts(name_or_path)
    if texts is not None:
        return with_texts(load_data(prices, store), texts)
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
    path, written = split_name(name_or_path)
    if written is not None and every not in (None, written):
        raise IntervalRefused(
            f"{name_or_path} says {written}, and --every says {every}", remedy=f"Leave {MARK}{written} or --every out."
        )
    is_file = name_or_path not in _CATALOG and is_intraday(Path(path))
    if every == "day" or (not is_file and every is None and written is None):
        return name_or_path, load_data(name_or_path, store)
    if not is_file:
        raise IntervalRefused(
            f"{path} holds one bar a day, and {every or written} was asked for",
            remedy="Leave --every out, or give a recording of minutes, seconds, ticks or order books.",
        )
    data = load_intraday(Path(path), every or written)
    assert data.panel.interval is not None, "loaded with an interval"
    return f"{path}{MARK}{span_text(data.panel.interval.every_s)}", data


def _load_us20() -> DataSet:
    closes = _packaged("skfolio", "datasets/data/sp500_dataset.csv.gz")
    index = _packaged("skfolio", "datasets/data/sp500_index.csv.gz")
    days = _days(closes["Date"].to_list())
    symbols = tuple(US20_SECTORS)
    panel = _panel(
        days,
        symbols,
        {"close": closes[list(symbols)].to_numpy(dtype=np.float64)},
        benchmark=_aligned(days, _days(index["Date"].to_list()), index["SP500"].to_numpy(dtype=np.float64)),
    )
    return DataSet(US20, panel, _universe("us20", US20_SECTORS, AssetClass.STOCK, BENCHMARK))


def _load_us5() -> DataSet:
    frame = _packaged("bokeh_sampledata", "_data/stocks.csv.gz")
    symbols = tuple(US5_SECTORS)
    days = _days(sorted(set(frame["Date"].to_list())))
    cells = (
        np.searchsorted(days, _days(frame["Date"].to_list())),
        np.searchsorted(np.array(symbols), frame["Ticker"].to_numpy(dtype=str)),
    )
    ratio = (frame["Adj Close"] / frame["Close"]).to_numpy(dtype=np.float64)
    fields: dict[str, FloatArray] = {}
    for name in ("Open", "High", "Low", "Close", "Volume"):
        values = frame[name].to_numpy(dtype=np.float64)
        fields[name.lower()] = np.full((len(days), len(symbols)), np.nan)
        fields[name.lower()][cells] = values / ratio if name == "Volume" else values * ratio
    return DataSet(US5, _panel(days, symbols, fields), _universe("us5", US5_SECTORS, AssetClass.STOCK, None))


def _load_sp500() -> DataSet:
    frame = _packaged("arch", "data/sp500/sp500.csv.gz")
    vix = _packaged("arch", "data/vix/vix.csv.gz")
    days = _american_days(frame["Date"].to_list())
    known = vix["vix"].to_numpy(dtype=str) != "."
    vix_days = _american_days(vix["Date"].to_list())[known]
    at_close = _aligned(days, vix_days, vix["vix"].to_numpy(dtype=str)[known].astype(np.float64))
    names = ("Open", "High", "Low", "Close", "Volume")
    fields = {name.lower(): frame[name].to_numpy(dtype=np.float64)[:, np.newaxis] for name in names}
    # The VIX of a day is set at 16:15 in New York, after the bar of that day is known.
    panel = _panel(days, (BENCHMARK,), fields, benchmark=fields["close"][:, 0], vix=np.r_[np.nan, at_close[:-1]])
    return DataSet(SP500, panel, _universe("sp500", {BENCHMARK: "Index"}, AssetClass.FUND, BENCHMARK))


_CATALOG = {
    "us20": Entry(US20, _load_us20),
    "us5": Entry(US5, _load_us5),
    "sp500": Entry(SP500, _load_sp500),
}


def _packaged(package: str, inside: str) -> "DataFrame":
    import pandas as pd

    # The package is located, not imported: importing skfolio or arch costs seconds, their files do not.
    spec = find_spec(package)
    roots = [] if spec is None else list(spec.submodule_search_locations or ())
    path = next((Path(root) / inside for root in roots if (Path(root) / inside).is_file()), None)
    if path is None:
        raise DataFileError(
            f"{Path(inside).name}: not found in the package {package}.",
            remedy=f'Install it with pip install "{package.replace("_", "-")}", or pass a file of your own.',
            reason="unreadable",
        )
    return pd.read_csv(path)


def _panel(
    days: np.ndarray,
    symbols: tuple[str, ...],
    fields: dict[str, FloatArray],
    benchmark: FloatArray | None = None,
    vix: FloatArray | None = None,
) -> Panel:
    calendar = session_calendar("XNYS", days[0].item(), days[-1].item())
    return Panel(
        symbols=symbols,
        sessions=days,
        close_times=calendar.closes[calendar.rows_of(days)],
        close=fields["close"],
        open=fields.get("open"),
        high=fields.get("high"),
        low=fields.get("low"),
        volume=fields.get("volume"),
        benchmark=benchmark,
        benchmark_name=None if benchmark is None else BENCHMARK,
        vix=vix,
    )


def _universe(name: str, sectors: dict[str, str], kind: AssetClass, benchmark: str | None) -> Universe:
    instruments = tuple(
        Instrument(symbol=symbol, asset_class=kind, sector=sector, tick=FINE_TICK, lot=1)
        for symbol, sector in sectors.items()
    )
    return Universe(name=name, instruments=instruments, benchmark=benchmark)


def _aligned(days: np.ndarray, source_days: np.ndarray, values: FloatArray) -> FloatArray:
    """Values on the given days, NaN where the source has none."""
    aligned = np.full(len(days), np.nan)
    _, here, there = np.intersect1d(days, source_days, return_indices=True)
    aligned[here] = values[there]
    return aligned


def _days(texts: list[str]) -> np.ndarray:
    return np.array(texts, dtype="datetime64[D]")


def _american_days(texts: list[str]) -> np.ndarray:
    """Days from month/day/year text."""
    parts = [text.split("/") for text in texts]
    return _days([f"{year}-{int(month):02d}-{int(day):02d}" for month, day, year in parts])
