"""The `risk-models` command: every tail model judged out of sample, day by day, on an equal-weighted book.

docs/risk-model-validation.md is written by it, after `parley data import us88_daily_ohlcv_2012_2016h1.parquet
--name us88`: `parley risk-models --data us20,us88 --out docs/risk-model-validation.md`.
"""

from collections.abc import Callable
from datetime import date
from pathlib import Path

import numpy as np

from ..desk.book import Book
from ..desk.errors import BookError, SettingsInvalid
from ..quant.arrays import FloatArray
from ..quant.errors import SampleError, SolverError
from ..quant.risk_validation import validate_risk_models
from ..quant.tail_forecasts import WARMUP_DAYS
from ..quant.var_backtests import BASEL_DAYS
from ..tools.errors import NotEnoughData
from .console import Console
from .preparing import DEFAULT_DATA, parse_day
from .validation_table import (
    CANDIDATES,
    ES_LEVEL,
    SHORT_HEADER,
    VAR_LEVEL,
    WINDOW_DAYS,
    Judged,
    Sample,
    cells,
    document,
    markdown,
    plain_words,
    title,
)

DEFAULT_START = date(2000, 1, 1)
"""Of the default data only: two bear markets, 2008 and 2020 are in it, and quotes in sixteenths are nearly gone."""
SEED = 19_960_101


def perform_risk_models(
    data: str | None, start: str | None, end: str | None, out: Path | None, book: Path, console: Console
) -> None:
    first, last = parse_day(start, "--start"), parse_day(end, "--end")
    if first and last and first > last:
        raise SettingsInvalid(f"--start {first} is after --end {last}", remedy="Give them in order.")
    if out is not None and out.is_dir():
        raise BookError(f"{out}: is a folder", remedy="Give --out the name of a file.")
    samples = [_sample(Book(book), name, first, last) for name in _names(data)]
    total = len(samples) * len(CANDIDATES)
    with console.progress("risk models") as bar:
        tables = [
            judge_all(sample.returns, lambda done, before=place * len(CANDIDATES): bar(before + done, total))
            for place, sample in enumerate(samples)
        ]
    judged = list(zip(samples, tables, strict=True))
    if out is not None:
        _write(out, markdown(judged, _command(data, start, end, out)))
    console.result({"data": [document(sample, rows) for sample, rows in judged], "file": str(out) if out else None})
    for sample, rows in judged:
        console.table(title(sample), SHORT_HEADER, [cells(row)[: len(SHORT_HEADER)] for row in rows])
        for line in plain_words(rows):
            console.say(f"  {line}")
    if out is not None:
        console.say(f"\nFile: {out}")


def judge_all(returns: FloatArray, done: Callable[[int], None]) -> tuple[Judged, ...]:
    """Every candidate on the same days; one that refuses the sample says why, and the others go on."""
    weights = np.full(returns.shape[1], 1.0 / returns.shape[1])
    streams = np.random.default_rng(SEED).spawn(len(CANDIDATES))
    rows: list[Judged] = []
    for place, (candidate, stream) in enumerate(zip(CANDIDATES, streams, strict=True)):
        # A shorter window begins later, so that all are judged on the same days.
        tail = returns[WINDOW_DAYS - candidate.window_days :]
        try:
            (record,) = validate_risk_models(
                weights,
                tail,
                stream,
                models=(candidate.model,),
                window_days=candidate.window_days,
                var_level=VAR_LEVEL,
                es_level=ES_LEVEL,
            )
            rows.append(Judged(candidate, record))
        except (SampleError, SolverError) as error:
            rows.append(Judged(candidate, None, error.message))
        done(place + 1)
    return tuple(rows)


def _names(data: str | None) -> list[str]:
    """One name or file, or several with commas between them."""
    asked = data or DEFAULT_DATA
    names = [asked] if Path(asked).is_file() else [name.strip() for name in asked.split(",")]
    if not all(names) or len(set(names)) < len(names):
        raise SettingsInvalid(
            f"--data {asked!r} has an empty or a repeated name", remedy="Name each data set once, as in us20,us5."
        )
    return names


def _sample(book: Book, name: str, start: date | None, end: date | None) -> Sample:
    data = book.load(name)
    history = data.history()
    days = history.sessions_between(start or (DEFAULT_START if name == DEFAULT_DATA else None), end)
    needed = WINDOW_DAYS + WARMUP_DAYS + BASEL_DAYS + 1
    if len(days) < needed:
        raise NotEnoughData(
            f"{name}: {len(days)} sessions from {days[0]} to {days[-1]}, a validation needs {needed}",
            remedy="Give a longer period with --start and --end, or another data set.",
        )
    view = history.as_of(history.close_time(days[-1]))
    closes = view.close[-len(days) :]
    whole = np.atleast_1d(np.isfinite(closes).all(axis=0))
    if not whole.any():
        raise NotEnoughData(
            f"{name}: no instrument has a close on each of the {len(days)} sessions from {days[0]} to {days[-1]}",
            remedy=f"Choose a shorter period, or see where the gaps are with `parley data check {name}`.",
        )
    kept = closes[:, whole]
    return Sample(
        data=data,
        first=days[0],
        last=days[-1],
        names=tuple(symbol for symbol, keep in zip(view.symbols, whole, strict=True) if keep),
        left_out=tuple(symbol for symbol, keep in zip(view.symbols, whole, strict=True) if not keep),
        returns=kept[1:] / kept[:-1] - 1.0,
    )


def _command(data: str | None, start: str | None, end: str | None, out: Path) -> str:
    options = (("--data", data), ("--start", start), ("--end", end), ("--out", out.as_posix()))
    return "parley risk-models" + "".join(f" {name} {value}" for name, value in options if value)


def _write(path: Path, text: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise BookError(
            f"{path}: cannot be written ({error.strerror or error})", remedy="Give --out a file you may write."
        ) from error
