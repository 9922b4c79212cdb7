"""Names held whose prices ended longer ago than the gate trusts: a broker would pay them out by now."""

from collections.abc import Iterator
from datetime import date

from ..desk.desk import Desk
from ..domain.events import PositionCashedOut
from ..domain.portfolio import Portfolio
from ..tools.scene import on_grid


def vanished(desk: Desk, session: date, portfolio: Portfolio) -> Iterator[PositionCashedOut]:
    """One payout each at the last close, which is what the data know; a real delisting can pay less."""
    view = desk.history.as_of(desk.history.close_time(session))
    for symbol, quantity in portfolio.holdings().items():
        age_days, instrument = view.age_days(symbol), desk.data.universe.instrument(symbol)
        last, priced_at = view.last_close(symbol), view.last_time(symbol)
        if age_days is None or last is None or priced_at is None or instrument is None:
            continue
        if age_days > desk.limits.max_price_age_days:
            price = on_grid(last, instrument.tick)
            reason = f"no price for {age_days:.0f} days; paid out at the last close"
            yield PositionCashedOut(symbol=symbol, quantity=quantity, price=price, priced_at=priced_at, reason=reason)
