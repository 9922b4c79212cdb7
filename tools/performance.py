"""What a record of daily equity is worth: its figures with intervals, against a benchmark, and by year and crisis."""

import numpy as np

from ..quant.benchmark_metrics import (
    alpha_beta,
    capture_ratio,
    information_ratio,
    sharpe_difference_interval,
    tracking_error,
)
from ..quant.bootstrap import BLOCK_DAYS, N_DRAWS, percentile_interval
from ..quant.errors import SampleError
from ..quant.factors import rolling_betas
from ..quant.path_metrics import Drawdowns, calmar, drawdowns, hit_rate, moments, rolling_sharpe, tail_ratio
from ..quant.performance import max_drawdown, sharpe, summarize
from ..quant.sharpe_bootstrap import sharpe_draws
from ..quant.stress import historical_scenarios
from ..quant.var import annual_volatility
from .errors import NotEnoughData
from .ledger import Ledger, figure
from .track_record import (
    INTERVAL_SEED,
    ROLLING_DAYS,
    TrackRecord,
    defined,
    grown,
    interval_of,
    or_none,
    period_ends,
    thinned,
)

WORST_SHOWN = 5

CONVENTIONS = {
    "returns": "Simple daily returns of net equity, from close to close; a year is 252 days.",
    "sharpe": "Mean over standard deviation (ddof 1) of daily returns times sqrt(252), cash at zero.",
    "interval": f"95 %, percentiles of {N_DRAWS:,} stationary bootstrap draws with blocks of {BLOCK_DAYS} days on "
    "average.",
    "sortino": "As the Sharpe ratio, over the downside deviation below zero, which divides by all days.",
    "calmar": "Compound annual return over the largest drawdown of the whole record.",
    "drawdown": "Fall from the highest equity so far, the start included; lengths in sessions.",
    "hit_rate": "Days above zero among days that moved.",
    "tail_ratio": "95 % quantile over minus the 5 % quantile of daily returns.",
    "moments": "Population moments of daily returns; a normal has skewness 0 and kurtosis 3.",
    "turnover": "Buys plus sells a year over mean equity; buying the book counts.",
}


def performance_figures(ledger: Ledger, record: TrackRecord) -> tuple[str, dict[str, object]]:
    """Return, risk, ratios with intervals, the worst drawdowns and what the record cost; each with its convention.

    A figure that does not exist for this record is null, and `undefined` says why.
    """
    summary, falls, undefined = summarize(record.equity), drawdowns(record.equity), dict[str, str]()
    best, worst = int(record.returns.argmax()), int(record.returns.argmin())
    shape = defined(lambda: moments(record.returns), "moments", undefined)
    output: dict[str, object] = {
        **record.span,
        "total_return": figure(summary.total_return),
        "annual_return": figure(summary.annual_return),
        "annual_volatility": figure(summary.annual_volatility),
        "sharpe": or_none(summary.sharpe),
        **interval_of(
            "sharpe", defined(lambda: percentile_interval(record.sharpe_draws), "sharpe_interval", undefined)
        ),
        "sortino": or_none(summary.sortino),
        "calmar": or_none(defined(lambda: calmar(record.equity), "calmar", undefined)),
        "max_drawdown": figure(summary.max_drawdown),
        "under_water_frac": figure(falls.under_water_frac),
        "ulcer": figure(falls.ulcer),
        "hit_rate": or_none(defined(lambda: hit_rate(record.returns), "hit_rate", undefined)),
        "tail_ratio": or_none(defined(lambda: tail_ratio(record.returns), "tail_ratio", undefined)),
        "skewness": None if shape is None else figure(shape[0]),
        "kurtosis": None if shape is None else figure(shape[1]),
        "best_day": {"day": record.days[best + 1], "return": figure(float(record.returns[best]))},
        "worst_day": {"day": record.days[worst + 1], "return": figure(float(record.returns[worst]))},
        "turnover": figure(record.turnover),
        "costs_bps": figure(record.costs_bps),
        "drawdowns": _worst_drawdowns(record, falls),
        "rolling": defined(lambda: _rolling_sharpe(record), "rolling", undefined),
        "undefined": undefined,
        "conventions": dict(CONVENTIONS),
    }
    return ledger.record("performance_figures", 1, "as named", record.inputs, output).id, output


def against_benchmark(ledger: Ledger, record: TrackRecord) -> tuple[str, dict[str, object]]:
    """Alpha, beta, tracking error, information ratio and capture against the record's benchmark, cash at zero.

    Standard errors are Newey and West's; the information ratio and the difference of Sharpe ratios come with
    bootstrap intervals, the latter on paired days. Without a benchmark the entry says so.
    """
    try:
        output: dict[str, object] = _compared(record)
    except (NotEnoughData, SampleError) as error:
        output = {"refused": error.message}
    return ledger.record("against_benchmark", 1, "as named", record.inputs, output).id, output


def by_period(ledger: Ledger, record: TrackRecord) -> tuple[str, dict[str, object]]:
    """Returns by month and year, and through every dated crisis that the record saw whole."""
    months = period_ends(record, "datetime64[M]")
    years = period_ends(record, "datetime64[Y]")
    table: dict[str, dict[str, float]] = {}
    for first, last in months:
        table.setdefault(record.days[last][:4], {})[record.days[last][5:7]] = grown(record.equity, first, last)
    found = [value for row in table.values() for value in row.values()]
    output: dict[str, object] = {
        "years": [{"year": record.days[last][:4], **_stretch(record, first, last)} for first, last in years],
        "months": table,
        "best_month": max(found),
        "worst_month": min(found),
        "months_up_frac": figure(sum(value > 0.0 for value in found) / len(found)),
        "crises": _crises(record),
    }
    return ledger.record("by_period", 1, "fraction", record.inputs, output).id, output


def _compared(record: TrackRecord) -> dict[str, object]:
    own, market = record.returns, record.benchmark_returns
    fit = alpha_beta(own, market)
    assert record.benchmark is not None, "its returns were asked for"
    other, undefined = summarize(record.benchmark), dict[str, str]()
    active = sharpe_draws(own - market, np.random.default_rng(INTERVAL_SEED))
    market_draws = sharpe_draws(market, np.random.default_rng(INTERVAL_SEED))
    months = period_ends(record, "datetime64[M]")
    monthly = np.array([grown(record.equity, first, last) for first, last in months])
    market_monthly = np.array([grown(record.benchmark, first, last) for first, last in months])
    gap = sharpe_difference_interval(own, market, np.random.default_rng(INTERVAL_SEED))
    return {
        **record.span,
        "benchmark": record.benchmark_name,
        "alpha_per_year": figure(fit.alpha_per_year),
        "alpha_std_error": figure(fit.alpha_std_error),
        "alpha_t": figure(fit.alpha_t),
        "beta": figure(fit.beta),
        "beta_std_error": figure(fit.beta_std_error),
        "r_squared": figure(fit.r_squared),
        "newey_west_lags": fit.n_lags,
        "tracking_error": figure(tracking_error(own, market)),
        "information_ratio": figure(information_ratio(own, market)),
        **interval_of("information_ratio", percentile_interval(active)),
        "up_capture": or_none(defined(lambda: capture_ratio(monthly, market_monthly, up=True), "up", undefined)),
        "down_capture": or_none(defined(lambda: capture_ratio(monthly, market_monthly, up=False), "down", undefined)),
        "sharpe_difference": figure(sharpe(own) - sharpe(market)),
        **interval_of("sharpe_difference", gap),
        "its_annual_return": figure(other.annual_return),
        "its_annual_volatility": figure(other.annual_volatility),
        "its_sharpe": or_none(other.sharpe),
        **interval_of("its_sharpe", percentile_interval(market_draws)),
        "its_max_drawdown": figure(other.max_drawdown),
        "rolling": defined(lambda: _rolling_beta(record), "rolling", undefined),
        "undefined": undefined,
    }


def _worst_drawdowns(record: TrackRecord, falls: Drawdowns) -> list[dict[str, object]]:
    return [
        {
            "depth": figure(float(falls.depth[k])),
            "peak_day": record.days[falls.peak_day[k]],
            "trough_day": record.days[falls.trough_day[k]],
            "end_day": record.days[falls.end_day[k]] if falls.is_recovered[k] else None,
            "length_days": int(falls.length_days[k]),
            "recovery_days": int(falls.recovery_days[k]) if falls.is_recovered[k] else None,
        }
        for k in np.argsort(-falls.depth, kind="stable")[:WORST_SHOWN].tolist()
    ]


def _rolling_sharpe(record: TrackRecord) -> dict[str, object]:
    _check_rolling(record)
    ratio, error = rolling_sharpe(record.returns, ROLLING_DAYS)
    rows = thinned(len(ratio))
    return {
        "window_days": ROLLING_DAYS,
        "days": [record.days[row + ROLLING_DAYS] for row in rows],
        "sharpe": [figure(ratio[row]) for row in rows],
        "std_error": [figure(error[row]) for row in rows],
    }


def _rolling_beta(record: TrackRecord) -> dict[str, object]:
    _check_rolling(record)
    betas = rolling_betas(record.returns, record.benchmark_returns[:, None], ROLLING_DAYS)[:, 0]
    rows = thinned(len(betas))
    days = [record.days[row + ROLLING_DAYS] for row in rows]
    return {"window_days": ROLLING_DAYS, "days": days, "beta": [figure(betas[row]) for row in rows]}


def _check_rolling(record: TrackRecord) -> None:
    if len(record.returns) <= ROLLING_DAYS:
        raise NotEnoughData(f"{len(record.returns)} days, a rolling figure needs more than {ROLLING_DAYS}")


def _stretch(record: TrackRecord, first: int, last: int) -> dict[str, object]:
    returns = record.returns[first:last]
    market = record.benchmark
    return {
        "days": last - first,
        "return": grown(record.equity, first, last),
        "benchmark": None if market is None else grown(market, first, last),
        "volatility": figure(annual_volatility(returns)) if len(returns) > 1 else None,
        "max_drawdown": figure(max_drawdown(record.equity[first : last + 1])),
    }


def _crises(record: TrackRecord) -> list[dict[str, object]]:
    """From the close before an episode's first day to its last; those that the record saw in part are left out."""
    found: list[dict[str, object]] = []
    for item in historical_scenarios():
        first = int(np.searchsorted(record.sessions, np.datetime64(item.first_day, "D"))) - 1
        last = int(np.searchsorted(record.sessions, np.datetime64(item.last_day, "D"), side="right")) - 1
        if first >= 0 and last > first and record.sessions[-1] >= np.datetime64(item.last_day, "D"):
            days = {"first_day": item.first_day.isoformat(), "last_day": item.last_day.isoformat()}
            found.append({"title": item.title, **days, **_stretch(record, first, last)})
    return found
