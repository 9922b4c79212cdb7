"""How a parent order is cut into child orders over time: whole lots that sum exactly."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from .almgren_chriss import remaining_shares
from .arrays import FloatArray, IntArray, checked_above, checked_at_least, checked_matrix, checked_vector
from .errors import ParameterError, SampleError

CLOSE_SESSION_FRAC = 0.25
"""An order for the closing price trades in the last quarter of the session, half of it in the auction."""
AUCTION_FRAC = 0.5


def twap_slices(quantity: int, n_slices: int, lot: int = 1) -> IntArray:
    """Equal child quantities (n_slices,), in whole lots, spread evenly and summing to ``quantity``.

    No two children differ by more than one lot, except that an odd remainder smaller than a lot goes
    into the last child. With fewer lots than slices, some children are zero.

    Parameters
    ----------
    quantity : shares of the parent order, at least 0
    n_slices : number of children, at least 1
    lot : smallest tradable quantity, at least 1

    Raises
    ------
    ParameterError : an argument below its bound, or not a whole number
    """
    _check_whole(quantity=(quantity, 0), n_slices=(n_slices, 1), lot=(lot, 1))
    lots, odd = divmod(int(quantity), int(lot))
    whole, extra = divmod(lots, int(n_slices))
    # The extra lots are dealt out by rounding down an even line, which spaces them evenly over time.
    line = np.arange(n_slices + 1, dtype=np.int64) * extra // n_slices
    slices = (whole + np.diff(line)) * lot
    slices[-1] += odd
    return slices


def vwap_slices(quantity: int, volume_curve: npt.ArrayLike, lot: int = 1) -> IntArray:
    """Child quantities (n_slices,) in proportion to expected volume, in whole lots, summing to ``quantity``.

    At every boundary the quantity sent so far is the curve's share of the whole, rounded down to a lot, so
    the schedule is never ahead of the curve and never a full lot behind it; an odd remainder smaller than a
    lot goes into the last child that trades.

    Parameters
    ----------
    quantity : shares of the parent order, at least 0
    volume_curve : (n_slices,) expected volume in each slice, in any unit, none negative and not all zero
    lot : smallest tradable quantity, at least 1

    Raises
    ------
    ParameterError : a quantity or lot below its bound, or not a whole number
    SampleError : a NaN, a negative volume, or no volume at all
    """
    _check_whole(quantity=(quantity, 0), lot=(lot, 1))
    curve = checked_vector(volume_curve, name="volume_curve", min_rows=1)
    if curve.min() < 0.0 or curve.sum() <= 0.0:
        raise SampleError(
            f"volume_curve: found a lowest value of {curve.min()} and a sum of {curve.sum()}, "
            "expected none negative and a positive sum",
            remedy="Fall back to twap_slices when no volume is expected.",
        )
    lots, odd = divmod(int(quantity), int(lot))
    share = np.cumsum(curve) / curve.sum()
    # A share that should be a whole lot may come out one rounding short of it.
    sent = np.floor(lots * share * (1.0 + 1e-12) + 1e-9).astype(np.int64)
    last = int(np.flatnonzero(curve)[-1])
    sent[last:] = lots
    slices = np.diff(np.minimum(sent, lots), prepend=0) * lot
    slices[last] += odd
    return slices


def volume_curve(past_volume: npt.ArrayLike) -> FloatArray:
    """Mean share of the day's volume in each slice, (n_slices,), summing to 1; every day counts alike.

    Parameters
    ----------
    past_volume : (n_days, n_slices) volume traded on earlier days, none negative

    Raises
    ------
    SampleError : no day, a NaN, a negative volume, or a day without any
    """
    volume = checked_matrix(past_volume, name="past_volume", min_rows=1)
    days = volume.sum(axis=1)
    if volume.min() < 0.0 or days.min() <= 0.0:
        raise SampleError(
            f"past_volume: found a lowest volume of {volume.min()} and a lowest day of {days.min()}, "
            "expected none negative and some volume every day",
            remedy="Leave out holidays and halted days.",
        )
    return (volume / days[:, None]).mean(axis=0)


def pov_quantity(realized_volume: int, sent: int, remaining: int, participation_frac: float, lot: int = 1) -> int:
    """The next child of a percentage-of-volume order, in whole lots: what participation is still owed.

    Only volume that has already traded counts, so it can be called at any time with what is known then. The
    last, odd lot is sent when it is all that remains and is owed in full.

    Parameters
    ----------
    realized_volume : market volume since the order started, our own fills included
    sent : shares already sent, at least 0
    remaining : shares not yet sent, at least 0
    participation_frac : target share of all volume, in (0, 1]
    lot : smallest tradable quantity, at least 1

    Raises
    ------
    ParameterError : an argument out of range
    """
    _check_whole(realized_volume=(realized_volume, 0), sent=(sent, 0), remaining=(remaining, 0), lot=(lot, 1))
    if not 0.0 < participation_frac <= 1.0:
        raise ParameterError(f"participation_frac: found {participation_frac}, expected a fraction in (0, 1]")
    owed = max(math.floor(participation_frac * realized_volume + 1e-9) - sent, 0)
    return int(remaining if owed >= remaining else owed // lot * lot)


def pov_slices(quantity: int, realized_volume: npt.ArrayLike, participation_frac: float, lot: int = 1) -> IntArray:
    """Children (n_slices,) of a percentage-of-volume order replayed over volume per slice; may not complete.

    The child of slice t is owed to the volume of slices 0 to t - 1, so the first is always 0 and a change of
    volume at t moves nothing at or before t.

    Parameters
    ----------
    quantity : shares of the parent order, at least 0
    realized_volume : (n_slices,) whole shares traded in each slice
    participation_frac, lot : as ``pov_quantity``

    Raises
    ------
    ParameterError, SampleError : an argument out of range, or a NaN
    """
    _check_whole(quantity=(quantity, 0))
    volumes = checked_vector(realized_volume, name="realized_volume", min_rows=1)
    slices = np.zeros(len(volumes), dtype=np.int64)
    traded, sent = 0, 0
    for place, volume in enumerate(volumes.tolist()):
        slices[place] = pov_quantity(traded, sent, quantity - sent, participation_frac, lot)
        sent += int(slices[place])
        _check_whole(realized_volume=(volume, 0))
        traded += int(volume)
    return slices


def shortfall_slices(
    quantity: int, n_slices: int, kappa_per_slice: float, lot: int = 1, volume_curve: npt.ArrayLike | None = None
) -> IntArray:
    """Implementation-shortfall children (n_slices,): front-loaded as Almgren-Chriss, summing to ``quantity``.

    Parameters
    ----------
    kappa_per_slice : urgency of ``almgren_chriss.optimal_trajectory`` times the days of a slice, at least 0;
        0 is even trading
    quantity, lot : as ``vwap_slices``
    volume_curve : (n_slices,) expected volume in each slice; time then runs with volume, and kappa is that
        of the mean slice. Slices are alike when it is not given

    Raises
    ------
    ParameterError : an argument out of range, or not a whole number
    ShapeError, SampleError : a curve of another length, with a negative volume or without any
    """
    _check_whole(n_slices=(n_slices, 1))
    checked_at_least(kappa_per_slice, 0.0, name="kappa_per_slice")
    curve = np.ones(n_slices) if volume_curve is None else _checked_curve(volume_curve, n_slices)
    # Counted from the end, so that nothing is left to rounding where the trajectory is steepest.
    left = np.append(np.cumsum(curve[::-1])[::-1], 0.0) * (n_slices / curve.sum())
    return vwap_slices(quantity, -np.diff(remaining_shares(kappa_per_slice, left)), lot)


def close_slices(quantity: int, volume_curve: npt.ArrayLike, auction_frac: float, lot: int = 1) -> IntArray:
    """Children (n_slices + 1,) that aim at the closing price: ``auction_frac`` in the auction, the rest before.

    The last child goes to the closing auction; the others follow ``volume_curve``, which is best given for
    the end of the day only. The auction takes what lots leave over.

    Parameters
    ----------
    auction_frac : share of the quantity for the auction, in [0, 1]
    quantity, volume_curve, lot : as ``vwap_slices``

    Raises
    ------
    ParameterError, SampleError : as ``vwap_slices``, or an auction share outside [0, 1]
    """
    _check_whole(quantity=(quantity, 0), lot=(lot, 1))
    if not 0.0 <= auction_frac <= 1.0:
        raise ParameterError(f"auction_frac: found {auction_frac}, expected a fraction in [0, 1]")
    before = math.floor((1.0 - auction_frac) * quantity / lot + 1e-9) * lot
    return np.append(vwap_slices(before, volume_curve, lot), quantity - before)


def late_slices(quantity: int, volume_curve: npt.ArrayLike, lot: int = 1) -> IntArray:
    """Children (n_slices,) of an order for the closing price: nothing before the last quarter of the session.

    Half of it is meant for the auction, whose child is added to the last slice; the rest follows the curve.

    Parameters
    ----------
    volume_curve : (n_slices,) expected volume in each slice of the whole session
    quantity, lot : as ``vwap_slices``

    Raises
    ------
    ParameterError, SampleError : as ``close_slices``; also where no volume is expected before the close
    """
    curve = checked_vector(volume_curve, name="volume_curve", min_rows=1)
    last = max(int(CLOSE_SESSION_FRAC * len(curve)), 1)
    children = close_slices(quantity, curve[-last:], AUCTION_FRAC, lot)
    children[-2] += children[-1]
    return np.append(np.zeros(len(curve) - last, dtype=np.int64), children[:-1])


def slices_for(notional: float, min_child_notional: float, max_slices: int) -> int:
    """How many children a parent order is worth: none smaller than ``min_child_notional`` in cash.

    Always between 1 and ``max_slices``; a parent below the minimum goes out whole.

    Raises
    ------
    ParameterError : a negative or NaN notional, a minimum not above 0, or max_slices below 1
    """
    if not math.isfinite(notional) or notional < 0.0:
        raise ParameterError(f"notional: found {notional}, expected a finite amount of at least 0")
    checked_above(min_child_notional, 0.0, name="min_child_notional")
    if max_slices < 1:
        raise ParameterError(f"max_slices: found {max_slices}, expected at least 1")
    return int(min(max(notional // min_child_notional, 1), max_slices))


def slices_by_urgency(kappa_span: float, max_slices: int) -> int:
    """The most equal slices that keep the rest waiting no longer, on average, than the optimal trajectory does.

    Slices begin at the start and stand equally far apart, so n of them hold (1 - 1/n) / 2 of the order on
    average; Almgren and Chriss hold tanh(kappa T / 2) / (kappa T). Patience gives ``max_slices``, haste 1.

    Parameters
    ----------
    kappa_span : kappa T, the span in half-lives of the order, at least 0; infinite when nothing but risk counts
    max_slices : at least 1

    Raises
    ------
    ParameterError : an argument below its bound, or a NaN

    Source: mean of the continuous trajectory in Almgren and Chriss (2000), J. Risk 3, eq. 17.
    """
    if not kappa_span >= 0.0:
        raise ParameterError(f"kappa_span: found {kappa_span}, expected a number of at least 0")
    if max_slices < 1:
        raise ParameterError(f"max_slices: found {max_slices}, expected at least 1")
    spare = 1.0 - math.tanh(0.5 * kappa_span) / (0.5 * kappa_span) if kappa_span > 0.0 else 0.0
    return max_slices if spare * max_slices <= 1.0 else max(int(1.0 / spare), 1)


def _checked_curve(volume_curve: npt.ArrayLike, n_slices: int) -> FloatArray:
    curve = checked_vector(volume_curve, name="volume_curve", length=n_slices)
    if curve.min() < 0.0 or curve.sum() <= 0.0:
        raise SampleError(
            f"volume_curve: found a lowest value of {curve.min()} and a sum of {curve.sum()}, "
            "expected none negative and a positive sum",
            remedy="Leave the curve out when no volume is expected.",
        )
    return curve


def _check_whole(**bounded: tuple[float, int]) -> None:
    for name, (value, bound) in bounded.items():
        if not math.isfinite(value) or int(value) != value or value < bound:
            raise ParameterError(f"{name}: found {value}, expected a whole number of at least {bound}")
