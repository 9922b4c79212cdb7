"""Where a record's return came from: published factors, and factors made of the data set's own names."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..market.history import MarketView
from ..quant.arrays import DAYS_PER_YEAR, FloatArray
from ..quant.bootstrap import MIN_INTERVAL_DAYS, percentile_interval
from ..quant.errors import SampleError
from ..quant.factor_models import characteristic_factor
from ..quant.factors import (
    FF3_FACTORS,
    FF5_MOMENTUM_FACTORS,
    attribute_return,
    fit_factors,
    newey_west_lags,
    rolling_betas,
)
from ..quant.performance import sharpe
from ..quant.sharpe_bootstrap import sharpe_draws
from .errors import NotEnoughData
from .ledger import Ledger, figure, figures
from .track_record import INTERVAL_SEED, ROLLING_DAYS, TrackRecord, interval_of, thinned

MODELS: Mapping[str, tuple[str, ...]] = {
    "Fama-French 3": FF3_FACTORS,
    "Fama-French 5 and momentum": FF5_MOMENTUM_FACTORS,
}
OWN_MODEL = "the data set's own names"
MOMENTUM_DAYS, SKIPPED_DAYS = 252, 21
VOLATILITY_DAYS = 126
MIN_OWN_NAMES = 6

FACTOR_CONVENTIONS = {
    "returns": "Simple daily returns above cash where the factors bring a cash rate; arithmetic sums, so parts add up.",
    "errors": "Newey-West, Bartlett weights, floor(4 (n / 100)^(2/9)) lags.",
    "part": "Beta times the sum of the factor's returns, over all days, per year of 252 days.",
    "alpha": "What no factor explains, a year; the model's own residual sums to zero on the days of its fit.",
    "own": "Momentum: return of the year before last month, best 30 % of names less worst. "
    "Low volatility: calmest 30 % over half a year less wildest. Formed at the close before.",
}


@dataclass(frozen=True, slots=True, eq=False)
class FactorTable:
    """Daily factor returns by name, as fractions, and the return of cash where the file has it."""

    source: str
    days: npt.NDArray[np.datetime64]
    """(n_days,) ascending."""
    columns: Mapping[str, FloatArray]
    """(n_days,) each; NaN before a factor begins."""
    cash: FloatArray | None


def factor_attribution(ledger: Ledger, record: TrackRecord, table: FactorTable) -> tuple[str, dict[str, object]]:
    """Exposures with HAC errors, contributions that add up, and rolling betas, by each model the file has.

    Raises NotEnoughData when fewer than 42 of the record's days are in the file.
    """
    own, rows = _shared_days(record, table)
    cash = np.zeros(len(rows)) if table.cash is None else table.cash[rows]
    excess = record.returns[own] - cash
    days = [record.days[row + 1] for row in own.tolist()]
    models = {}
    for name, factors in _models(table).items():
        values = np.column_stack([table.columns[factor][rows] for factor in factors])
        models[name] = _explained(excess, values, factors, days)
    output: dict[str, object] = {
        "source": table.source,
        "first_day": days[0],
        "last_day": days[-1],
        "days": len(days),
        "days_without_factors": len(record.returns) - len(days),
        "has_cash": table.cash is not None,
        **_above_cash(excess),
        "models": models,
        "conventions": dict(FACTOR_CONVENTIONS),
    }
    inputs = {**record.inputs, "source": table.source, "days": len(days)}
    return ledger.record("factor_attribution", 1, "as named", inputs, output).id, output


def own_attribution(ledger: Ledger, record: TrackRecord, view: MarketView) -> tuple[str, dict[str, object]]:
    """The record explained by its market, and by momentum and low volatility among the data set's own names.

    Needs no file. What the data cannot support is refused in the entry.
    """
    try:
        names, days, factors, own = own_factors(record, view)
        output: dict[str, object] = {
            "names": len(view.symbols),
            "first_day": days[0],
            "last_day": days[-1],
            "days": len(days),
            "models": {OWN_MODEL: _explained(record.returns[own], factors, names, days)},
            "conventions": dict(FACTOR_CONVENTIONS),
        }
    except (NotEnoughData, SampleError) as error:
        output = {"refused": error.message}
    return ledger.record("own_attribution", 1, "as named", record.inputs, output).id, output


def own_factors(
    record: TrackRecord, view: MarketView
) -> tuple[tuple[str, ...], list[str], FloatArray, npt.NDArray[np.int64]]:
    """Factors of the data set's own names over a record's days: the index, and what its characteristics earned.

    Their names, their days, (n_days, n_factors) returns, and the rows of the record's returns; each day's weights
    know closes up to the one before. Raises NotEnoughData for too few names or days.
    """
    place = int(np.searchsorted(view.sessions, record.sessions[0]))
    first = max(place, MOMENTUM_DAYS)
    closes = view.close[first - MOMENTUM_DAYS :]
    whole = np.isfinite(closes).all(axis=0)
    if int(whole.sum()) < MIN_OWN_NAMES or len(view.close) - first <= MIN_INTERVAL_DAYS:
        raise NotEnoughData(
            f"{int(whole.sum())} names with a close on every one of {len(closes)} days, factors of its own need "
            f"{MIN_OWN_NAMES} names and a year before {MIN_INTERVAL_DAYS} days of the record"
        )
    closes = closes[:, whole]
    returns = closes[1:] / closes[:-1] - 1.0
    held = returns[MOMENTUM_DAYS - 1 :]
    momentum = closes[MOMENTUM_DAYS - SKIPPED_DAYS : -SKIPPED_DAYS] / closes[:-MOMENTUM_DAYS] - 1.0
    windows = np.lib.stride_tricks.sliding_window_view(returns, VOLATILITY_DAYS, axis=0)
    calm = -windows.std(axis=-1, ddof=1)[-len(held) :]
    made = {"Momentum": characteristic_factor(held, momentum), "Low volatility": characteristic_factor(held, calm)}
    days = view.sessions[first + 1 :]
    market, own, rows = np.intersect1d(record.sessions[1:], days, return_indices=True)
    columns = [record.benchmark_returns[own], *(factor[rows] for factor in made.values())]
    texts = [str(day) for day in market.astype("datetime64[D]")]
    return (record.benchmark_name, *made), texts, np.column_stack(columns), own.astype(np.int64)


def _explained(excess: FloatArray, factors: FloatArray, names: Sequence[str], days: Sequence[str]) -> dict[str, object]:
    fit = fit_factors(excess, factors, names)
    split = attribute_return(excess, factors, fit)
    per_year = DAYS_PER_YEAR / len(excess)
    found: dict[str, object] = {
        "names": list(names),
        "betas": figures(names, fit.betas.tolist()),
        "std_errors": figures(names, fit.beta_se.tolist()),
        "t": figures(names, fit.beta_t.tolist()),
        "alpha_per_year": figure(fit.alpha * DAYS_PER_YEAR),
        "alpha_std_error": figure(fit.alpha_se * DAYS_PER_YEAR),
        "alpha_t": figure(fit.alpha_t),
        "r_squared": figure(fit.r_squared),
        "newey_west_lags": newey_west_lags(len(excess)),
        "parts_per_year": figures(names, (split.by_factor * per_year).tolist()),
        "alpha_part_per_year": figure(split.alpha * per_year),
        "total_per_year": figure(split.total * per_year),
    }
    if len(excess) > ROLLING_DAYS:
        betas = rolling_betas(excess, factors, ROLLING_DAYS)
        rows = thinned(len(betas))
        found["rolling"] = {
            "window_days": ROLLING_DAYS,
            "days": [days[row + ROLLING_DAYS - 1] for row in rows],
            "betas": {name: [figure(betas[row, k]) for row in rows] for k, name in enumerate(names)},
        }
    return found


def _above_cash(excess: FloatArray) -> dict[str, float | None]:
    found = percentile_interval(sharpe_draws(excess, np.random.default_rng(INTERVAL_SEED)))
    return {"sharpe_above_cash": figure(sharpe(excess)), **interval_of("sharpe_above_cash", found)}


def _models(table: FactorTable) -> dict[str, tuple[str, ...]]:
    """The known models whose factors are all there; else all columns as one model."""
    found = {name: factors for name, factors in MODELS.items() if set(factors) <= set(table.columns)}
    return found or {"all factors of the file": tuple(table.columns)}


def _shared_days(record: TrackRecord, table: FactorTable) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Rows of the record's returns and of the table that fall on the same days, with every factor known."""
    known = np.isfinite(np.column_stack([table.columns[name] for names in _models(table).values() for name in names]))
    whole = known.all(axis=1) if table.cash is None else known.all(axis=1) & np.isfinite(table.cash)
    usable = np.flatnonzero(whole)
    _, own, rows = np.intersect1d(record.sessions[1:], table.days[usable], return_indices=True)
    if len(own) < MIN_INTERVAL_DAYS:
        span = f"{table.days[usable[0]]} to {table.days[usable[-1]]}" if len(usable) else "no day with all factors"
        raise NotEnoughData(
            f"{table.source}: {len(own)} of the record's days have factors, {MIN_INTERVAL_DAYS} are needed; it holds "
            f"{span}, the record runs from {record.days[1]} to {record.days[-1]}",
            remedy="Give a factor file that covers the record's days.",
        )
    return own.astype(np.int64), usable[rows].astype(np.int64)
