"""Reads a file of one underlying's option chain, strictly: a doubtful row is named and refused, never dropped."""

from pathlib import Path
from typing import Any

import numpy as np

from ..market.errors import DataFileError
from ..tools.chain_rows import Chain

Frame = Any
Column = Any
"""What pandas reads stays untyped until it is numpy arrays: its own types do not follow a selection by name."""

COLUMNS = ("file_date", "expiry", "strike", "right", "volume", "open_interest", "underlying_close")
SIDES = {"c": True, "call": True, "p": False, "put": False}


def read_chain(path: Path) -> Chain:
    """A Parquet or CSV file of one underlying's chain; raises DataFileError naming file, row and remedy.

    Columns: file_date, expiry, strike, right (C or P), volume, open_interest, underlying_close, and a price:
    `bid` and `ask`, whose middle is used where there is a bid, or `close`, used where the contract traded
    that day. Only open_interest may be unknown.
    """
    frame = _frame(path)
    priced = {"bid", "ask"} if {"bid", "ask"} <= set(frame.columns) else {"close"}
    missing = sorted({*COLUMNS, *priced} - set(frame.columns))
    if missing:
        raise DataFileError(
            f"{path}: columns {', '.join(missing)} are missing",
            remedy=f"A chain has {', '.join(COLUMNS)}, and close or bid and ask.",
            reason="columns",
        )
    if not len(frame):
        raise DataFileError(f"{path}: no rows", remedy="Give a file with quotes in it.", reason="empty")
    days, expiries = (_days(path, frame[name]) for name in ("file_date", "expiry"))
    numbers = {name: _numbers(path, frame[name]) for name in ("strike", "volume", "underlying_close", *priced)}
    sides = frame["right"].astype(str).str.strip().str.lower().map(SIDES)
    _refuse(path, sides.isna().to_numpy(), "right is neither C nor P", "side")
    interest = _numbers(path, frame["open_interest"], may_miss=True)
    for name in ("strike", "underlying_close"):
        _refuse(path, numbers[name] <= 0.0, f"{name} is not above 0", "price")
    for name in ("volume", *priced):
        _refuse(path, numbers[name] < 0.0, f"{name} is negative", "negative")
    _refuse(path, interest < 0.0, "open_interest is negative", "negative")
    _refuse(path, expiries < days, "the contract had expired before its file_date", "expired")
    _refuse_crossed(path, frame, numbers)
    seen = frame.assign(day=days, expiry=expiries, side=sides, strike=numbers["strike"])
    repeated = seen.duplicated(["day", "expiry", "strike", "side"]).to_numpy()
    _refuse(path, repeated, "the same contract and day appeared before", "duplicate")
    spots = seen.groupby("day")["underlying_close"].transform("first").to_numpy()
    _refuse(path, spots != numbers["underlying_close"], "underlying_close differs within one day", "underlying")
    quoted = priced == {"bid", "ask"}
    return Chain(
        underlying=_underlying(path, frame),
        day=days,
        expiry=expiries,
        strike=numbers["strike"],
        is_call=sides.to_numpy(dtype=bool),
        price=0.5 * (numbers["bid"] + numbers["ask"]) if quoted else numbers["close"],
        is_traded=numbers["bid"] > 0.0 if quoted else (numbers["volume"] > 0.0) & (numbers["close"] > 0.0),
        volume=numbers["volume"],
        open_interest=interest,
        spot=numbers["underlying_close"],
    )


def _frame(path: Path) -> Frame:
    kind = path.suffix.lower()
    if kind not in (".parquet", ".csv") or not path.is_file():
        found = "no such file" if kind in (".parquet", ".csv") else f"found a {kind or 'nameless'} file"
        raise DataFileError(
            f"{path}: {found}", remedy="Give the path of a Parquet or CSV file of a chain.", reason="file"
        )
    import pandas as pd

    try:
        return pd.read_parquet(path) if kind == ".parquet" else pd.read_csv(path)
    # pandas and pyarrow raise a dozen kinds of their own for a damaged file.
    except (OSError, ValueError) as error:
        raise DataFileError(
            f"{path}: cannot be read ({error})", remedy="Write the file again.", reason="file"
        ) from error


def _numbers(path: Path, column: Column, *, may_miss: bool = False) -> np.ndarray:
    import pandas as pd

    values = np.asarray(pd.to_numeric(column.astype(str), errors="coerce"), dtype=np.float64)
    doubtful = np.isinf(values) | (np.isnan(values) & column.notna().to_numpy() if may_miss else np.isnan(values))
    _refuse(path, doubtful, f"{column.name} is not a number", "not_a_number")
    return values


def _days(path: Path, column: Column) -> np.ndarray:
    """The day as written, whatever time or zone follows it."""
    import pandas as pd

    texts = column.astype(str).str.slice(0, 10)
    values = np.asarray(pd.to_datetime(texts, errors="coerce", format="%Y-%m-%d"), dtype="datetime64[D]")
    _refuse(path, np.isnat(values), f"{column.name} is not a day", "not_a_day")
    return values


def _refuse_crossed(path: Path, frame: Frame, numbers: dict[str, np.ndarray]) -> None:
    if "bid" in numbers:
        _refuse(path, numbers["bid"] > numbers["ask"], "bid is above ask: a crossed quote", "crossed")
    elif {"low", "high"} <= set(frame.columns):
        low, high = (_numbers(path, frame[name]) for name in ("low", "high"))
        outside = (low > high) | (numbers["close"] < low) | (numbers["close"] > high)
        _refuse(path, outside, "close does not lie between low and high", "crossed")


def _refuse(path: Path, wrong: np.ndarray, what: str, reason: str) -> None:
    if not wrong.any():
        return
    row = int(np.flatnonzero(wrong)[0]) + 1
    raise DataFileError(
        f"{path}, row {row}: {what} ({int(wrong.sum())} such rows)",
        remedy="Correct or drop these rows; none is dropped silently.",
        reason=reason,
        row=row,
    )


def _underlying(path: Path, frame: Frame) -> str:
    """One name for the whole file; its own name where no column says."""
    if "underlying" not in frame.columns:
        return path.stem
    names = sorted({str(name) for name in frame["underlying"].unique()})
    if len(names) != 1:
        raise DataFileError(
            f"{path}: holds {len(names)} underlyings ({', '.join(names[:5])})",
            remedy="Give one file for each.",
            reason="underlying",
        )
    return names[0]
