"""The one model of what an order costs: the square-root law at an even pace, as Almgren and Chriss need it."""

import math
from dataclasses import dataclass

from ..market.intraday_paths import OVERNIGHT_VARIANCE_SHARE
from ..quant.almgren_chriss import LinearImpact
from ..quant.impact import impact_frac
from .scene import Scene

LASTING_SHARE = 0.5
"""Part of an order's average impact that stays. Where the price afterwards is the average price paid (the fair pricing
of Farmer, Gerig, Lillo and Waelbroeck 2013, Quant. Finance 13), a move that builds up evenly costs half of it."""

LEAST_PASSING_FRAC = 1e-9
"""An order without any impact has no best pace; this keeps the formulas finite where the coefficient is zero."""


@dataclass(frozen=True, slots=True)
class OrderCost:
    """An order worked at an even pace over `span`, in fractions of its value; costs are positive.

    `span` is the part of the session's volume that passes meanwhile: time runs with volume here, and with
    it the session's variance. Over a whole session the total is the square-root law of the whole order.
    """

    quantity: int
    price: float
    participation: float
    """Quantity over a mean day's volume."""
    half_spread_frac: float
    fee_frac: float
    lasting_frac: float
    passing_frac: float
    trading_vol_frac: float
    """Standard deviation of the price from open to close."""
    span: float
    risk_aversion: float
    """Lambda of Almgren and Chriss, per unit of cash."""

    @property
    def value(self) -> float:
        return self.quantity * self.price

    @property
    def expected_frac(self) -> float:
        """Half spread, fee and impact of the even pace."""
        return self.half_spread_frac + self.fee_frac + self.lasting_frac + self.passing_frac

    @property
    def kappa(self) -> float:
        """Urgency of the optimal trajectory per session, in the limit of many trades."""
        return self.trading_vol_frac * math.sqrt(self.risk_aversion * self.value / (self.passing_frac * self.span))

    @property
    def half_life_sessions(self) -> float:
        """The time in which an endless order would shrink by e."""
        return 1.0 / self.kappa if self.kappa > 0.0 else math.inf

    def linear_impact(self, n_periods: int) -> LinearImpact:
        """Impact that is linear in size and pace, in cash per share, and costs as much at the even pace.

        Half a period's worth of lasting impact is charged as passing: a trade pays half of its own move.
        """
        lasting = 2.0 * self.lasting_frac * self.price / self.quantity
        passing = self.passing_frac * self.price * self.span / self.quantity
        own_move = 0.5 * lasting * self.span / n_periods
        return LinearImpact(lasting, passing + own_move, self.half_spread_frac * self.price)


def order_cost(
    scene: Scene,
    quantity: int,
    price: float,
    participation: float,
    daily_vol_frac: float,
    *,
    half_spread_frac: float | None = None,
    span: float = 1.0,
    risk_aversion: float | None = None,
) -> OrderCost:
    """The costs the desk expects of one order; without a spread or a risk aversion given, the desk's own."""
    costs = scene.costs
    impact = impact_frac(participation, daily_vol_frac, costs.impact_coefficient)
    return OrderCost(
        quantity=quantity,
        price=price,
        participation=participation,
        half_spread_frac=costs.half_spread_bps / 1e4 if half_spread_frac is None else half_spread_frac,
        fee_frac=costs.fee_bps / 1e4,
        lasting_frac=LASTING_SHARE * impact,
        passing_frac=max((1.0 - LASTING_SHARE) * impact / math.sqrt(span), LEAST_PASSING_FRAC),
        trading_vol_frac=daily_vol_frac * math.sqrt(1.0 - OVERNIGHT_VARIANCE_SHARE),
        span=span,
        risk_aversion=desk_risk_aversion(scene) if risk_aversion is None else risk_aversion,
    )


def desk_risk_aversion(scene: Scene) -> float:
    """Lambda per unit of cash for a relative risk aversion of two, whose utility is E - Var / equity."""
    return 1.0 / float(scene.equity)
