"""Profit by factor: betas times factor returns on each day's equity, and what no factor explains."""

from collections.abc import Sequence
from decimal import Decimal

import numpy as np

from ...quant.arrays import FloatArray
from ...quant.factors import fit_factors
from ...tools.attribution import MODELS, FactorTable
from .cells import Session
from .cents import in_cents
from .splits import Split

NOT_EXPLAINED, OTHER_DAYS, CASH_RATE = "not explained by factors", "days without factors", "cash rate"


def by_factor(
    name: str,
    title: str,
    sessions: Sequence[Session],
    names: Sequence[str],
    days: Sequence[str],
    factors: FloatArray,
    cash: FloatArray | None = None,
) -> Split:
    """The betas are those of the run's own days, (n_days, n_factors) `factors` on the `days` that have them.

    With a `cash` rate, (n_days,), returns are explained above it, and the rate is a part of its own.
    """
    place = {day: row for row, day in enumerate(days)}
    pairs = [(session, place[str(session.day)]) for session in sessions[1:] if str(session.day) in place]
    equity = np.array([float(session.equity_before) for session, _ in pairs])
    made = np.array([float(session.equity - session.equity_before) for session, _ in pairs])
    rows = np.array([row for _, row in pairs], dtype=np.int64)
    rate = np.zeros(len(rows)) if cash is None else cash[rows]
    fit = fit_factors(made / equity - rate, factors[rows], names)
    amounts = fit.betas * (equity @ factors[rows])
    parts: dict[str, Decimal | float] = dict(zip(names, amounts.tolist(), strict=True))
    if cash is not None:
        parts[CASH_RATE] = float(equity @ rate)
    parts[NOT_EXPLAINED] = float(made.sum()) - sum(float(value) for value in parts.values())
    profit = sessions[-1].equity - sessions[0].equity_before
    if len(pairs) < len(sessions) - 1:
        parts[OTHER_DAYS] = float(profit) - float(made.sum())
    note = (
        f"Regression over {len(pairs)} days, R squared {fit.r_squared:.2f}; the day's equity times beta times factor."
    )
    return Split(name, title, in_cents(parts, profit), note)


def by_file(sessions: Sequence[Session], table: FactorTable) -> Split:
    """By the largest known model whose factors are all in the file, or else by all of its columns."""
    known = [factors for factors in MODELS.values() if set(factors) <= set(table.columns)]
    names = max(known, key=len, default=tuple(table.columns))
    values = np.column_stack([table.columns[name] for name in names])
    whole = np.asarray(np.isfinite(values).all(axis=1))
    if table.cash is not None:
        whole = whole & np.isfinite(table.cash)
    factors = np.column_stack([table.columns[name][whole] for name in names])
    days = [str(day) for day in table.days[whole].astype("datetime64[D]")]
    cash = None if table.cash is None else table.cash[whole]
    return by_factor("file_factor", f"By factor of {table.source}", sessions, names, days, factors, cash)
