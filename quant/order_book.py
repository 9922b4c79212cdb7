"""What the order book says about the next price: imbalance, weighted mid, micro-price, order flow, spread."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .arrays import FloatArray, IntArray, checked_above, checked_at_least, checked_matrix, checked_vector
from .errors import ParameterError, SampleError, ShapeError


def book_imbalance(bid_size: npt.ArrayLike, ask_size: npt.ArrayLike, depth: int = 1) -> FloatArray:
    """``(bids - asks) / (bids + asks)`` of the best ``depth`` levels, (n_books,) from -1 (all asks) to 1 (all bids).

    Parameters
    ----------
    bid_size, ask_size : (n_books, n_levels) quantities, best level first, at least 0
    depth : how many levels count, 1 to n_levels

    Raises
    ------
    ParameterError : a depth that the book does not have
    SampleError : a NaN, a negative size, or a book without any size in those levels
    ShapeError : the two sides differ in shape

    Source: Cartea, Jaimungal and Penalva (2015), Algorithmic and High-Frequency Trading, section 3.4.
    """
    bids, asks = checked_matrix(bid_size, name="bid_size", min_rows=1), checked_matrix(ask_size, name="ask_size")
    if bids.shape != asks.shape:
        raise ShapeError(f"ask_size: found shape {asks.shape}, expected {bids.shape} as bid_size")
    if not 1 <= depth <= bids.shape[1]:
        raise ParameterError(f"depth: found {depth}, expected 1 to the {bids.shape[1]} levels of the book")
    return _imbalance(bids[:, :depth].sum(axis=1), asks[:, :depth].sum(axis=1), min(bids.min(), asks.min()))


def weighted_mid(
    bid: npt.ArrayLike, bid_size: npt.ArrayLike, ask: npt.ArrayLike, ask_size: npt.ArrayLike
) -> FloatArray:
    """Mid weighted by the *opposite* size, (n_books,) in price: more bids pull it toward the ask.

    ``(ask * bid_size + bid * ask_size) / (bid_size + ask_size)``, always between bid and ask.

    Parameters
    ----------
    bid, bid_size, ask, ask_size : (n_books,) top of book; prices above 0 and not crossed, sizes at least 0

    Raises
    ------
    SampleError : a NaN, a price not above 0, a crossed book, or no size on either side
    ShapeError : inputs that differ in length

    Source: Stoikov (2018), Quantitative Finance 18(12), equation 2.
    """
    bids, bid_sizes, asks, ask_sizes = _checked_top_of_book(bid, bid_size, ask, ask_size)
    lean = _imbalance(bid_sizes, ask_sizes, 0.0)
    return np.clip((bids + asks) / 2.0 + lean * (asks - bids) / 2.0, bids, asks)


def quoted_spread(bid: npt.ArrayLike, ask: npt.ArrayLike) -> FloatArray:
    """``(ask - bid) / mid``, (n_quotes,), a fraction of the mid price, at least 0.

    Parameters
    ----------
    bid, ask : (n_quotes,) best prices, above 0 and not crossed

    Raises
    ------
    SampleError : a NaN, a price not above 0, or a crossed quote
    ShapeError : inputs that differ in length

    Source: Huang and Stoll (1996), J. Financial Economics 41, section 3.
    """
    bids, asks = _checked_quotes(bid, ask)
    return (asks - bids) / ((bids + asks) / 2.0)


def order_flow_imbalance(
    bid: npt.ArrayLike, bid_size: npt.ArrayLike, ask: npt.ArrayLike, ask_size: npt.ArrayLike
) -> FloatArray:
    """Net size added to the buying side between one top of book and the next, (n_books - 1,) in size units.

    Event n counts ``+bid_size_n`` if the bid did not fall, ``-bid_size_(n-1)`` if it did not rise, and the
    mirror of both for the ask. Positive pushes the price up. Sum it over an interval before regressing returns on
    it. Prices are compared as they are: give the feed's own decimals, not computed ones.

    Parameters
    ----------
    bid, bid_size, ask, ask_size : (n_books >= 2,) top of book, oldest first

    Raises
    ------
    SampleError : fewer than two books, a NaN, a price not above 0, or a crossed book
    ShapeError : inputs that differ in length

    Source: Cont, Kukanov and Stoikov (2014), J. Financial Econometrics 12(1), section 2.1.
    """
    bids, bid_sizes, asks, ask_sizes = _checked_top_of_book(bid, bid_size, ask, ask_size, min_rows=2)
    bid_moves, ask_moves = np.diff(bids), np.diff(asks)
    demand = np.where(bid_moves >= 0.0, bid_sizes[1:], 0.0) - np.where(bid_moves <= 0.0, bid_sizes[:-1], 0.0)
    supply = np.where(ask_moves <= 0.0, ask_sizes[1:], 0.0) - np.where(ask_moves >= 0.0, ask_sizes[:-1], 0.0)
    return demand - supply


@dataclass(frozen=True, slots=True)
class FlowFit:
    """A regression of price changes on flow: `price_per_size` is the slope, in price per unit of size."""

    price_per_size: float
    intercept: float
    t_stat: float
    r_squared: float


def fit_flow(price_change: npt.ArrayLike, flow: npt.ArrayLike) -> FlowFit:
    """Ordinary least squares, with an intercept, of the price changes of intervals on the flow in them.

    Give the flow of one interval with the change of the next to ask whether it predicts. The t statistic uses the
    plain residual variance (ddof 2); it is infinite for a perfect fit.

    Parameters
    ----------
    price_change : (n_intervals >= 3,) change of the mid over each interval, in price
    flow : (n_intervals,) order flow imbalance, or buys less sells, in size units

    Raises
    ------
    SampleError : fewer than three intervals, a NaN, or a flow or a price that never changes
    ShapeError : inputs that differ in length

    Source: Cont, Kukanov and Stoikov (2014), J. Financial Econometrics 12(1), equation 4.
    """
    changes = checked_vector(price_change, name="price_change", min_rows=3)
    flows = checked_vector(flow, name="flow", length=len(changes))
    x, y = flows - flows.mean(), changes - changes.mean()
    spread_x, spread_y = float(x @ x), float(y @ y)
    if np.ptp(flows) == 0.0 or np.ptp(changes) == 0.0:
        raise SampleError(
            "found a flow or a price that never changes, expected both to vary",
            remedy="Use longer intervals or a busier instrument.",
        )
    slope = float(x @ y) / spread_x
    residual = float(np.square(y - slope * x).sum())
    error = (residual / (len(x) - 2) / spread_x) ** 0.5
    return FlowFit(
        price_per_size=slope,
        intercept=float(changes.mean() - slope * flows.mean()),
        t_stat=slope / error if error > 0.0 else float(np.copysign(np.inf, slope)),
        r_squared=1.0 - residual / spread_y,
    )


@dataclass(frozen=True, slots=True)
class MicroPrice:
    """How far the expected later mid lies from the mid now, by the book's state: what `fit_micro_price` learned.

    ``adjustment[spread, bucket]`` is in price, for spreads of 1, 2, ... ticks and for equal buckets of
    ``bid_size / (bid_size + ask_size)`` from 0 to 1; zero where no such state was seen.
    """

    tick: float
    adjustment: FloatArray

    def price(
        self, bid: npt.ArrayLike, bid_size: npt.ArrayLike, ask: npt.ArrayLike, ask_size: npt.ArrayLike
    ) -> FloatArray:
        """The micro-price of each book, (n_books,); a spread wider than any learned takes the widest's adjustment."""
        bids, bid_sizes, asks, ask_sizes = _checked_top_of_book(bid, bid_size, ask, ask_size)
        spreads, buckets = _book_states(bids, bid_sizes, asks, ask_sizes, self.tick, self.adjustment.shape)
        return (bids + asks) / 2.0 + self.adjustment[spreads, buckets]


def fit_micro_price(
    bid: npt.ArrayLike,
    bid_size: npt.ArrayLike,
    ask: npt.ArrayLike,
    ask_size: npt.ArrayLike,
    *,
    tick: float,
    n_buckets: int = 10,
    max_spread_ticks: int = 2,
) -> MicroPrice:
    """Stoikov's micro-price: the limit of the expected mid, given the book's imbalance and spread.

    Books form a Markov chain over (spread, imbalance bucket). With Q the moves that leave the mid as it is,
    R those that change it (each row of Q and R together sums to 1), and ``first = (1 - Q)^-1 R_moves`` the
    expected first change, the adjustment is ``first + B first + B^2 first + ...`` with ``B = (1 - Q)^-1 R``.
    The sample is mirrored (bid and ask swapped), as in the paper: B^n first then dies out, and a balanced
    book has no adjustment. Fit on the past, price the future.

    Parameters
    ----------
    bid, bid_size, ask, ask_size : (n_books >= 100,) top of book, oldest first
    tick : the smallest price step, in price
    n_buckets : of imbalance, 2 or more; max_spread_ticks : wider books are counted as this wide

    Raises
    ------
    ParameterError : a tick not above 0, fewer than 2 buckets, or no spread
    SampleError : too few books, a mid that never changed, a NaN, or a crossed book

    Source: Stoikov (2018), Quantitative Finance 18(12), sections 3 and 4.
    """
    checked_above(tick, 0.0, name="tick")
    shape = (int(checked_at_least(max_spread_ticks, 1, name="max_spread_ticks")), int(n_buckets))
    checked_at_least(n_buckets, 2, name="n_buckets")
    top = _checked_top_of_book(bid, bid_size, ask, ask_size, min_rows=100)
    spreads, buckets = _book_states(*top, tick, shape)
    half_ticks = np.rint(np.diff(top[0] + top[2]) / tick)
    states, mirrored = spreads * shape[1] + buckets, spreads * shape[1] + shape[1] - 1 - buckets
    before = np.concatenate((states[:-1], mirrored[:-1]))
    after = np.concatenate((states[1:], mirrored[1:]))
    changes = np.concatenate((half_ticks, -half_ticks)) * tick / 2.0
    if not changes.any():
        raise SampleError("books: the mid never changed", remedy="Give a longer recording.")
    return MicroPrice(tick, _limit_adjustment(before, after, changes, shape[0] * shape[1]).reshape(shape))


def _limit_adjustment(before: IntArray, after: IntArray, changes: FloatArray, n_states: int) -> FloatArray:
    stays, moves = np.zeros((n_states, n_states)), np.zeros((n_states, n_states))
    still = changes == 0.0
    np.add.at(stays, (before[still], after[still]), 1.0)
    np.add.at(moves, (before[~still], after[~still]), 1.0)
    expected = np.bincount(before, weights=changes, minlength=n_states)
    visits = np.maximum(np.bincount(before, minlength=n_states), 1)
    # A state from which the mid was never seen to change would make 1 - Q singular; it is left with a leak that
    # ends in no change at all, so its adjustment is 0 unless it leads to states that do move.
    absorbed = np.eye(n_states) - stays / (visits[:, None] + 1e-9)
    first = np.asarray(np.linalg.solve(absorbed, expected / visits), dtype=np.float64)
    onward = np.linalg.solve(absorbed, moves / visits[:, None])
    total = first.copy()
    term = first
    for _ in range(_MAX_ROUNDS):
        term = onward @ term
        total += term
        if np.abs(term).max() <= 1e-12 * np.abs(first).max():
            return total
    raise SampleError(
        f"books: the micro-price did not settle in {_MAX_ROUNDS} rounds",
        remedy="Give a longer recording, or fewer buckets.",
    )


_MAX_ROUNDS = 10_000


def _book_states(
    bids: FloatArray,
    bid_sizes: FloatArray,
    asks: FloatArray,
    ask_sizes: FloatArray,
    tick: float,
    shape: tuple[int, ...],
) -> tuple[IntArray, IntArray]:
    """Row (spread in ticks, from 1) and column (bucket of the bid's share) of each book."""
    share = (1.0 + _imbalance(bid_sizes, ask_sizes, 0.0)) / 2.0
    spreads = np.clip(np.rint((asks - bids) / tick).astype(np.int64), 1, shape[0]) - 1
    return spreads, np.minimum((share * shape[1]).astype(np.int64), shape[1] - 1)


def _checked_top_of_book(
    bid: npt.ArrayLike, bid_size: npt.ArrayLike, ask: npt.ArrayLike, ask_size: npt.ArrayLike, *, min_rows: int = 1
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """(bid, bid_size, ask, ask_size) as finite vectors of one length: prices above 0, not crossed, sizes >= 0."""
    bids, asks = _checked_quotes(bid, ask, min_rows=min_rows)
    sizes = [
        checked_vector(each, name=name, length=len(bids))
        for name, each in (("bid_size", bid_size), ("ask_size", ask_size))
    ]
    if min(sizes[0].min(), sizes[1].min()) < 0.0:
        raise SampleError("sizes: found a negative size, expected at least 0", remedy="Check the feed.")
    return bids, sizes[0], asks, sizes[1]


def _checked_quotes(bid: npt.ArrayLike, ask: npt.ArrayLike, *, min_rows: int = 1) -> tuple[FloatArray, FloatArray]:
    bids = checked_vector(bid, name="bid", min_rows=min_rows)
    asks = checked_vector(ask, name="ask", length=len(bids))
    if bids.min() <= 0.0 or (bids > asks).any():
        row = int(((bids <= 0.0) | (bids > asks)).argmax())
        raise SampleError(
            f"quote {row}: found bid {bids[row]} and ask {asks[row]}, expected 0 < bid <= ask",
            remedy="Drop one-sided and crossed quotes before asking.",
        )
    return bids, asks


def _imbalance(bids: FloatArray, asks: FloatArray, lowest: float) -> FloatArray:
    total = bids + asks
    if lowest < 0.0 or not (total > 0.0).all():
        raise SampleError(
            f"sizes: found a lowest size of {lowest} and a lowest total of {total.min()}, expected sizes of at "
            "least 0 and some size in every book",
            remedy="Drop empty books before asking.",
        )
    return (bids - asks) / total
