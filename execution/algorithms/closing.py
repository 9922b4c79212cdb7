"""The closing auction's part of an order for the close: when it has to be in, and how much of it may go there."""

import math
from bisect import bisect_right
from collections.abc import Sequence
from datetime import datetime, timedelta

from ...domain.orders import Algorithm, ChildOrder, ParentOrder, TimeInForce

AUCTION_VOLUME_FRAC = 0.05
"""Share of a day's volume taken to trade in a closing auction: about half of what those of large US stocks take, to
stay on the careful side."""
ON_THE_WAY = timedelta(minutes=1)
"""Room for the order's way to the venue before its book is shut."""


def goes_on_close(order: ParentOrder, starts: Sequence[datetime], now: datetime, until: datetime | None) -> bool:
    """Whether the slice that has begun is the last one to begin before the auction's book is shut, at `until`.

    Only an order for the close goes there, and only at a venue that holds an auction.
    """
    if order.advice.algorithm is not Algorithm.CLOSE or until is None or now + ON_THE_WAY > until:
        return False
    begun = bisect_right(starts, now)
    return begun > 0 and (begun == len(starts) or starts[begun] + ON_THE_WAY > until)


def on_close_quantity(left: int, usual_volume: float | None, cap_frac: float, lot: int) -> int:
    """Shares for the auction: no more of what it usually trades than the order may be of any volume.

    Where no volume is known, none: what nobody can size is worked on the open market.
    """
    if usual_volume is None:
        return 0
    room = math.floor(cap_frac * AUCTION_VOLUME_FRAC * usual_volume + 1e-9) // lot * lot
    return max(min(left, room), 0)


def waits_for_close(child: ChildOrder) -> bool:
    """Whether it is in an auction's book: no slice replaces it, and asking it back may come too late."""
    return child.time_in_force is TimeInForce.CLS
