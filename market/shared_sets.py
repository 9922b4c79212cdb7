"""Data sets built from the recorded factor files: the market as a fund, and a Treasury bond repriced from the curve.

The files are not shipped; the variable PARLEY_SHARED_DATA names the folder that holds `factors/`.
"""

import os
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..domain.instruments import AssetClass, Instrument, Universe
from ..quant.par_bonds import par_bond_returns
from .cards import FINE_TICK, DataCard, DataSet
from .daily_arrays import BENCHMARK, aligned, daily_panel
from .errors import DataFileError
from .packaged_sets import US20, Entry, load_us20
from .panel import FloatArray, Panel
from .sessions import session_calendar

if TYPE_CHECKING:
    from pandas import DataFrame

VARIABLE = "PARLEY_SHARED_DATA"
CURVE = "factors/us_treasury_curve_daily_1990_2017.parquet"
VIX = "factors/vix_daily_1990_2024.parquet"
FAMA_FRENCH = "factors/fama_french_daily_1926_2024.parquet"

BOND, BOND_YEARS = "UST10", 10.0
TENORS = {"5year": 5.0, "7year": 7.0, "10year": 10.0}
MARKET = "MKT"
FIRST_DAY = date(1990, 1, 2)
LAST_CURVE_DAY = date(2017, 3, 29)
BASE_LEVEL = 100.0

BOND_NOTES = (
    "UST10: a 10-year par bond bought each day, sold at the next day's Treasury par curve, and rolled; no such fund "
    "was for sale at these prices",
    "the curve is of mid afternoon in New York and ends on 2017-03-29; on the bond market's own holidays UST10 "
    "stands still",
)
VIX_NOTE = "vix: the previous session's close, because it is set 15 minutes after the stock close"
SOURCE_NOTE = f"needs the recorded factor files: set {VARIABLE} to the folder that holds factors/"
TREASURY = "US Treasury par curve (public domain; file Apache-2.0), Cboe VIX (PDDL)"

US20_BOND = replace(
    US20,
    name="us20+bond",
    title="20 large US stocks and a 10-year US Treasury bond, daily closes",
    source=f"{US20.source}; {TREASURY}",
    last_session=LAST_CURVE_DAY,
    notes=(*US20.notes, *BOND_NOTES, VIX_NOTE, SOURCE_NOTE),
)
MARKET_CARD = DataCard(
    name="market",
    title="the whole US stock market as one fund, daily total return",
    source="Kenneth R. French data library, Mkt-RF plus RF; Cboe VIX",
    license="copyright K. R. French, free to use with attribution; VIX PDDL",
    first_session=FIRST_DAY,
    last_session=date(2024, 7, 31),
    frequency="daily",
    close_only=True,
    adjusted=True,
    survivorship="none: every listed US stock while it was listed, delisted ones included",
    notes=(
        "MKT: value-weighted total return from a base of 100; a fund that tracks it without cost",
        VIX_NOTE,
        SOURCE_NOTE,
    ),
)
MARKET_BOND = replace(
    MARKET_CARD,
    name="market+bond",
    title="the whole US stock market and a 10-year US Treasury bond, daily closes",
    source=f"{MARKET_CARD.source}; {TREASURY}",
    last_session=LAST_CURVE_DAY,
    notes=(MARKET_CARD.notes[0], *BOND_NOTES, VIX_NOTE, SOURCE_NOTE),
)


def load_us20_bond() -> DataSet:
    """The stocks of us20, to the end of the curve, and the bond."""
    stocks = load_us20()
    kept = stocks.panel.sessions <= np.datetime64(LAST_CURVE_DAY, "D")
    days, benchmark = stocks.panel.sessions[kept], stocks.panel.benchmark
    closes = np.column_stack([stocks.panel.close[kept], _bond_level(days)])
    panel = _panel(days, (*stocks.panel.symbols, BOND), closes, None if benchmark is None else benchmark[kept])
    instruments = (*stocks.universe.instruments, _instrument(BOND, AssetClass.BOND, "US Treasury"))
    universe = Universe(name=US20_BOND.name, instruments=instruments, benchmark=stocks.universe.benchmark)
    return DataSet(US20_BOND, panel, universe)


def load_market() -> DataSet:
    """The market alone."""
    days, level = _market()
    universe = Universe(name=MARKET_CARD.name, instruments=(_market_fund(),), benchmark=MARKET)
    return DataSet(MARKET_CARD, _panel(days, (MARKET,), level[:, None], level, MARKET), universe)


def load_market_bond() -> DataSet:
    """The market and the bond, to the end of the curve."""
    days, level = _market()
    kept = days <= np.datetime64(LAST_CURVE_DAY, "D")
    days, level = days[kept], level[kept]
    panel = _panel(days, (MARKET, BOND), np.column_stack([level, _bond_level(days)]), level, MARKET)
    instruments = (_market_fund(), _instrument(BOND, AssetClass.BOND, "US Treasury"))
    return DataSet(MARKET_BOND, panel, Universe(name=MARKET_BOND.name, instruments=instruments, benchmark=MARKET))


def bill_returns(days: np.ndarray) -> FloatArray | None:
    """Daily return of one-month Treasury bills (n_days,) on each day; None without the file or past its end."""
    try:
        frame = _factor_file(FAMA_FRENCH)
    except DataFileError:
        return None
    found = aligned(days, _days(frame), frame["RF"].to_numpy(dtype=np.float64))
    return found if np.isfinite(found).all() else None


SHARED = {
    "us20+bond": Entry(US20_BOND, load_us20_bond),
    "market": Entry(MARKET_CARD, load_market),
    "market+bond": Entry(MARKET_BOND, load_market_bond),
}


def _panel(
    days: np.ndarray, symbols: tuple[str, ...], closes: FloatArray, benchmark: FloatArray | None, name: str = BENCHMARK
) -> Panel:
    frame = _factor_file(VIX)
    at_close = aligned(days, _days(frame), frame["close"].to_numpy(dtype=np.float64))
    # The VIX of a day is set at 16:15 in New York, after the closes of that day are known.
    return daily_panel(days, symbols, {"close": closes}, benchmark, np.r_[np.nan, at_close[:-1]], name)


def _bond_level(days: np.ndarray) -> FloatArray:
    """The bond's worth at each close; where the curve has no row it is the last one."""
    curve = _factor_file(CURVE)
    known = _days(curve)
    returns = par_bond_returns(
        known, curve[list(TENORS)].to_numpy(dtype=np.float64), np.array(list(TENORS.values())), BOND_YEARS
    )
    level = BASE_LEVEL * np.r_[1.0, np.cumprod(1.0 + returns)]
    return level[np.searchsorted(known, days, side="right") - 1]


def _market() -> tuple[np.ndarray, FloatArray]:
    frame = _factor_file(FAMA_FRENCH)
    days = _days(frame)
    returns: FloatArray = (frame["Mkt-RF"] + frame["RF"]).to_numpy(dtype=np.float64)
    kept = days >= np.datetime64(FIRST_DAY, "D")
    calendar = session_calendar("XNYS", FIRST_DAY, days[-1].item())
    kept[kept] = calendar.rows_of(days[kept]) >= 0
    level: FloatArray = np.cumprod(1.0 + returns[kept], dtype=np.float64)
    return days[kept], BASE_LEVEL * level


def _market_fund() -> Instrument:
    return _instrument(MARKET, AssetClass.FUND, "Index")


def _instrument(symbol: str, kind: AssetClass, sector: str) -> Instrument:
    return Instrument(symbol=symbol, asset_class=kind, sector=sector, tick=FINE_TICK, lot=1)


def _days(frame: "DataFrame") -> np.ndarray:
    return frame["date"].to_numpy().astype("datetime64[D]")


def _factor_file(name: str) -> "DataFrame":
    import pandas as pd

    folder = os.environ.get(VARIABLE, "")
    path = Path(folder) / name
    if not folder or not path.is_file():
        where = f"{path} is not there" if folder else f"{VARIABLE} is not set"
        raise DataFileError(
            f"this data set is built from {name}, and {where}.",
            remedy=f"Set {VARIABLE} to the folder of recorded data that holds factors/.",
            reason="unreadable",
        )
    try:
        return pd.read_parquet(path)
    except (OSError, ValueError) as error:
        raise DataFileError(
            f"{path}: cannot be read: {error}", remedy="Fetch the file again.", reason="unreadable"
        ) from error
