"""What trading the bands of reverting spreads earned, in the year that chose them and in the quarter after."""

import numpy as np

from ..quant.arrays import DAYS_PER_YEAR
from ..quant.bootstrap import block_interval
from ..quant.performance import sharpe
from ..quant.spreads import trade_band
from .errors import NotEnoughData
from .ledger import Ledger, figure
from .reversion import COMPONENTS, MOST_HALF_LIFE_DAYS, Found, Kind, priced_cost_frac, spread_returns, spreads_of
from .scene import WINDOW_DAYS, FloatArray, Scene

HOLD_DAYS = 63
"""A quarter: how long a spread chosen on the year before is traded before all is chosen again."""
TRIAL_DAYS = 756
MIN_QUARTERS = 4
BORROW_FRAC = 0.005
"""A year, on the value sold short."""
INTERVAL_SEED = 17


def reversion_record(ledger: Ledger, scene: Scene, top: int) -> tuple[str, dict[str, object]]:
    """What choosing the best `top` spreads each quarter and trading their bands earned, in sample and out of it.

    Weights, level and band are fixed on the year before; a touch at one close is traded at the next; every change
    pays its cost and the short side its borrow. In sample is the same rule on the year that chose it. The interval
    of the mean is a block bootstrap over days.
    """
    inputs = {
        "top": top,
        "components": COMPONENTS,
        "days": TRIAL_DAYS,
        "hold_days": HOLD_DAYS,
        "cost_frac": priced_cost_frac(scene),
        "borrow_frac": BORROW_FRAC,
        "most_half_life_days": MOST_HALF_LIFE_DAYS,
        "seed": INTERVAL_SEED,
    }
    output: dict[str, object]
    try:
        returns, columns = spread_returns(scene, WINDOW_DAYS + TRIAL_DAYS)
        output = _walked(returns, tuple(scene.view.symbols[column] for column in columns), scene, top)
    except NotEnoughData as error:
        output = {"refused": error.message}
    return ledger.record("reversion_record", 1, "fraction a year", inputs, output).id, output


def _walked(returns: FloatArray, symbols: tuple[str, ...], scene: Scene, top: int) -> dict[str, object]:
    """Every quarter of the trial by kind, then the verdict."""
    starts = list(range(len(returns) - HOLD_DAYS, WINDOW_DAYS - 1, -HOLD_DAYS))[::-1]
    if len(starts) < MIN_QUARTERS:
        raise NotEnoughData(f"{len(starts)} quarters are left after the first year, a record needs {MIN_QUARTERS}")
    cost_frac = priced_cost_frac(scene)
    chosen = [spreads_of(returns[start - WINDOW_DAYS : start], symbols, cost_frac) for start in starts]
    days = scene.view.sessions[-len(returns) :][starts[0] : starts[-1] + HOLD_DAYS]
    kinds = {
        kind: _kind_record(kind, returns, starts, chosen, top, cost_frac)
        for kind in ("pair", "residual")
        if any(found.tried[kind] for found in chosen)
    }
    survivors = [kind for kind, row in kinds.items() if row["survives"]]
    return {
        "first_day": str(days[0]),
        "last_day": str(days[-1]),
        "quarters": len(starts),
        "cost_frac": figure(cost_frac),
        "borrow_frac": BORROW_FRAC,
        "sessions": [str(day) for day in days],
        "kinds": kinds,
        "survivors": survivors,
        "verdict": _verdict(survivors),
    }


def _kind_record(
    kind: Kind,
    returns: FloatArray,
    starts: list[int],
    chosen: list[Found],
    top: int,
    cost_frac: float,
) -> dict[str, object]:
    gross, net, inside, promised, traded, entries, used = [], [], [], [], 0.0, 0, 0
    for start, found in zip(starts, chosen, strict=True):
        spreads = [item for item in found.spreads if item.kind == kind][:top]
        before, after = np.zeros(HOLD_DAYS), np.zeros(HOLD_DAYS)
        for spread in spreads:
            moves = returns[start - 1 : start + HOLD_DAYS] @ spread.weights
            path = spread.path[-1] + np.concatenate([[0.0], np.cumsum(moves[1:])])
            trades = trade_band(path, moves, spread.band, cost_frac=cost_frac)
            before += trades.gross[1:] / len(spreads)
            after += (trades.net - _borrowed(trades.held, spread.weights))[1:] / len(spreads)
            traded, entries = traded + trades.traded / len(spreads), entries + trades.entries
            own = trade_band(spread.path, np.diff(spread.path, prepend=0.0), spread.band, cost_frac=cost_frac)
            inside.append(float(own.net.mean()) * DAYS_PER_YEAR)
            promised.append(2.0 * spread.band.return_per_year)
        used += len(spreads)
        gross.append(before)
        net.append(after)
    return _summary(np.concatenate(gross), np.concatenate(net)) | {
        "spreads": used,
        "tried": sum(found.tried[kind] for found in chosen),
        "promised_annual": figure(float(np.mean(promised))) if promised else None,
        "in_sample_annual": figure(float(np.mean(inside))) if inside else None,
        "entries": entries,
        "turnover_annual": figure(traded / len(net) / HOLD_DAYS * DAYS_PER_YEAR),
    }


def _borrowed(held: FloatArray, weights: FloatArray) -> FloatArray:
    """Borrow of each day with a position: on the short side of the book, whichever way round it is held."""
    short = float(np.abs(weights[weights < 0.0]).sum())
    long = float(np.abs(weights).sum()) - short
    return np.where(held > 0.0, short, np.where(held < 0.0, long, 0.0)) * BORROW_FRAC / DAYS_PER_YEAR


def _summary(gross: FloatArray, net: FloatArray) -> dict[str, object]:
    if not net.any():
        return {"net_annual": 0.0, "survives": False, "equity": [1.0] * len(net), "no_trades": "no spread was traded"}
    rng = np.random.default_rng(INTERVAL_SEED)
    interval = block_interval(net, lambda draws: draws.mean(axis=1) * DAYS_PER_YEAR, rng)
    return {
        "gross_annual": figure(float(gross.mean()) * DAYS_PER_YEAR),
        "net_annual": figure(float(net.mean()) * DAYS_PER_YEAR),
        "net_low": figure(interval.low),
        "net_high": figure(interval.high),
        "sharpe": figure(sharpe(net)),
        "survives": interval.low > 0.0,
        "equity": [figure(float(value)) for value in 1.0 + np.cumsum(net)],
    }


def _verdict(survivors: list[str]) -> str:
    if not survivors:
        return (
            "Nothing here survives its costs: the interval of every net return out of sample reaches zero or below. "
            "The desk does not trade it."
        )
    return f"The interval of the net return lies above zero for: {', '.join(survivors)}. One sample is no proof."
