"""How often calls of a direction were right on the history they were made in, against what drift alone would give."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .arrays import checked_at_least, checked_vector
from .errors import ParameterError

_Z_95 = 1.959963984540054


@dataclass(frozen=True, slots=True)
class SideRecord:
    """Calls judged after a horizon; shares are fractions of the calls judged, None where there were none."""

    n_judged: int
    n_right: int
    low: float | None
    high: float | None
    """Ends of the 95 % Wilson interval of the share that was right."""
    by_drift: float | None
    """Share that calls of the same sides made on every bar would have got right."""

    @property
    def share(self) -> float | None:
        return self.n_right / self.n_judged if self.n_judged else None


def side_record(sides: npt.ArrayLike, close: npt.ArrayLike, horizon_bars: int) -> SideRecord:
    """How often the price moved to the called side within exactly ``horizon_bars`` bars.

    A call made while another is still being judged is not counted, so that no two share a day and the interval's
    independence is not a fiction. An unchanged price is not right. Only calls whose horizon has passed count.

    Parameters
    ----------
    sides : (n_bars,) of 1, 0 (no call) or -1, known at each bar's close
    close : (n_bars,) prices above 0, oldest first

    Raises
    ------
    ParameterError : a horizon below 1 or a side that is none of the three
    SampleError, ShapeError : as ``checked_vector``

    Source: Wilson (1927), JASA 22, for the interval.
    """
    closes = checked_vector(close, name="close", min_rows=1)
    calls = checked_vector(sides, name="sides", length=len(closes))
    checked_at_least(horizon_bars, 1, name="horizon_bars")
    if not np.isin(calls, (-1.0, 0.0, 1.0)).all():
        raise ParameterError(f"sides: found {calls[~np.isin(calls, (-1.0, 0.0, 1.0))][0]}, expected -1, 0 or 1")
    moved = np.sign(closes[horizon_bars:] - closes[:-horizon_bars])
    judged: list[int] = []
    for bar in np.flatnonzero(calls[: len(moved)]).tolist():
        if not judged or bar >= judged[-1] + horizon_bars:
            judged.append(bar)
    if not judged:
        return SideRecord(0, 0, None, None, None)
    called = calls[judged]
    n_right = int((moved[judged] == called).sum())
    rising, falling = float((moved > 0.0).mean()), float((moved < 0.0).mean())
    low, high = wilson_interval(n_right, len(judged))
    return SideRecord(len(judged), n_right, low, high, float(np.where(called > 0.0, rising, falling).mean()))


def wilson_interval(n_right: int, n_judged: int) -> tuple[float, float]:
    """The 95 % interval of a share, as fractions; it never leaves 0 to 1 and never has no width.

    Raises
    ------
    ParameterError : nothing judged, or more right than judged

    Source: Wilson (1927), JASA 22.
    """
    if not 0 <= n_right <= n_judged or n_judged == 0:
        raise ParameterError(f"n_right: found {n_right} of {n_judged}, expected 0 to n_judged, of at least 1")
    share, z_squared = n_right / n_judged, _Z_95**2
    shrink = 1.0 + z_squared / n_judged
    center = (share + z_squared / (2.0 * n_judged)) / shrink
    half = _Z_95 / shrink * math.sqrt(share * (1.0 - share) / n_judged + z_squared / (4.0 * n_judged**2))
    return max(0.0, center - half), min(1.0, center + half)
