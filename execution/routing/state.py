"""What the router knows of each venue: counts over the slices that are over, in and out as a frozen value.

Nothing else is remembered from one slice to the next, and every count is of whole numbers: the same slices give
the same state in whatever order they ended, live or folded from the log.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum

from ...domain.orders import Fill, Side
from .errors import RoutingRefused

MILLION = 1_000_000


class Rule(StrEnum):
    """How a quantity is spread; EQUAL over one venue is that venue alone."""

    EQUAL = "EQUAL"
    UCB = "UCB"
    THOMPSON = "THOMPSON"
    CENSORED = "CENSORED"


@dataclass(frozen=True, slots=True)
class RoutingTerms:
    """How the router decides and what it learns in.

    Sizes are learnt in units of `unit_shares`, up to `n_sizes` of them at one venue. The bandits place a child in
    `n_chunks` parts, each a choice of its own. A share that costs `quality_range_bps` more than the touch it was sent
    at is worth nothing, one that much better is worth one; `min_trials` is when a size counts as known.
    """

    rule: Rule = Rule.CENSORED
    unit_shares: int = 100
    n_sizes: int = 64
    n_chunks: int = 10
    quality_range_bps: int = 20
    min_trials: int = 5
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("unit_shares", "n_sizes", "n_chunks", "quality_range_bps", "min_trials"):
            if getattr(self, name) < 1:
                raise RoutingRefused(
                    f"routing {name} is {getattr(self, name)}, expected at least 1", remedy="Correct the routing terms."
                )


@dataclass(frozen=True, slots=True)
class VenueRecord:
    """One venue over all its slices. `reward_micros` sums a slice's filled part times what its shares were worth,
    `worth_micros` the latter alone over slices that filled; `at_risk` and `ended` count sizes (`quant.survival`)."""

    venue: str
    slices: int
    filled_slices: int
    sent: int
    filled: int
    reward_micros: int
    worth_micros: int
    at_risk: tuple[int, ...]
    ended: tuple[int, ...]

    @property
    def reward_sum(self) -> float:
        return self.reward_micros / MILLION

    @property
    def worth(self) -> float:
        """Mean worth of a filled share, shrunk to the middle while little is known."""
        return (0.5 + self.worth_micros / MILLION) / (1 + self.filled_slices)


@dataclass(frozen=True, slots=True)
class RoutingState:
    """The records of all venues, in the order they are asked."""

    terms: RoutingTerms
    venues: tuple[VenueRecord, ...]

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(record.venue for record in self.venues)


@dataclass(frozen=True, slots=True)
class SliceOutcome:
    """A slice that is over. `net_bps` is what its shares were better than the touch they were sent at, fees off."""

    venue: str
    sent: int
    filled: int
    net_bps: float


def new_state(terms: RoutingTerms, venues: Iterable[str]) -> RoutingState:
    """Nothing known yet."""
    names = tuple(venues)
    if not names or len(set(names)) < len(names):
        raise RoutingRefused(
            f"venues {', '.join(names) or '(none)'}: expected at least one, and no name twice",
            remedy="Give every venue a name of its own.",
        )
    none = (0,) * terms.n_sizes
    return RoutingState(terms, tuple(VenueRecord(name, 0, 0, 0, 0, 0, 0, none, none) for name in names))


def observe(state: RoutingState, outcome: SliceOutcome) -> RoutingState:
    """The state after one more slice; a venue it does not know changes nothing."""
    return replace(
        state,
        venues=tuple(
            _after(record, outcome, state.terms) if record.venue == outcome.venue else record for record in state.venues
        ),
    )


def slice_outcome(venue: str, sent: int, fills: Iterable[Fill], side: Side, touch: Decimal) -> SliceOutcome:
    """What became of a slice: improvement on the touch it was sent at, which charges fade and impact, less fees."""
    booked = tuple(fills)
    filled = sum(fill.quantity for fill in booked)
    if not filled:
        return SliceOutcome(venue, sent, 0, 0.0)
    better = sum(((touch - fill.price) * side.sign * fill.quantity - fill.fee for fill in booked), Decimal(0))
    return SliceOutcome(venue, sent, min(filled, sent), float(better / (touch * filled)) * 10_000)


def _after(record: VenueRecord, outcome: SliceOutcome, terms: RoutingTerms) -> VenueRecord:
    if not 0 <= outcome.filled <= outcome.sent or not outcome.sent:
        raise RoutingRefused(
            f"{outcome.venue}: {outcome.filled} shares filled of {outcome.sent} sent, expected at most those sent",
            remedy="Fold the slices of one log only.",
        )
    has_filled = outcome.filled > 0
    raw = 0.5 + outcome.net_bps / (2 * terms.quality_range_bps)
    worth = round(MILLION * min(max(raw, 0.0), 1.0)) if has_filled else 0
    sizes = range(terms.n_sizes)
    # Whole units only: a part of a unit that was sent could not have shown that the whole one was there.
    sent, found = outcome.sent // terms.unit_shares, outcome.filled // terms.unit_shares
    is_exact = found < sent
    return VenueRecord(
        venue=record.venue,
        slices=record.slices + 1,
        filled_slices=record.filled_slices + has_filled,
        sent=record.sent + outcome.sent,
        filled=record.filled + outcome.filled,
        reward_micros=record.reward_micros + worth * outcome.filled // outcome.sent,
        worth_micros=record.worth_micros + worth,
        at_risk=tuple(record.at_risk[size] + (size < found + is_exact) for size in sizes),
        ended=tuple(record.ended[size] + (is_exact and size == found) for size in sizes),
    )
