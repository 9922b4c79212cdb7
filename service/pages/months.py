"""A table of monthly returns: years down, months across, each shaded by how far it went."""

from .twin import Fact

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
STEP_FRAC = 0.0125
"""A month's return is shaded one tone darker for each such step."""
TONES = 4


def month_row(year: str, total: Fact, returns: Fact) -> dict[str, object]:
    """A year of the table: `returns` by month as two digits, of which any may be absent."""
    cells = [_shaded(returns.maybe(f"{month:02d}")) for month in range(1, len(MONTHS) + 1)]
    return {"year": year, "total": total, "cells": cells}


def _shaded(cell: Fact | None) -> tuple[Fact | None, str]:
    """The cell and the classes that shade it."""
    if cell is None:
        return None, ""
    tone = min(TONES, int(abs(cell.number()) / STEP_FRAC) + 1)
    return cell, f"h{'n' if cell.number() < 0 else 'p'} t{tone}"
