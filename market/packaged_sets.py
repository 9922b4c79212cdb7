"""The data sets that come with installed packages: their cards, and how each is read."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

import numpy as np

from ..domain.instruments import AssetClass
from .cards import DataCard, DataSet
from .daily_arrays import BENCHMARK, aligned, american_days, daily_panel, days_of, packaged, universe_of
from .panel import FloatArray

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
US5_SECTORS: dict[str, str] = dict.fromkeys(("AAPL", "FB", "GOOG", "IBM", "MSFT"), "Information Technology")

FACTOR_STYLES = {"MTUM": "Momentum", "QUAL": "Quality", "SIZE": "Size", "USMV": "Low volatility", "VLUE": "Value"}

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
FACTORS5 = DataCard(
    name="factors5",
    title="5 US equity factor funds, adjusted daily closes",
    source="skfolio package, factors_dataset",
    license="BSD-3-Clause (package)",
    first_session=date(2014, 1, 2),
    last_session=date(2022, 12, 28),
    frequency="daily",
    close_only=True,
    adjusted=True,
    survivorship="five funds that lived to the end; what each holds changes by its rules, so members that died are in",
    notes=("no volume and no intraday range in the source", "closes are back-adjusted for dividends"),
)


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the catalog."""

    card: DataCard
    load: Callable[[], DataSet]


def load_us20() -> DataSet:
    closes = packaged("skfolio", "datasets/data/sp500_dataset.csv.gz")
    index = packaged("skfolio", "datasets/data/sp500_index.csv.gz")
    days = days_of(closes["Date"].to_list())
    symbols = tuple(US20_SECTORS)
    panel = daily_panel(
        days,
        symbols,
        {"close": closes[list(symbols)].to_numpy(dtype=np.float64)},
        benchmark=aligned(days, days_of(index["Date"].to_list()), index["SP500"].to_numpy(dtype=np.float64)),
    )
    return DataSet(US20, panel, universe_of("us20", US20_SECTORS, AssetClass.STOCK, BENCHMARK))


def load_us5() -> DataSet:
    frame = packaged("bokeh_sampledata", "_data/stocks.csv.gz")
    symbols = tuple(US5_SECTORS)
    days = days_of(sorted(set(frame["Date"].to_list())))
    cells = (
        np.searchsorted(days, days_of(frame["Date"].to_list())),
        np.searchsorted(np.array(symbols), frame["Ticker"].to_numpy(dtype=str)),
    )
    ratio = (frame["Adj Close"] / frame["Close"]).to_numpy(dtype=np.float64)
    fields: dict[str, FloatArray] = {}
    for name in ("Open", "High", "Low", "Close", "Volume"):
        values = frame[name].to_numpy(dtype=np.float64)
        fields[name.lower()] = np.full((len(days), len(symbols)), np.nan)
        fields[name.lower()][cells] = values / ratio if name == "Volume" else values * ratio
    return DataSet(US5, daily_panel(days, symbols, fields), universe_of("us5", US5_SECTORS, AssetClass.STOCK, None))


def load_sp500() -> DataSet:
    frame = packaged("arch", "data/sp500/sp500.csv.gz")
    vix = packaged("arch", "data/vix/vix.csv.gz")
    days = american_days(frame["Date"].to_list())
    known = vix["vix"].to_numpy(dtype=str) != "."
    vix_days = american_days(vix["Date"].to_list())[known]
    at_close = aligned(days, vix_days, vix["vix"].to_numpy(dtype=str)[known].astype(np.float64))
    names = ("Open", "High", "Low", "Close", "Volume")
    fields = {name.lower(): frame[name].to_numpy(dtype=np.float64)[:, np.newaxis] for name in names}
    # The VIX of a day is set at 16:15 in New York, after the bar of that day is known.
    panel = daily_panel(days, (BENCHMARK,), fields, benchmark=fields["close"][:, 0], vix=np.r_[np.nan, at_close[:-1]])
    return DataSet(SP500, panel, universe_of("sp500", {BENCHMARK: "Index"}, AssetClass.FUND, BENCHMARK))


def load_factors5() -> DataSet:
    closes = packaged("skfolio", "datasets/data/factors_dataset.csv.gz")
    sectors = {symbol: f"{style} fund" for symbol, style in FACTOR_STYLES.items()}
    fields = {"close": closes[list(sectors)].to_numpy(dtype=np.float64)}
    panel = daily_panel(days_of(closes["Date"].to_list()), tuple(sectors), fields)
    return DataSet(FACTORS5, panel, universe_of("factors5", sectors, AssetClass.FUND, None))


PACKAGED = {
    "us20": Entry(US20, load_us20),
    "us5": Entry(US5, load_us5),
    "sp500": Entry(SP500, load_sp500),
    "factors5": Entry(FACTORS5, load_factors5),
}
