"""Replays a recorded feed through compiled books, queues and fills, with a compiled strategy or a Python one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np

from .arrays import FloatArray, IntArray, checked_above, checked_at_least
from .errors import ParameterError, SampleError
from .feed_rows import BREAK, FeedRows

if TYPE_CHECKING:
    from .replay_state import Records, Replay

MOST_PLACES = 1 << 26
"""Prices a book may span, in ticks: 64 million take half a gigabyte a side if all are ever used."""


@dataclass(frozen=True, slots=True)
class ReplayTerms:
    """The market and the road to it. Fees are fractions of value; latencies are used one after the other, over again.

    `queue_power` 0 lets nobody ahead cancel; above 0 cancellations are shared by a power law. `step_ns` lies between
    two decisions.
    """

    tick: float
    step_ns: int
    order_latency_ns: tuple[int, ...] = (0,)
    report_latency_ns: tuple[int, ...] = (0,)
    maker_fee: float = 0.0
    taker_fee: float = 0.0
    queue_power: float = 0.0


@dataclass(frozen=True, slots=True)
class MakerTerms:
    """Half the spread to quote and the lean per `size` held, in ticks; the size of an order, and the most to hold."""

    half_spread_ticks: float
    skew_ticks: float
    size: float
    most_held: float


@dataclass(frozen=True, slots=True)
class Counted:
    """What the counting strategy read; means of the best places, in price."""

    steps: int
    two_sided: int
    mean_bid: float
    mean_ask: float


@dataclass(frozen=True, slots=True, eq=False)
class ReplayResult:
    """Fills in the order in which they happened (see `FILL`), and what the desk knew at the end."""

    fills: Records
    positions: FloatArray
    orders: int
    position: float
    cash: float
    fees: float


class Features(NamedTuple):
    """What a Python strategy decides on. Prices in price, `spread` a fraction of the mid, `volatility` per sqrt(s);
    `flow` is order flow imbalance and `taken` buys less sells since the last decision, both in size."""

    bid: float
    bid_size: float
    ask: float
    ask_size: float
    micro_price: float
    spread: float
    imbalance: float
    deep_imbalance: float
    flow: float
    taken: float
    volatility: float
    position: float
    cash: float
    fees: float


class Quotes(NamedTuple):
    """The prices at which a Python strategy wants one resting order each; None for no order on that side."""

    bid: float | None
    ask: float | None


Lasts = Literal["post_only", "limit", "immediate"]
_LASTS = ("post_only", "limit", "immediate")

Hook = Callable[[Features], Quotes]


def lognormal_latency_ns(median_ns: int, log_sigma: float, n: int, rng: np.random.Generator) -> tuple[int, ...]:
    """``n`` latencies around a median, in nanoseconds: the long right tail that networks have.

    Raises
    ------
    ParameterError : a median or a sigma below 0, or ``n`` below 1
    """
    checked_at_least(median_ns, 0, name="median_ns")
    checked_at_least(log_sigma, 0.0, name="log_sigma")
    checked_at_least(n, 1, name="n")
    drawn = median_ns * np.exp(log_sigma * rng.standard_normal(n))
    return tuple(int(each) for each in np.rint(drawn))


def count_best(rows: FeedRows, tick: float, step_ns: int) -> Counted:
    """Build the books and read the best bid and ask every ``step_ns``: the time of a replay that does nothing else."""
    from .feed_kernel import count_steps, empty_book

    _check(ReplayTerms(tick, step_ns))
    base, n_places = _span(rows, tick)
    found = np.zeros(4, dtype=np.int64)
    books = (empty_book(n_places), empty_book(n_places))
    count_steps(rows, *books, _first_ns(rows), step_ns, 1.0 / tick, base, found)
    n_read = max(int(found[1]), 1)
    means = [tick * (float(total) / n_read + base) for total in found[2:]]
    return Counted(int(found[0]), int(found[1]), *means)


def replay_maker(rows: FeedRows, terms: ReplayTerms, maker: MakerTerms, *, most_fills: int = 1_000_000) -> ReplayResult:
    """The compiled market maker over a feed.

    Raises
    ------
    ParameterError : a tick, a step, a size not above 0, a latency below 0; fills or reports past what there is room for
    SampleError : no rows, a price not above 0, or prices that span more than ``MOST_PLACES`` ticks
    """
    from .making_kernel import make_market

    checked_above(maker.size, 0.0, name="size")
    checked_at_least(maker.most_held, 0.0, name="most_held")
    checked_at_least(maker.half_spread_ticks, 0.0, name="half_spread_ticks")
    replay = _replay(rows, terms, most_fills)
    positions = np.empty(_n_steps(rows, replay, terms.step_ns))
    quoted = np.array([maker.half_spread_ticks, maker.skew_ticks, maker.size, maker.most_held])
    steps = make_market(replay, terms.step_ns, quoted, positions)
    return _result(replay, positions[:steps])


def replay_hook(
    rows: FeedRows,
    terms: ReplayTerms,
    hook: Hook,
    size: float,
    *,
    lasts: Lasts = "post_only",
    memory: float = 0.99,
    most_fills: int = 1_000_000,
) -> ReplayResult:
    """A Python strategy over a feed, called with all features at each step that has a sound book.

    Errors as ``replay_maker``. An order that crosses is refused with ``post_only``, rests with what is left of it as a
    ``limit``, and never rests when ``immediate``. ``memory`` in [0, 1) weighs the past in the volatility.
    """
    from .making_kernel import hooked_step
    from .replay_state import BASE, IS_FULL, POSITION

    checked_above(size, 0.0, name="size")
    if not 0.0 <= memory < 1.0:
        raise ParameterError(f"memory: found {memory}, expected a fraction from 0 to below 1")
    replay = _replay(rows, terms, most_fills, watches=True)
    positions = np.empty(_n_steps(rows, replay, terms.step_ns))
    features = np.empty(len(Features._fields))
    per_unit, base, want_bid, want_ask = 1.0 / terms.tick, int(replay.counts[BASE]), -1, -1
    for step in range(len(positions)):
        is_sound = hooked_step(replay, want_bid, want_ask, size, _LASTS.index(lasts), terms.step_ns, memory, features)
        positions[step] = replay.sums[POSITION]
        want_bid = want_ask = -1
        if is_sound:
            wanted = hook(Features(*features.tolist()))
            want_bid = -1 if wanted.bid is None else round(wanted.bid * per_unit) - base
            want_ask = -1 if wanted.ask is None else round(wanted.ask * per_unit) - base
        if replay.counts[IS_FULL]:
            break
    return _result(replay, positions)


def book_after(
    rows: FeedRows, tick: float, times_ns: Sequence[int] | IntArray, n_levels: int
) -> tuple[FloatArray, FloatArray]:
    """Prices and sizes (n_times, 2 n_levels) as known at each rising time, bids first; NaN and 0 for no level."""
    from .feed_kernel import empty_book, top_levels

    base, n_places = _span(rows, tick)
    times = np.asarray(times_ns, dtype=np.int64)
    places = np.empty((len(times), 2 * n_levels), dtype=np.int64)
    sizes = np.empty((len(times), 2 * n_levels))
    top_levels(rows, empty_book(n_places), 1.0 / tick, base, times, places, sizes)
    return np.where(places < 0, np.nan, (places + base) * tick), sizes


def crossed_books(rows: FeedRows, tick: float) -> IntArray:
    """(4,): how often a message left the book crossed, how often locked, and the first row of each or -1."""
    from .feed_kernel import empty_book, find_crossed

    base, n_places = _span(rows, tick)
    found = np.zeros(4, dtype=np.int64)
    find_crossed(rows, empty_book(n_places), 1.0 / tick, base, found)
    return found


def _replay(rows: FeedRows, terms: ReplayTerms, most_fills: int, *, watches: bool = False) -> Replay:
    """A replay at the feed's start: one step before the first row is known anywhere."""
    from . import replay_state as kept
    from .feed_kernel import empty_book, nothing_rests

    _check(terms)
    base, n_places = _span(rows, terms.tick)
    counts = np.zeros(kept.N_COUNTS, dtype=np.int64)
    counts[kept.NOW] = _first_ns(rows)
    counts[kept.BASE], counts[kept.WATCHES] = base, watches
    rules = np.array([1.0 / terms.tick, terms.tick, terms.maker_fee, terms.taker_fee, terms.queue_power])
    return kept.Replay(
        rows,
        empty_book(n_places),
        empty_book(n_places),
        np.zeros(kept.SLOTS, dtype=kept.ORDER),
        np.zeros(kept.RING, dtype=kept.REQUEST),
        np.zeros(kept.RING, dtype=kept.REPORT),
        np.zeros(most_fills, dtype=kept.FILL),
        np.array(terms.order_latency_ns, dtype=np.int64),
        np.array(terms.report_latency_ns, dtype=np.int64),
        nothing_rests(),
        nothing_rests(),
        counts,
        rules,
        np.zeros(kept.N_SUMS),
    )


def _result(replay: Replay, positions: FloatArray) -> ReplayResult:
    from . import replay_state as kept

    counts, sums = replay.counts, replay.sums
    if counts[kept.IS_FULL]:
        raise ParameterError(
            f"most_fills: found {len(replay.fills)} fills or {kept.RING} reports on their way, expected room for all",
            remedy="Ask for more fills, or for shorter latencies.",
        )
    return ReplayResult(
        replay.fills[: counts[kept.N_FILLS]].copy(),
        positions,
        int(counts[kept.N_ORDERS]),
        *(float(sums[place]) for place in (kept.POSITION, kept.CASH, kept.FEES)),
    )


def _first_ns(rows: FeedRows) -> int:
    return min(int(rows["exchange_ns"].min()), int(rows["local_ns"].min()))


def _n_steps(rows: FeedRows, replay: Replay, step_ns: int) -> int:
    from .replay_state import NOW

    last = max(int(rows["exchange_ns"].max()), int(rows["local_ns"].max()))
    return -(-(last - int(replay.counts[NOW])) // step_ns)


def _check(terms: ReplayTerms) -> None:
    checked_above(terms.tick, 0.0, name="tick")
    checked_at_least(terms.step_ns, 1, name="step_ns")
    checked_at_least(terms.queue_power, 0.0, name="queue_power")
    for name in ("order_latency_ns", "report_latency_ns"):
        checked_at_least(min(getattr(terms, name), default=-1), 0, name=name)


def _span(rows: FeedRows, tick: float) -> tuple[int, int]:
    """The lowest price in ticks, and the number of prices from there to the highest."""
    checked_above(tick, 0.0, name="tick")
    prices = rows["price"][rows["kind"] != BREAK]
    lowest, highest = (float(prices.min()), float(prices.max())) if len(prices) else (np.nan, np.nan)
    if not 0.0 < lowest <= highest < np.inf or float(rows["quantity"].min()) < 0.0:
        raise SampleError(
            f"rows: found prices from {lowest} to {highest} in {len(rows)} rows, expected some, all finite and above "
            "0, with sizes of at least 0",
            remedy="Read the feed with read_raw_feed, which leaves bad levels out.",
        )
    base, top = round(lowest / tick), round(highest / tick)
    if top - base >= MOST_PLACES:
        raise SampleError(
            f"rows: prices from {lowest} to {highest} span {top - base + 1} ticks, expected at most {MOST_PLACES}",
            remedy="Give the instrument's own tick, and check the highest price.",
        )
    return base, top - base + 1
