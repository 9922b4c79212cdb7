"""Reads a file of daily factor returns, strictly: a doubtful row is named and refused, never dropped."""

from pathlib import Path
from typing import Any

import numpy as np

from ..market.errors import DataFileError
from ..tools.attribution import FactorTable

DATE, CASH = "date", "RF"
MAX_DAILY_VOL = 0.15
"""No factor moves so much a day; one that does is written in percent, as the published files are."""
_SHAPE = "A factor file has a `date` and a column for each factor, as fractions; `RF` is the return of cash."

Frame = Any
"""What pandas reads stays untyped until it is numpy arrays."""


def read_factors(path: Path) -> FactorTable:
    """A Parquet or CSV file of factors; raises DataFileError naming file, row and remedy.

    A factor may begin later than the file (empty cells before its first value); a gap after that is refused.
    """
    frame = _frame(path)
    names = [str(name) for name in frame.columns if str(name) not in (DATE, CASH)]
    if DATE not in frame.columns or not names:
        found = ", ".join(str(name) for name in frame.columns) or "no columns"
        raise DataFileError(f"{path}: found {found}", remedy=_SHAPE, reason="columns")
    if len(frame) < 2:
        raise DataFileError(f"{path}: {len(frame)} rows", remedy="Give a file with a history.", reason="no_rows")
    days = _days(path, frame[DATE])
    columns = {name: _column(path, frame[name], name) for name in names}
    cash = _column(path, frame[CASH], CASH) if CASH in frame.columns else None
    return FactorTable(path.name, days, columns, cash)


def _frame(path: Path) -> Frame:
    kind = path.suffix.lower()
    if kind not in (".parquet", ".csv") or not path.is_file():
        found = "no such file" if kind in (".parquet", ".csv") else f"found a {kind or 'nameless'} file"
        raise DataFileError(f"{path}: {found}", remedy="Give the path of a Parquet or CSV file.", reason="file")
    import pandas as pd

    try:
        return pd.read_parquet(path) if kind == ".parquet" else pd.read_csv(path)
    # pandas and pyarrow raise a dozen kinds of their own for a damaged file.
    except (OSError, ValueError) as error:
        remedy = "Write the file again."
        raise DataFileError(f"{path}: cannot be read ({error})", remedy=remedy, reason="file") from error


def _days(path: Path, column: Frame) -> np.ndarray:
    import pandas as pd

    texts = column.astype(str).str.slice(0, 10)
    days = np.asarray(pd.to_datetime(texts, errors="coerce", format="%Y-%m-%d"), dtype="datetime64[D]")
    _refuse(path, np.isnat(days), "date is not a day written as YYYY-MM-DD")
    _refuse(path, np.append(False, days[1:] <= days[:-1]), "date is not after the one before it")
    return days


def _column(path: Path, column: Frame, name: str) -> np.ndarray:
    import pandas as pd

    values = np.asarray(pd.to_numeric(column, errors="coerce"), dtype=np.float64)
    _refuse(path, np.isnan(values) & column.notna().to_numpy(), f"{name} is not a number")
    known = np.isfinite(values)
    if not known.any():
        raise DataFileError(f"{path}: {name} is empty", remedy="Drop the column.", reason="empty")
    _refuse(path, ~known & (np.arange(len(values)) > int(known.argmax())), f"{name} has a gap")
    size = float(np.std(values[known]))
    if size > MAX_DAILY_VOL:
        raise DataFileError(
            f"{path}: {name} moves by {size:.3g} a day, which is no fraction",
            remedy="Published files are in percent: divide by 100.",
            reason="percent",
        )
    _refuse(path, known & (values <= -1.0), f"{name} is -100 % or less")
    return values


def _refuse(path: Path, wrong: np.ndarray, what: str) -> None:
    if not wrong.any():
        return
    row = int(np.flatnonzero(wrong)[0]) + 1
    raise DataFileError(
        f"{path}, row {row}: {what} ({int(wrong.sum())} such rows)",
        remedy="Correct these rows; none is dropped silently.",
        reason="row",
        row=row,
    )
