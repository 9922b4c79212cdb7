"""Costs are charged as stated, and the book adds up: every fill against the terms the run itself was recorded with."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace
from decimal import ROUND_CEILING, Decimal

from ...domain.events import Event, OrderFilled, PortfolioMarked, RunStarted
from ...domain.orders import Fill
from .finding import Finding, Ground, caught, clean
from .playing import Rig, play

CENT = Decimal("0.01")
BPS = Decimal(10_000)
SPREAD_ROUNDING = Decimal("0.5")
"""A touch is rounded to the price grid; half of the stated spread is less than that ever takes away."""


def books_probe(here: Ground, rig: Rig) -> Finding:
    """Plays through the cut and beyond, and reckons fees and cash again by hand."""
    # The terms are reckoned as the usual venue's are, whatever the settings name.
    return check_books(play(here.data, here.days, here.days[-1], replace(rig, settings=None)))


def check_books(events: Iterable[Event]) -> Finding:
    """Fees to the cent by the order, the touch at least the stated half-spread away, cash and equity at every close."""
    fee_bps = half_spread_bps = cash = Decimal(0)
    charged: dict[str, list[Decimal]] = defaultdict(lambda: [Decimal(0), Decimal(0)])
    held: dict[str, int] = defaultdict(int)
    looked = 0
    for event in events:
        payload = event.decoded()
        if isinstance(payload, RunStarted):
            costs = payload.settings["costs"]
            assert isinstance(costs, dict), "settings are recorded by section"
            fee_bps, half_spread_bps = (Decimal(str(costs[name])) for name in ("fee_bps", "half_spread_bps"))
            cash = payload.cash
        elif isinstance(payload, OrderFilled):
            fill, looked = payload.fill, looked + 1
            so_far = charged[fill.client_order_id]
            so_far[0], so_far[1] = so_far[0] + fill.notional, so_far[1] + fill.fee
            due = (so_far[0] * fee_bps / BPS).quantize(CENT, rounding=ROUND_CEILING)
            if so_far[1] != due:
                return caught(
                    f"fees of {fill.client_order_id} are {so_far[1]}, {due} were due at {fee_bps} bps", looked
                )
            if fault := _too_cheap(fill, half_spread_bps):
                return caught(fault, looked)
            cash -= fill.side.sign * fill.notional + fill.fee
            held[fill.symbol] += fill.side.sign * fill.quantity
        elif isinstance(payload, PortfolioMarked):
            equity = cash + sum((payload.prices[name] * count for name, count in held.items() if count), Decimal(0))
            if (payload.cash, payload.equity) != (cash, equity):
                return caught(f"{payload.session}: the book says {payload.equity}, its fills come to {equity}", looked)
    return clean(f"{looked} fills cost what was stated, and every close adds up to the cent", looked)


def _too_cheap(fill: Fill, half_spread_bps: Decimal) -> str:
    away_bps = abs(fill.touch_price - fill.mid_price) / fill.mid_price * BPS
    if away_bps < half_spread_bps * SPREAD_ROUNDING:
        return f"{fill.symbol}: the touch was {away_bps:.2f} bps from the mid, {half_spread_bps} were stated"
    paid = fill.side.sign * (fill.price - fill.touch_price)
    return f"{fill.symbol}: filled {-paid} better than the touch" if paid < 0 else ""
