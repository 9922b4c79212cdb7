"""Daily arrays from tables that lie in installed packages or beside each other: what the built-in data sets share."""

from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..domain.instruments import AssetClass, Instrument, Universe
from .cards import FINE_TICK
from .errors import DataFileError
from .panel import FloatArray, Panel
from .sessions import session_calendar

if TYPE_CHECKING:
    from pandas import DataFrame

BENCHMARK = "SPX"


def packaged(package: str, inside: str) -> "DataFrame":
    """A table from within an installed package; raises DataFileError where it is not there."""
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


def daily_panel(
    days: np.ndarray,
    symbols: tuple[str, ...],
    fields: dict[str, FloatArray],
    benchmark: FloatArray | None = None,
    vix: FloatArray | None = None,
    benchmark_name: str = BENCHMARK,
) -> Panel:
    """Daily bars on the exchange's days, each known at its session's close."""
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
        benchmark_name=None if benchmark is None else benchmark_name,
        vix=vix,
    )


def universe_of(name: str, sectors: dict[str, str], kind: AssetClass, benchmark: str | None) -> Universe:
    """Instruments of one class, by symbol and sector."""
    instruments = tuple(
        Instrument(symbol=symbol, asset_class=kind, sector=sector, tick=FINE_TICK, lot=1)
        for symbol, sector in sectors.items()
    )
    return Universe(name=name, instruments=instruments, benchmark=benchmark)


def aligned(days: np.ndarray, source_days: np.ndarray, values: FloatArray) -> FloatArray:
    """Values on the given days, NaN where the source has none."""
    found = np.full(len(days), np.nan)
    _, here, there = np.intersect1d(days, source_days, return_indices=True)
    found[here] = values[there]
    return found


def days_of(texts: list[str]) -> np.ndarray:
    """Days from ISO text."""
    return np.array(texts, dtype="datetime64[D]")


def american_days(texts: list[str]) -> np.ndarray:
    """Days from month/day/year text."""
    parts = [text.split("/") for text in texts]
    return days_of([f"{year}-{int(month):02d}-{int(day):02d}" for month, day, year in parts])
