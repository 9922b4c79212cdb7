"""The two repairs an import may be asked for: rows put in order of time, and exact repeats dropped."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from .findings import Finding, in_order
from .tables import Table, with_rows


@dataclass(frozen=True, slots=True, eq=False)
class Repaired:
    """The sorted table; `repairs` says what was done to which row of the file, `refused` what remains wrong."""

    table: Table
    repairs: tuple[Finding, ...]
    refused: list[Finding]


def sort_rows(table: Table, findings: Sequence[Finding]) -> Repaired:
    """Sort by symbol and time and drop rows that repeat another in every column.

    Two rows of one symbol and time that differ in any column stay refused: nobody can tell which is true.
    Ticks are only sorted, since two equal prints at one instant are two trades.
    """
    order = np.lexsort((table.utc, table.symbol_codes))
    repeats = np.zeros(len(order), dtype=bool)
    if table.kind != "ticks":
        repeats[1:] = _equal_neighbours(with_rows(table, order))
    first_of = {int(order[at]) + 1: int(order[at - 1]) + 1 for at in np.flatnonzero(repeats).tolist()}
    repairs: list[Finding] = []
    refused: list[Finding] = []
    for item in findings:
        if item.code == "unsorted":
            repairs.append(replace(item, text="the time was earlier than in the symbol's previous row: put in order."))
        elif item.code == "duplicate" and item.row in first_of:
            repairs.append(replace(item, text=f"repeats row {first_of[item.row]} in every column: dropped."))
        else:
            refused.append(item)
    return Repaired(with_rows(table, order[~repeats]), in_order(repairs), refused)


def _equal_neighbours(table: Table) -> npt.NDArray[np.bool_]:
    """(n_rows - 1,) whether each row equals the one before it."""
    equal = table.symbol_codes[1:] == table.symbol_codes[:-1]
    for times in (table.utc, table.wall):
        equal &= times[1:] == times[:-1]
    for values in table.numbers.values():
        equal &= (values[1:] == values[:-1]) | (np.isnan(values[1:]) & np.isnan(values[:-1]))
    for texts in table.texts.values():
        # Missing text comes as NaN or None, depending on the file's form; both print the same in every row.
        words = texts.astype(str)
        equal &= words[1:] == words[:-1]
    return equal
