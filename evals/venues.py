"""The venue of a recorded session: the paper venue over the day's tape, unless a suite puts another in its place."""

from collections.abc import Callable, Iterable
from datetime import date
from decimal import Decimal

from ..desk.desk import Desk
from ..domain.portfolio import Portfolio
from ..execution.hours import SessionHours
from ..execution.venues.fees import FeeModel
from ..execution.venues.paper import PaperVenue
from ..execution.venues.venue import Venue
from .tape import Tape

VenueOf = Callable[[SessionHours, Tape, Portfolio], Venue]
TapeOf = Callable[[Desk, date, Iterable[str], int], Tape]


def paper_venue(desk: Desk) -> VenueOf:
    """A new paper venue for each session: it keeps cash and positions from the book it is given."""
    fees = FeeModel(value_bps=Decimal(repr(desk.ports.costs.fee_bps)))

    def made(hours: SessionHours, tape: Tape, portfolio: Portfolio) -> Venue:
        return PaperVenue(
            hours,
            tape.liquidity,
            fees,
            participation_frac=desk.limits.max_participation_frac,
            portfolio=portfolio,
        )

    return made
