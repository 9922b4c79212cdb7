"""The table from algorithm to schedule: the slices are those that the costs were predicted with."""

from collections.abc import Callable, Mapping
from datetime import datetime

import numpy as np

from ...domain.orders import Algorithm, ParentOrder
from ...market.intraday_paths import HALF_HOUR_VOLUME_SHARE
from ...quant.arrays import FloatArray, IntArray
from ...quant.schedules import late_slices, shortfall_slices, twap_slices, vwap_slices
from ..hours import SessionHours
from .following import FollowingSchedule
from .planned import PlannedSchedule
from .schedule import Schedule

Maker = Callable[[ParentOrder, int, SessionHours], Schedule]


def schedule_of(order: ParentOrder, lot: int, hours: SessionHours) -> Schedule:
    """How this leg is worked through its session.

    The moments come from the clock of the session and not from the quotes, so the schedule of a live session is known
    before its first quote.
    """
    return SCHEDULES[order.advice.algorithm](order, lot, hours)


def _planned(slices_of: Callable[[ParentOrder, int], IntArray]) -> Maker:
    def made(order: ParentOrder, lot: int, hours: SessionHours) -> Schedule:
        planned = tuple(np.cumsum(slices_of(order, lot)).tolist())
        return PlannedSchedule(
            _starts(order, hours), planned, _share_by(order), order.advice.max_participation_frac, lot
        )

    return made


def _following(order: ParentOrder, lot: int, hours: SessionHours) -> Schedule:
    rate = order.advice.max_participation_frac
    return FollowingSchedule(_starts(order, hours), order.quantity, _share_by(order), rate, lot)


def _twap(order: ParentOrder, lot: int) -> IntArray:
    return twap_slices(order.quantity, order.advice.slices, lot)


def _vwap(order: ParentOrder, lot: int) -> IntArray:
    return vwap_slices(order.quantity, _curve(order), lot)


def _shortfall(order: ParentOrder, lot: int) -> IntArray:
    advice = order.advice
    per_slice = advice.kappa_span / advice.slices
    return shortfall_slices(order.quantity, advice.slices, per_slice, lot, advice.volume_shares or None)


def _close(order: ParentOrder, lot: int) -> IntArray:
    return late_slices(order.quantity, _curve(order), lot)


SCHEDULES: Mapping[Algorithm, Maker] = {
    Algorithm.TWAP: _planned(_twap),
    Algorithm.VWAP: _planned(_vwap),
    Algorithm.POV: _following,
    Algorithm.IS: _planned(_shortfall),
    Algorithm.CLOSE: _planned(_close),
}


def _starts(order: ParentOrder, hours: SessionHours) -> tuple[datetime, ...]:
    """Equal distances, from the open on."""
    count, span = order.advice.slices, hours.closes_at - hours.opens_at
    return tuple(hours.opens_at + span * place / count for place in range(count))


def _curve(order: ParentOrder) -> FloatArray:
    """(n_slices,) expected volume: as advised, else the shape of a usual session of large stocks."""
    advice = order.advice
    if advice.volume_shares:
        return np.array(advice.volume_shares)
    passed = np.append(0.0, np.cumsum(HALF_HOUR_VOLUME_SHARE))
    edges = np.linspace(0.0, 1.0, advice.slices + 1)
    return np.diff(np.interp(edges, np.linspace(0.0, 1.0, len(passed)), passed))


def _share_by(order: ParentOrder) -> tuple[float, ...]:
    """Share of the span's volume before each slice, and 1 at the end."""
    passed = np.cumsum(_curve(order))
    return (0.0, *(passed[:-1] / passed[-1]).tolist(), 1.0)
