"""Worlds to route in: venues with stated fees, speed, hidden sizes, fade and failures, or sizes that were recorded."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..market.intraday_files import in_session, is_trade
from ..market.sessions import session_calendar
from ..market.tables import read_table
from ..quant.arrays import FloatArray, IntArray
from .errors import EvalError

DRIFT_BPS_PER_MS = 0.01
"""What a share loses while its order is on the way: a name with 1 bp of volatility in 10 ms, half against us."""
CALENDAR = "XNYS"


@dataclass(frozen=True, slots=True)
class SimulatedVenue:
    """One venue of a made-up world. Sizes are in units of 100 shares, rates in bps of value, probabilities a round.

    With `empty_frac` nothing is there; else the size is s with probability proportional to s^-`exponent`, up to
    `largest`: the zero-bin power law that Ganchev et al. (2010) found to fit dark pools best.
    """

    name: str
    improvement_bps: float
    fee_bps: float
    fade_bps: float
    latency_ms: float
    empty_frac: float
    exponent: float
    largest: int
    reject_frac: float = 0.0
    outage_frac: float = 0.0
    outage_rounds: float = 20.0

    @property
    def net_bps(self) -> float:
        """What a share filled here is better than the touch, all told."""
        return self.improvement_bps - self.fee_bps - self.fade_bps - DRIFT_BPS_PER_MS * self.latency_ms

    def size_chances(self) -> FloatArray:
        """Chance of each size, (largest + 1,), rejects and outages counted as nothing there."""
        weights = np.arange(1, self.largest + 1, dtype=np.float64) ** -self.exponent
        there = (1.0 - self.empty_frac) * (1.0 - self.reject_frac) * (1.0 - self.outage_frac)
        return np.concatenate(([1.0 - there], there * weights / weights.sum()))


DARK_POOLS = (
    SimulatedVenue("pool-1", 0, 0, 0, 0, empty_frac=0.90, exponent=0.6, largest=60),
    SimulatedVenue("pool-2", 0, 0, 0, 0, empty_frac=0.60, exponent=1.6, largest=60),
    SimulatedVenue("pool-3", 0, 0, 0, 0, empty_frac=0.75, exponent=1.0, largest=60),
    SimulatedVenue("pool-4", 0, 0, 0, 0, empty_frac=0.40, exponent=2.5, largest=60),
    SimulatedVenue("pool-5", 0, 0, 0, 0, empty_frac=0.97, exponent=0.3, largest=60),
)
"""Alike in price, unlike in what they hide: the world of the paper."""

MARKETS = (
    SimulatedVenue("maker-taker", 0.0, 0.30, 0.4, 1, empty_frac=0.02, exponent=1.2, largest=60),
    SimulatedVenue("inverted", 0.0, -0.15, 0.9, 1, empty_frac=0.15, exponent=1.8, largest=30),
    SimulatedVenue("midpoint pool", 1.5, 0.10, 0.2, 3, empty_frac=0.70, exponent=0.8, largest=60),
    SimulatedVenue("block pool", 1.5, 0.20, 0.0, 5, empty_frac=0.96, exponent=0.2, largest=60),
    SimulatedVenue("slow exchange", 0.0, 0.20, 2.5, 30, empty_frac=0.05, exponent=1.0, largest=60,
                   reject_frac=0.05, outage_frac=0.10),
)  # fmt: skip
"""Unlike in price too: the lit ones are there and fade, the dark ones improve on the price and are seldom there."""


@dataclass(frozen=True, slots=True, eq=False)
class World:
    """`sizes` (n_rounds, n_venues) of what is there each round, `worth` (n_venues,) of a filled unit, in [0, 1];
    `tails` (n_venues, n_sizes + 1) the true chance of at least so much, which only the oracle knows."""

    names: tuple[str, ...]
    net_bps: FloatArray
    sizes: IntArray
    tails: FloatArray
    is_out: np.ndarray
    """(n_rounds, n_venues) true where a venue does not answer."""


def simulated_world(venues: tuple[SimulatedVenue, ...], n_rounds: int, n_sizes: int, rng: np.random.Generator) -> World:
    """Rounds drawn independently but for outages, which last."""
    sizes = np.zeros((n_rounds, len(venues)), dtype=np.int64)
    is_out = np.zeros((n_rounds, len(venues)), dtype=np.bool_)
    for place, venue in enumerate(venues):
        chances = venue.size_chances()
        there = np.concatenate(([0.0], chances[1:])) / (1.0 - venue.outage_frac)
        there[0] = 1.0 - there[1:].sum()
        sizes[:, place] = rng.choice(len(chances), size=n_rounds, p=there)
        is_out[:, place] = _outages(venue, n_rounds, rng)
    sizes[is_out] = 0
    tails = np.stack([tails_of(venue.size_chances(), n_sizes) for venue in venues])
    net = np.array([venue.net_bps for venue in venues])
    return World(tuple(venue.name for venue in venues), net, sizes, tails, is_out)


def recorded_world(sizes: IntArray, names: tuple[str, ...], n_sizes: int) -> World:
    """Recorded sizes; the oracle knows their distribution over the whole recording, which nobody could."""
    tails = np.stack([tails_of(np.bincount(column) / len(column), n_sizes) for column in sizes.T])
    return World(names, np.zeros(len(names)), sizes, tails, np.zeros(sizes.shape, dtype=np.bool_))


def recorded_sizes(
    path: Path, *, window_s: int = 30, participation_frac: float = 0.1, unit_shares: int = 100, min_share: float = 0.02
) -> tuple[IntArray, tuple[str, ...]]:
    """Units that each exchange of a tick file would have filled in each window: a share of what printed there.

    Regular session only, prints that the exchange doubts left out; an exchange with less than `min_share` of the
    volume is left out too. What printed is the least that was there, so these sizes are on the low side.
    """
    table = read_table(path)
    if table.kind != "ticks" or "exchange" not in table.texts:
        raise EvalError(
            f"{path.name}: no trades by exchange in it",
            remedy="Give a tick file with the columns event, price, size and exchange.",
        )
    days = np.unique(table.days)
    calendar = session_calendar(CALENDAR, days[0].item(), days[-1].item())
    rows = np.flatnonzero(in_session(table, calendar) & is_trade(table) & (table.numbers["size"] > 0))
    if not len(rows):
        raise EvalError(f"{path.name}: no trade in a regular session", remedy="Give another day.")
    utc, volumes = table.utc[rows].astype("datetime64[s]").astype(np.int64), table.numbers["size"][rows]
    names, codes = np.unique(table.texts["exchange"][rows].astype(str), return_inverse=True)
    windows = (utc - utc.min()) // window_s
    traded = np.zeros((int(windows.max()) + 1, len(names)))
    np.add.at(traded, (windows, codes), volumes)
    kept = traded.sum(axis=0) >= min_share * traded.sum()
    units = (participation_frac * traded[:, kept] / unit_shares).astype(np.int64)
    return units, tuple(names[kept].tolist())


def tails_of(chances: FloatArray, n_sizes: int) -> FloatArray:
    """(n_sizes + 1,) chance of at least 0, 1, ... from the chances of 0, 1, ...; what is larger counts at the end."""
    at_least = np.cumsum(chances[::-1])[::-1]
    tail = np.zeros(n_sizes + 1)
    used = min(len(at_least), n_sizes + 1)
    tail[:used] = np.minimum(at_least[:used], 1.0)
    return tail


def _outages(venue: SimulatedVenue, n_rounds: int, rng: np.random.Generator) -> np.ndarray:
    """A two-state chain that is out `outage_frac` of the time, `outage_rounds` rounds on average at once."""
    out = np.zeros(n_rounds, dtype=np.bool_)
    if venue.outage_frac <= 0.0:
        return out
    ends = 1.0 / venue.outage_rounds
    begins = ends * venue.outage_frac / (1.0 - venue.outage_frac)
    is_out = rng.random() < venue.outage_frac
    for place, draw in enumerate(rng.random(n_rounds).tolist()):
        is_out = draw >= ends if is_out else draw < begins
        out[place] = is_out
    return out
