"""What anyone could have held instead on the same days and at the same price of trading, day by day."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt

from ...domain.instruments import AssetClass
from ...domain.sessions import day_of
from ...market.cards import DataSet
from ...quant.arrays import FloatArray
from ..baselines import WINDOW_DAYS, Baseline, baselines, held, rebalanced

MOMENTUM_SKIP_DAYS = 21
MOMENTUM_TOP_FRAC = 1 / 3
STOCK_FRAC = 0.60

RULES: Mapping[str, str] = {
    "cash": "nothing is held, and cash earns nothing here, as the desk's does",
    "index": "the benchmark, bought once",
    "buy_and_hold": "every name in equal parts, bought once and never touched",
    "equal_weight": "1/N of the names, brought back each month",
    "minimum_variance": "long-only least variance of the year before, each month",
    "risk_parity": "weights inverse to the volatility of the year before, each month",
    "sixty_forty": "60 % in equal parts of what is no bond, 40 % in bonds, each month",
    "momentum_12_1": "the third of the names with the best year but its last month, each month",
    "oracle": "tomorrow's best name, known today: what no one can have, and a check of the engine",
}


@dataclass(frozen=True, slots=True, eq=False)
class Ground:
    """The closes that everybody meets: (n_days, n_names), with the year before them."""

    days: npt.NDArray[np.datetime64]
    closes: FloatArray
    before: FloatArray
    """(n_before + n_days, n_names): the same closes with all that came earlier in front."""
    is_bond: npt.NDArray[np.bool_]

    @property
    def offset(self) -> int:
        """Rows of `before` in front of the first day."""
        return len(self.before) - len(self.closes)


def ground_of(data: DataSet, sessions: Sequence[date]) -> Ground:
    """Of the names that have a close on every one of the sessions."""
    history = data.history()
    rows = history.rows_of(sessions)
    view = history.as_of(history.close_time(sessions[-1]))
    whole = np.isfinite(view.close[rows]).all(axis=0)
    bonds = np.array([item.asset_class is AssetClass.BOND for item in data.universe.instruments])
    days = np.array([day_of(session) for session in sessions], dtype="datetime64[D]")
    early = view.close[: int(rows[0])][:, whole]
    return Ground(days, view.close[rows][:, whole], np.vstack([early, view.close[rows][:, whole]]), bonds[whole])


def rivals(data: DataSet, sessions: Sequence[date], start_equity: float, cost_frac: float) -> dict[str, Baseline]:
    """All of `RULES` that the data can support, entered at the second close as the desk can at best."""
    ground = ground_of(data, sessions)
    found = baselines(data.history(), sessions, start_equity, cost_frac)
    found["cash"] = Baseline(np.full(len(sessions), start_equity), 0.0, 0.0)
    if ground.closes.shape[1] == 0:
        return {name: found[name] for name in RULES if name in found}
    found["buy_and_hold"] = held((ground.closes / ground.closes[1]).mean(axis=1), start_equity, cost_frac)
    weighers: dict[str, Callable[[int], FloatArray]] = {}
    if ground.is_bond.any() and not ground.is_bond.all():
        mix = np.where(ground.is_bond, (1 - STOCK_FRAC) / ground.is_bond.sum(), STOCK_FRAC / (~ground.is_bond).sum())
        weighers["sixty_forty"] = lambda place: mix
    if ground.offset >= WINDOW_DAYS and ground.closes.shape[1] >= 1 / MOMENTUM_TOP_FRAC:
        weighers["momentum_12_1"] = lambda place: momentum_weights(ground.before[: ground.offset + place])
    for name, weigh in weighers.items():
        found[name] = rebalanced(ground.closes, ground.days, start_equity, cost_frac, weigh)
    found["oracle"] = oracle(ground.closes, start_equity, cost_frac)
    return {name: found[name] for name in RULES if name in found}


def momentum_weights(known: FloatArray) -> FloatArray:
    """Equal weights on the best third by the return of the year that ends a month before the last row of `known`.

    `known` (n_days, n_names) ends with the close before the trade; a name without a close a year ago has no rank.
    """
    past = known[-WINDOW_DAYS], known[-1 - MOMENTUM_SKIP_DAYS]
    gain = np.where(np.isfinite(past[0]) & np.isfinite(past[1]), past[1] / past[0] - 1.0, -np.inf)
    n_best = max(1, round(len(gain) * MOMENTUM_TOP_FRAC))
    best = np.argsort(-gain, kind="stable")[:n_best]
    weights = np.zeros(len(gain))
    weights[best] = 1.0 / n_best
    return weights


def oracle(closes: FloatArray, start_equity: float, cost_frac: float) -> Baseline:
    """All in the name that rises most until the next close, net of a change's cost; cash where none pays for it."""
    moves = closes[1:] / closes[:-1] - 1.0
    path, holds = np.full(len(closes), start_equity), -1
    traded = costs = 0.0
    for row in range(1, len(closes)):
        # From the second close on, as everybody: the first is where they all start from cash.
        if row > 1 and holds >= 0:
            path[row] = path[row - 1] * (1.0 + moves[row - 1, holds])
        else:
            path[row] = path[row - 1]
        if row == len(closes) - 1:
            break
        wanted = _best_for_a_day(moves[row], holds, cost_frac)
        legs = (wanted >= 0) + (holds >= 0) if wanted != holds else 0
        traded, costs = traded + legs * path[row], costs + legs * cost_frac * path[row]
        path[row] *= 1.0 - legs * cost_frac
        holds = wanted
    return Baseline(path, float(traded), float(costs))


def _best_for_a_day(move: FloatArray, holds: int, cost_frac: float) -> int:
    """The name to hold for one day, -1 for cash: the one with the most left after what changing to it costs."""
    best = int(move.argmax())
    left = {-1: -cost_frac * (holds >= 0), best: move[best] - cost_frac * ((best != holds) + (holds not in (-1, best)))}
    if holds >= 0:
        left.setdefault(holds, float(move[holds]))
    return max(left, key=lambda name: left[name])
