"""One instrument's book: the market's levels as recorded, and our own orders among them by price and time.

Risk-averse wherever the recording is silent:

- Shares we took at a price come back only as far as the size shown there grows, or once the price was gone; not
  because the book was crossed, locked or one-sided in between.
- Behind a price we join stands everybody who was shown there; who leaves the queue stood behind us, until the
  size shown is less than what was in front of us. A price the book does not show has nobody known in front of
  it: an order there waits until it is shown, or traded through.
- An order that took all that was shown goes on taking what is shown next, while that is within its limit.
"""

from bisect import insort
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal

from ...domain.orders import Side, TimeInForce
from .impact import SessionImpact
from .market_events import Depth, Levels, Print
from .worked_order import Execution, WorkedOrder

Hidden = Callable[[Depth, Side, Decimal, int], int]
"""Shares that stand at a shown price and are not shown, given the size that is."""

OTHER = {Side.BUY: Side.SELL, Side.SELL: Side.BUY}
Plan = list[tuple["_Level", int, Decimal]]


@dataclass(slots=True)
class _Level:
    price: Decimal
    shown: int
    left: int
    hidden: int = 0

    def use(self, quantity: int) -> None:
        from_shown = min(quantity, self.left)
        self.left -= from_shown
        self.hidden -= quantity - from_shown


class OrderBook:
    """See the module. `room` are the shares our orders may still trade here today, None where nothing caps them;
    `fade_frac` of what stands behind a level that we swept is taken away at once."""

    def __init__(
        self,
        lot: int,
        *,
        room: int | None = None,
        impact: SessionImpact | None = None,
        hidden: Hidden | None = None,
        fade_frac: float = 0.0,
    ) -> None:
        self._lot, self._room, self._impact = lot, room, impact
        self._hidden, self._fade_frac = hidden, fade_frac
        self._levels: dict[Side, list[_Level]] = {Side.BUY: [], Side.SELL: []}
        self._last_shown: dict[Side, list[_Level]] = {Side.BUY: [], Side.SELL: []}
        self._orders: dict[Side, list[WorkedOrder]] = {Side.BUY: [], Side.SELL: []}
        self.band: tuple[Decimal, Decimal] | None = None
        self.synthetic = False

    @property
    def touch(self) -> tuple[Decimal, Decimal] | None:
        """Best bid and best ask as recorded."""
        bids, asks = self._levels[Side.BUY], self._levels[Side.SELL]
        return (bids[0].price, asks[0].price) if bids and asks else None

    def orders(self) -> Iterator[WorkedOrder]:
        yield from self._orders[Side.BUY]
        yield from self._orders[Side.SELL]

    def show(self, depth: Depth) -> None:
        """The market as it is now; what we had used up of it stays used up."""
        self.synthetic = depth.synthetic
        for side, levels in ((Side.BUY, depth.bids), (Side.SELL, depth.asks)):
            self._levels[side] = self._last_shown[side] = self._renewed(depth, side, levels)
            for order in self._orders[side]:
                if not order.takes:
                    order.ahead = self._ahead(order)

    def clear(self) -> None:
        """Nobody knows what the market is, until it is shown again."""
        self._levels = {Side.BUY: [], Side.SELL: []}

    def enter(self, order: WorkedOrder) -> None:
        facing = self._levels[OTHER[order.side]]
        order.takes = order.limit is None or not facing or order.is_within(facing[0].price)
        order.ahead = None if order.takes else self._ahead(order)
        insort(self._orders[order.side], order, key=lambda item: item.rank)

    def remove(self, order: WorkedOrder) -> bool:
        """Whether it was here."""
        mine = self._orders[order.side]
        place = next((place for place, item in enumerate(mine) if item is order), None)
        if place is None:
            return False
        del mine[place]
        return True

    def match(self) -> list[Execution]:
        """What our orders get of the levels shown, in price-time order."""
        done: list[Execution] = []
        for order in tuple(self.orders()):
            facing = self._levels[OTHER[order.side]]
            if not facing:
                continue
            if order.takes and not order.is_within(facing[0].price):
                # The market has moved away from its limit: from now on it stands in the queue.
                order.takes, order.ahead = False, None
                order.ahead = self._ahead(order)
            plan = self._plan(order, facing)
            if order.child.time_in_force is TimeInForce.FOK and sum(item[1] for item in plan) < order.remaining:
                continue
            touch = facing[0].price
            for level, quantity, price in plan:
                level.use(quantity)
                if self._impact is not None:
                    self._impact.push(order.side, quantity)
                done.append(self._execute(order, quantity, price, touch))
            if plan and not facing[0].left and order.takes:
                self._fade(facing)
        return done

    def trade(self, tick: Print) -> list[Execution]:
        """What a trade of others would have given our resting orders, had they stood in the queue."""
        done: list[Execution] = []
        for side in Side:
            if self._hits(side, tick):
                done += self._trade_against(side, tick)
        return done

    def auction(self, order: WorkedOrder, price: Decimal, offered: int) -> list[Execution]:
        """A share of an auction's print, at its price."""
        quantity = self._allowed(order.remaining, offered)
        if quantity <= 0 or not order.is_within(price):
            return []
        return [self._execute(order, quantity, price, price, is_maker=False, mid=price)]

    def _renewed(self, depth: Depth, side: Side, levels: Levels) -> list[_Level]:
        old = {level.price: level for level in self._last_shown[side]}
        found: list[_Level] = []
        for price, shown in levels:
            before = old.get(price)
            if before is None:
                hidden = self._hidden(depth, side, price, shown) if self._hidden else 0
                found.append(_Level(price, shown, shown, hidden))
            else:
                grown = before.left + max(shown - before.shown, 0)
                found.append(_Level(price, shown, min(grown, shown), before.hidden))
        return found

    def _ahead(self, order: WorkedOrder) -> int | None:
        """Shares of others in front of an order at its price; what was once known can only shrink."""
        levels = self._levels[order.side]
        if not levels or order.limit is None:
            return order.ahead
        sign, limit = order.side.sign, order.limit
        if sign * limit > sign * levels[0].price:
            return 0
        if sign * limit < sign * levels[-1].price:
            return order.ahead
        shown = next((level.shown for level in levels if level.price == limit), 0)
        return shown if order.ahead is None else min(order.ahead, shown)

    def _plan(self, order: WorkedOrder, facing: list[_Level]) -> Plan:
        """Level by level, how much and at what price; the price of a resting order is its own."""
        plan: Plan = []
        wanted, room = order.remaining, self._room
        for level in facing:
            price = level.price if order.takes or order.limit is None else order.limit
            if not order.is_within(level.price) or not self._in_band(price):
                break
            quantity = self._allowed(wanted, level.left + level.hidden, room)
            if order.takes and self._impact is not None:
                quantity, price = self._impact.most(order.side, price, quantity, self._bound(order))
            if quantity <= 0:
                continue
            plan.append((level, quantity, price))
            wanted -= quantity
            room = None if room is None else room - quantity
            if not wanted:
                break
        return plan

    def _hits(self, side: Side, tick: Print) -> bool:
        """Whether a trade took liquidity from this side; without a told aggressor the touch has to say it."""
        if tick.aggressor is not None:
            return tick.aggressor is not side
        touch = self.touch
        if touch is None:
            return False
        return tick.price <= touch[0] if side is Side.BUY else tick.price >= touch[1]

    def _trade_against(self, side: Side, tick: Print) -> list[Execution]:
        left, passed, done = tick.size, 0, list[Execution]()
        facing = self._levels[OTHER[side]]
        touch = facing[0].price if facing else tick.price
        for order in tuple(self._orders[side]):
            if order.takes or order.limit is None or not self._in_band(order.limit):
                continue
            if not order.is_within(tick.price):
                break
            if order.limit == tick.price:
                if order.ahead is None:
                    continue
                used = min(max(order.ahead - passed, 0), left)
                passed, left = passed + used, left - used
                order.ahead = max(order.ahead - passed, 0)
            quantity = self._allowed(order.remaining, left)
            if quantity > 0:
                left -= quantity
                done.append(self._execute(order, quantity, order.limit, touch, is_maker=True))
        return done

    def _execute(
        self,
        order: WorkedOrder,
        quantity: int,
        price: Decimal,
        touch: Decimal,
        *,
        is_maker: bool | None = None,
        mid: Decimal | None = None,
    ) -> Execution:
        is_maker = not order.takes if is_maker is None else is_maker
        shown = self.touch
        middle = mid or ((shown[0] + shown[1]) / 2 if shown else touch)
        order.book(quantity, price, is_maker=is_maker)
        if self._room is not None:
            self._room -= quantity
        if not order.remaining:
            self.remove(order)
        so_far = (order.executions, order.taken, order.made, order.notional)
        return Execution(order, quantity, price, is_maker, touch, middle, self.synthetic, *so_far)

    def _allowed(self, wanted: int, offered: int, room: int | None = None) -> int:
        """Within the cap, and in whole lots unless it completes the order."""
        room = self._room if room is None else room
        quantity = min(wanted, offered) if room is None else min(wanted, offered, room)
        return wanted if quantity >= wanted else max(quantity, 0) // self._lot * self._lot

    def _in_band(self, price: Decimal) -> bool:
        return self.band is None or self.band[0] <= price <= self.band[1]

    def _bound(self, order: WorkedOrder) -> Decimal | None:
        """The worst price it may trade at: its limit or the band, whichever is nearer."""
        if self.band is None:
            return order.limit
        low, high = self.band
        if order.side is Side.BUY:
            return high if order.limit is None else min(order.limit, high)
        return low if order.limit is None else max(order.limit, low)

    def _fade(self, facing: list[_Level]) -> None:
        for level in facing:
            level.left = int(level.left * (1 - self._fade_frac))
