"""What the scores were worth so far: expanding weekly rank ICs, and the honest numbers they allow."""

from __future__ import annotations

from dataclasses import dataclass, field
from statistics import NormalDist

import numpy as np

from .arrays import FloatArray, IntArray, checked_at_least, checked_vector
from .errors import ShapeError
from .scores import HISTORY_DAYS, SCORE_NAMES, YEAR_DAYS, ScoreTable, ranked, score_table, standardized

HORIZON_DAYS = 21
WEEK_DAYS = 5
LAG_DAYS = HORIZON_DAYS + 2
"""A score of close t is judged on closes t+1 to t+1+21; one day more and the whole span is history."""
MIN_NAMES = 5

_SHRINKAGE_HORIZONS = 60.0
_MIN_TILT_T = 2.0
_MIN_TILT_WEEKS = 120
_MIN_GAIN_OVER_COST = 2.0
_NORMAL = NormalDist()


@dataclass(frozen=True, slots=True, eq=False)
class Calibration:
    """Every completed weekly IC so far; build it with ``calibrate``, day by day or all at once."""

    next_row: int = YEAR_DAYS - 1
    """The next decision row to be judged, counted from the first row of the history."""
    week_rows: IntArray = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    """(n_weeks,) decision rows judged so far."""
    ics: FloatArray = field(default_factory=lambda: np.zeros((0, len(SCORE_NAMES))))
    """(n_weeks, 6) rank ICs in the order of SCORE_NAMES."""
    composite_ics: FloatArray = field(default_factory=lambda: np.zeros(0))
    """(n_composite_weeks,) rank ICs of the composite as it was weighted then; weeks without one left out."""


@dataclass(frozen=True, slots=True, eq=False)
class Outlook:
    """What the scores of one close honestly say about the next 21 days."""

    score: FloatArray
    """(n_names,) composite z, 0 where there is no opinion."""
    expected_residual_return: FloatArray
    """(n_names,) beyond the market, over 21 days, as fractions."""
    confidence: FloatArray
    """(n_names,) probability that the residual return has the sign of the score: .50 to about .55."""
    ic_by_score: FloatArray
    """(6,) shrunk ICs, never negative, in the order of SCORE_NAMES."""
    ic: float
    """Shrunk IC of the composite, never negative."""
    t_stat: float
    """Of the composite's IC, over weeks made independent by the overlap of the horizons."""
    n_weeks: int
    """Weeks in which a composite existed and has been judged."""


def calibrate(state: Calibration, returns: FloatArray, market: FloatArray) -> Calibration:
    """Add the weeks that have become complete since ``state``; with none of them, ``state`` itself.

    The result depends on the data alone: one call over a long history and a call every day give the same
    bytes. The history must always begin on the same day.

    Parameters
    ----------
    state : what is known so far; ``Calibration()`` at the start
    returns : (n_days, n_names) simple daily returns up to the current close; a name with a NaN in a
        week's window sits that week out, and a week with fewer than 5 names is skipped
    market : (n_days,) simple daily returns of the market

    Raises
    ------
    ShapeError : histories of different lengths, or shorter than the state has already seen
    SampleError : an infinity, a return of -100 % or less, or a gap in the market

    Source: Grinold and Kahn (1999), Active Portfolio Management, ch. 6 (IC); default policy, strategy notes.
    """
    n_rows = len(market)
    if len(returns) != n_rows:
        raise ShapeError(f"market: found {n_rows} rows, expected {len(returns)}, as many as returns")
    if n_rows - 1 < state.next_row - WEEK_DAYS + LAG_DAYS and len(state.week_rows):
        raise ShapeError(
            f"returns: found {n_rows} rows, but the calibration has already judged row {state.next_row - WEEK_DAYS}",
            remedy="Give the whole history from the same first day, or start from Calibration().",
        )
    due = range(state.next_row, n_rows - LAG_DAYS, WEEK_DAYS)
    if not due:
        return state
    return _extended(state, np.asarray(returns), np.asarray(market), due)


def outlook(state: Calibration, table: ScoreTable) -> Outlook:
    """The composite of today's scores, and the return and confidence that its record allows.

    Expected residual return = IC * residual vol * sqrt(21) * z; confidence = Phi(IC * |z|).
    """
    ic_by_score = shrunk_ic(state.ics)
    score = standardized(ic_by_score @ table.z)
    ic = float(shrunk_ic(state.composite_ics[:, None])[0])
    return Outlook(
        score=score,
        expected_residual_return=ic * table.residual_vol * np.sqrt(HORIZON_DAYS) * score,
        confidence=np.array([_NORMAL.cdf(ic * size) for size in np.abs(score)]),
        ic_by_score=ic_by_score,
        ic=ic,
        t_stat=_t_stat(state.composite_ics),
        n_weeks=len(state.composite_ics),
    )


def shrunk_ic(ics: FloatArray) -> FloatArray:
    """Mean of each column of (n_weeks, n_scores) ICs, times n / (n + 60), negative ones set to 0.

    n counts independent horizons, n_weeks * 5 / 21, since 21-day spans of weekly decisions overlap.
    """
    if not len(ics):
        return np.zeros(ics.shape[1])
    n = _independent(len(ics))
    return np.maximum(ics.mean(axis=0) * n / (n + _SHRINKAGE_HORIZONS), 0.0)


def tilt_is_open(view: Outlook, expected_gain: float, cost_frac: float, turnover: float) -> bool:
    """Whether the scores may move the book: proven for 120 weeks with t >= 2, and worth twice its cost.

    Parameters
    ----------
    expected_gain : of one rebalance over the horizon, as a fraction of equity
    cost_frac : one-way cost per unit traded
    turnover : traded weight of the rebalance, buys plus sells
    """
    checked_at_least(cost_frac, 0.0, name="cost_frac")
    checked_at_least(turnover, 0.0, name="turnover")
    is_proven = view.n_weeks >= _MIN_TILT_WEEKS and view.t_stat >= _MIN_TILT_T
    return is_proven and expected_gain > _MIN_GAIN_OVER_COST * cost_frac * turnover


def _extended(state: Calibration, returns: FloatArray, market: FloatArray, due: range) -> Calibration:
    """The state with the weeks of ``due`` judged in order, each composite weighted as it was then."""
    n_old = len(state.week_rows)
    rows = np.concatenate([state.week_rows, np.zeros(len(due), dtype=np.int64)])
    ics = np.vstack([state.ics, np.zeros((len(due), len(SCORE_NAMES)))])
    composite_ics = list(state.composite_ics)
    n_weeks = n_old
    for row in due:
        judged = _judged_week(returns, market, row)
        if judged is None:
            continue
        z, outcome = judged
        known = int(np.searchsorted(rows[:n_weeks], row - LAG_DAYS, side="right"))
        composite = standardized(shrunk_ic(ics[:known]) @ z)
        if composite.any():
            composite_ics.append(_correlation(ranked(composite), outcome))
        rows[n_weeks] = row
        ics[n_weeks] = [_correlation(each, outcome) for each in z]
        n_weeks += 1
    return Calibration(due[-1] + WEEK_DAYS, rows[:n_weeks], ics[:n_weeks], np.array(composite_ics))


def _judged_week(returns: FloatArray, market: FloatArray, row: int) -> tuple[FloatArray, FloatArray] | None:
    """Scores z (6, n_present) at ``row``, and the ranks (n_present,) of the residual returns that followed."""
    first = max(row + 1 - HISTORY_DAYS, 0)
    span = returns[first : row + LAG_DAYS]
    factor = checked_vector(market[first : row + LAG_DAYS], name="market")
    present = ~np.isnan(span).any(axis=0)
    if present.sum() < MIN_NAMES:
        return None
    n_past = row + 1 - first
    span = span[:, present]
    table = score_table(span[:n_past], factor[:n_past])
    # The day after the decision is left out: it is when the order fills.
    after = span[n_past + 1 :] - table.beta * factor[n_past + 1 :, None]
    return table.z, ranked(after.sum(axis=0))


def _correlation(left: FloatArray, right: FloatArray) -> float:
    """Correlation of two centered vectors, 0 when one of them says nothing."""
    size = float((left @ left) * (right @ right))
    return float(left @ right) / size**0.5 if size > 0.0 else 0.0


def _t_stat(ics: FloatArray) -> float:
    if len(ics) < 2:
        return 0.0
    deviation = float(ics.std(ddof=1))
    return float(ics.mean()) / deviation * _independent(len(ics)) ** 0.5 if deviation > 0.0 else 0.0


def _independent(n_weeks: int) -> float:
    return n_weeks * WEEK_DAYS / HORIZON_DAYS
