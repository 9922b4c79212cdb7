"""Reads a CSV of weights: `symbol,weight`, fractions of equity, one row per symbol."""

import csv
from collections.abc import Collection
from math import isfinite
from pathlib import Path

from ..desk.errors import WeightsInvalid

MAX_GROSS = 10.0


def read_weights(path: Path, known: Collection[str]) -> dict[str, float]:
    """Weights by symbol; raises WeightsInvalid naming the file, the row and what to do."""
    try:
        with path.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise WeightsInvalid(f"{path}: cannot be read ({error})", remedy="Give a CSV with symbol,weight.") from error
    if not rows or not {"symbol", "weight"} <= set(rows[0]):
        found = ", ".join(rows[0]) if rows else "no rows"
        raise WeightsInvalid(f"{path}: found {found}", remedy="The first line must be symbol,weight; rows follow.")
    weights: dict[str, float] = {}
    for number, row in enumerate(rows, start=1):
        symbol = (row["symbol"] or "").strip().upper()
        if symbol not in known:
            raise WeightsInvalid(
                f"{path}, row {number}: {symbol!r} is not in the data set", remedy=f"It holds {', '.join(known)}."
            )
        if symbol in weights:
            raise WeightsInvalid(f"{path}, row {number}: {symbol} appears twice", remedy="Give each symbol once.")
        weights[symbol] = _weight(row["weight"], path, number)
    if not 0.0 < sum(abs(weight) for weight in weights.values()) <= MAX_GROSS:
        raise WeightsInvalid(
            f"{path}: the weights' sizes sum to {sum(map(abs, weights.values())):g}",
            remedy=f"Write fractions of equity, such as 0.05; together above 0 and at most {MAX_GROSS:g}.",
        )
    return weights


def _weight(text: str | None, path: Path, number: int) -> float:
    try:
        weight = float(text or "")
    except ValueError:
        weight = float("nan")
    if not isfinite(weight):
        raise WeightsInvalid(f"{path}, row {number}: weight {text!r} is not a number", remedy="Write it as 0.05.")
    return weight
