"""What the account sent, asked back and filled: within the last second and on the day, and when it sent the same."""

from collections import defaultdict, deque
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from decimal import Decimal

from ..domain.orders import ChildOrder, Fill, Side
from ..memory.sent_orders import SentOrder, standing_fills

SECOND = timedelta(seconds=1)
NEVER = float("inf")
NO_LEGS: frozenset[str] = frozenset()

Content = tuple[str, Side, int, Decimal | None]


class Counts:
    """The counts of one session, begun with the account's orders of the same day and of the days before it.

    A day is one of UTC; without one everything counts as of today. A day trade is counted on the safe side: each
    change of direction in one name on one day.
    """

    def __init__(self, before: Iterable[SentOrder] = (), day: date | None = None) -> None:
        self._day = day
        self.orders = self.cancels = self.fills = self.day_trades = 0
        self._sent_at: deque[datetime] = deque()
        self._canceled_at: deque[datetime] = deque()
        self._latest: dict[Content, tuple[str, datetime]] = {}
        self._filled_legs: dict[tuple[str, Side], set[str]] = defaultdict(set)
        self._direction: dict[tuple[str, date], Side] = {}
        earlier = tuple(before)
        for sent in earlier:
            if self._is_today(sent.child.created_at.date()):
                self.orders += 1
                self.cancels += sent.cancels
                self._latest[_content(sent.child)] = (sent.child.client_order_id, sent.child.created_at)
        for fill in standing_fills(earlier):
            self.filled(fill)

    def slot(self, now: datetime, max_per_s: int) -> datetime:
        """The first moment from now on at which one more order keeps within the rate.

        What a plan wants to send at once goes out at the pace the limits allow; each order is reviewed at its own
        moment. With a rate of zero there is no such moment, and the gate says so.
        """
        sent = self._sent_at
        if not sent:
            return now
        earliest = max(now, sent[-1])
        return max(earliest, sent[-max_per_s] + SECOND) if 0 < max_per_s <= len(sent) else earliest

    def sent(self, child: ChildOrder, at: datetime) -> None:
        self.orders += 1
        self._sent_at.append(at)
        self._latest[_content(child)] = (child.__dict__["client_order_id"], at)

    def canceled(self, at: datetime) -> None:
        self.cancels += 1
        self._canceled_at.append(at)

    def filled(self, fill: Fill) -> None:
        f = fill.__dict__
        symbol, side, day = f["symbol"], f["side"], f["ts_event"].date()
        if self._direction.setdefault((symbol, day), side) is not side:
            self._direction[symbol, day] = side
            self.day_trades += 1
        if self._is_today(day):
            self.fills += 1
            self._filled_legs[symbol, side].add(f["order_id"])

    def submits_last_s(self, at: datetime) -> int:
        return _within(self._sent_at, at)

    def cancels_last_s(self, at: datetime) -> int:
        return _within(self._canceled_at, at)

    def twin_age_s(self, child: ChildOrder, at: datetime) -> float:
        """Seconds since another child of the same content went out; a resend is no twin of itself."""
        latest = self._latest.get(_content(child))
        if latest is None or latest[0] == child.__dict__["client_order_id"]:
            return NEVER
        return (at - latest[1]).total_seconds()

    def repeated_legs(self, child: ChildOrder) -> int:
        """Legs of this instrument and side, other than the child's own, that filled today."""
        fields = child.__dict__
        legs = self._filled_legs.get((fields["symbol"], fields["side"]), NO_LEGS)
        return len(legs) - (fields["order_id"] in legs)

    def _is_today(self, day: date) -> bool:
        return self._day is None or day == self._day


def _content(child: ChildOrder) -> Content:
    # Read from the dictionary: a model's own attribute access costs twice that.
    fields = child.__dict__
    return fields["symbol"], fields["side"], fields["quantity"], fields["limit_price"]


def _within(moments: deque[datetime], at: datetime) -> int:
    """How many lie in the second that ends now; what is older is forgotten."""
    if not moments:
        return 0
    since = at - SECOND
    while moments and moments[0] <= since:
        moments.popleft()
    return len(moments)
