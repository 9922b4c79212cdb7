"""The same order, in the same minutes of a recorded session, worked by every algorithm through the desk's own session.

Each trial is a real `work_session` at the exchange that plays the recording: gate, children, latency and fees included.
What an algorithm is told and its cost is predicted from was known before. The market does not answer to our orders:
they take what was shown, and the next quote stands as if they had not been there.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal

import numpy as np

from ..domain.events import ChildDenied, ChildSubmitted, NewEvent
from ..domain.instruments import Instrument
from ..domain.market import Quote
from ..domain.orders import Algorithm, ExecutionAdvice, ParentOrder, Plan, Side, Tactic, Urgency
from ..domain.portfolio import Portfolio, Position
from ..execution.algorithms.observed import ObservedVolume
from ..execution.hours import SessionHours
from ..execution.session import work_session
from ..execution.tactics import PATIENCE_FRAC
from ..execution.venues.account import Account
from ..execution.venues.exchange import Exchange
from ..execution.venues.fees import FeeModel, FeeSchedule
from ..execution.venues.market_events import MarketEvent
from ..execution.venues.rules import ExchangeRules, Listing
from ..gate.approval import ApprovedPlan
from ..gate.gate import review_plan
from ..gate.limits import Limits
from ..gate.state import GateState
from ..market.grids import Grid
from ..market.recordings import Recording
from ..market.sessions import utc_moment
from ..quant.arrays import FloatArray
from ..tools.execution import Offer, offer
from ..tools.order_cost import OrderCost, order_cost
from ..tools.scene import Scene
from ..tools.session_shape import SESSION_MINUTES
from ..tools.slicing import OrderProblem, OrderQuestion
from .errors import EvalError
from .exchange_arms import SLOW
from .study_stages import Stage

N_SLICES = 12
NOTIONALS = (100_000, 1_000_000)
"""Of small orders, which the touch mostly bears, and of such as need several levels or a wait."""
URGENCY_OVER_SPAN = 2.0
"""Kappa T of the IS arm: about half of the order in the first third. At the desk's own it is next to TWAP (the study
prints how near), and there would be little to compare."""
EQUITY = Decimal(50_000_000)
"""Of the account the orders are for: large enough that no limit on weights is what decides."""
HISTORY_DAYS = 252
RULES = ExchangeRules(fees=FeeSchedule(FeeModel()), latency=SLOW)
"""One basis point of commission, which is what the desk expects by default, and a retail line."""


@dataclass(frozen=True, slots=True)
class Arm:
    """One way of working an order that is compared."""

    name: str
    algorithm: Algorithm
    tactic: Tactic = Tactic.MARKETABLE


TWAP = Arm("TWAP", Algorithm.TWAP)
ARMS = (
    TWAP,
    Arm("VWAP", Algorithm.VWAP),
    Arm("IS", Algorithm.IS),
    Arm("POV", Algorithm.POV),
    Arm("CLOSE", Algorithm.CLOSE),
    Arm("TWAP, pegged", Algorithm.TWAP, Tactic.PEG),
    Arm("TWAP, leaning", Algorithm.TWAP, Tactic.LEAN),
)


@dataclass(frozen=True, slots=True)
class Trial:
    """One order as it was predicted and as it came out; costs in bps of its value on arrival, positive when paid.

    `cost_bps` is implementation shortfall against the price on arrival, over the whole order: what stayed unfilled is
    taken at the last touch, with the fee and without impact, or arms that leave something would look cheap.
    `spread_bps` and `impact_bps` are the parts of it paid to and past the touch.
    """

    kind: str
    symbol: str
    window: datetime
    side: Side
    notional: int
    arm: str
    predicted_bps: float
    predicted_std_bps: float
    predicted_spread_bps: float
    predicted_impact_bps: float
    cost_bps: float
    spread_bps: float
    impact_bps: float
    filled_frac: float
    children: int
    denied: int
    failed_checks: tuple[str, ...]
    """The gate's checks that refused children failed, one entry for each child and check."""
    usual_kappa_span: float
    """Kappa T of this order at the desk's own risk aversion."""
    tier: str


@dataclass(frozen=True, slots=True, eq=False)
class Task:
    """One order in one window: what every arm is given alike."""

    stage: Stage
    window: datetime
    """When it was meant to begin; the first quote may come a little later."""
    hours: SessionHours
    events: Sequence[MarketEvent]
    quotes: Sequence[Quote]
    side: Side
    notional: int

    @property
    def arrival(self) -> Decimal:
        """The mid of the first quote, on the grid."""
        tick = self.stage.tick
        return (self.quotes[0].mid / tick).to_integral_value() * tick

    @property
    def shares(self) -> FloatArray:
        """(N_SLICES,) share of the session's volume expected in each slice."""
        return self.stage.known.shares(self.hours.opens_at, self.hours.closes_at, N_SLICES)

    @property
    def quantity(self) -> int:
        return max(round(self.notional / self.arrival), 1)


def trials(stage: Stage, desk: Scene, limits: Limits, arms: Sequence[Arm] = ARMS) -> Iterator[Trial]:
    """Every arm, side and size in every window of a stage; `desk` is whose cost settings predict."""
    volume = told_volume(stage.recording, stage.grid)
    for opens_at, closes_at in stage.windows:
        events, quotes = stage.tape.between(opens_at, closes_at)
        if not quotes:
            raise EvalError(
                f"{stage.recording.symbol}: nothing was quoted from {opens_at} to {closes_at}",
                remedy="Give a recording without such a gap, or other windows.",
            )
        # From the first quote on, so that arrival is a price somebody showed.
        first = quotes[0].ts_event
        hours = SessionHours(first - timedelta(seconds=1), first, closes_at)
        for side in Side:
            for notional in NOTIONALS:
                task = Task(stage, opens_at, hours, events, quotes, side, notional)
                yield from (_trial(task, arm, desk, limits, volume) for arm in arms)


def told_volume(recording: Recording, grid: Grid) -> ObservedVolume:
    """What others traded, as it becomes known: prints when they print, bars when they end."""
    told = ObservedVolume((recording.symbol,))
    trades, bars = recording.trades, recording.bars
    times, sizes = (trades.ts, trades.size) if trades else (bars.ts, bars.volume) if bars else ((), np.empty(0))
    for ts, size in zip(times, sizes.tolist(), strict=True):
        told.on_trade(recording.symbol, utc_moment(ts), grid.size(size))
    return told


def _trial(task: Task, arm: Arm, desk: Scene, limits: Limits, volume: ObservedVolume) -> Trial:
    made, usual = predicted(task, arm, desk), usual_cost(task, desk)
    # Nothing paces or stops an arm while it is measured: what is compared is the schedule. Every arm has the curve that
    # was known: the usual one, which TWAP's cap would fall back on, was measured on these very sessions.
    own = {
        "tactic": arm.tactic,
        "urgency": compared_urgency(arm, made.advice.urgency),
        "cost_std_bps": 0.0,
        "volume_shares": tuple(task.shares.tolist()),
    }
    advice = made.advice.model_copy(update=own)
    plan = _approved(task, advice, limits)
    portfolio, symbol, tape = plan.terms.portfolio, task.stage.recording.symbol, task.stage.tape
    listings = {symbol: Listing(tape.liquidity, tape.tier)}
    venue = Exchange(task.hours, listings, RULES, Account(portfolio), tape=task.events)
    told: list[NewEvent] = []
    done = work_session(
        plan, task.quotes, venue, task.hours, portfolio, limits, told.append, run_id="study", volume=volume
    )
    (quality,) = done.quality
    whole, expected, last = quality.against_decision, made.measured, task.quotes[-1]
    left = 1.0 - quality.fill_frac
    left_spread_bps = left * float((last.ask - last.bid) / 2 / task.arrival) * 1e4
    return Trial(
        kind=task.stage.kind,
        symbol=symbol,
        window=task.window,
        side=task.side,
        notional=task.notional,
        arm=arm.name,
        predicted_bps=expected.cost_bps,
        predicted_std_bps=expected.std_bps,
        predicted_spread_bps=1e4 * expected.spread_frac,
        predicted_impact_bps=1e4 * (expected.temporary_frac + expected.permanent_frac),
        # The decision's price is the arrival's on the grid: what lies between the two is no cost of the order.
        cost_bps=whole.total_bps - whole.delay_bps + left_spread_bps + left * desk.costs.fee_bps,
        spread_bps=quality.spread_bps * quality.fill_frac + left_spread_bps,
        impact_bps=quality.impact_bps * quality.fill_frac,
        filled_frac=quality.fill_frac,
        children=sum(isinstance(event.payload, ChildSubmitted) for event in told),
        denied=done.denied,
        failed_checks=tuple(
            row.check
            for event in told
            if isinstance(event.payload, ChildDenied)
            for row in event.payload.verdict.reasons
        ),
        usual_kappa_span=usual.kappa * usual.span,
        tier=tape.tier,
    )


def compared_urgency(arm: Arm, advised: Urgency) -> Urgency:
    """What was advised; an arm that is there for its waiting is never worked at the urgency that waits for nothing."""
    waits = arm.tactic is not Tactic.MARKETABLE
    return Urgency.MEDIUM if waits and PATIENCE_FRAC[advised] == 0.0 else advised


def usual_cost(task: Task, desk: Scene) -> OrderCost:
    """The order's cost at an even pace and the desk's own risk aversion, from what was known before."""
    known = task.stage.known
    base = order_cost(
        desk,
        task.quantity,
        float(task.arrival),
        task.quantity / known.daily_volume,
        known.daily_vol_frac,
        half_spread_frac=known.half_spread_frac,
        span=float(task.shares.sum()),
    )
    return replace(base, trading_vol_frac=known.open_vol_frac)


def predicted(task: Task, arm: Arm, desk: Scene) -> Offer:
    """The advice and the cost expected of it, from what was known before the window and its first quote."""
    shares, quantity, cost = task.shares, task.quantity, usual_cost(task, desk)
    if arm.algorithm is Algorithm.IS:
        urged = cost.risk_aversion * (URGENCY_OVER_SPAN / (cost.kappa * cost.span)) ** 2
        cost = replace(cost, risk_aversion=urged)
    # The order for the close is the only one that asks whether its horizon reaches it: here it is the window's end.
    asked = OrderQuestion(task.stage.recording.symbol, task.side, quantity, SESSION_MINUTES, N_SLICES)
    volumes = task.stage.known.daily_volume * shares
    problem = OrderProblem(asked, cost, volumes, shares, desk.limits.max_participation_frac, task.stage.grid.lot)
    made = offer(problem, arm.algorithm, is_recorded=True)
    assert made is not None, "twelve slices up to the close are enough for every schedule"
    return made


def _approved(task: Task, advice: ExecutionAdvice, limits: Limits) -> ApprovedPlan:
    """The order through the gate, for an account that holds what is to be sold."""
    stage, symbol, price = task.stage, task.stage.recording.symbol, task.arrival
    sells = task.side is Side.SELL
    held = (Position(symbol=symbol, quantity=task.quantity, average_price=price),) if sells else ()
    portfolio = Portfolio(cash=EQUITY - price * task.quantity * sells, positions=held)
    leg = ParentOrder(
        order_id="study-order",
        decision_id="study",
        symbol=symbol,
        side=task.side,
        quantity=task.quantity,
        reference_price=price,
        reason="paired study",
        advice=advice,
    )
    instrument = Instrument(symbol=symbol, asset_class=stage.asset_class, sector=symbol, tick=stage.tick, lot=1)
    state = GateState(
        portfolio=portfolio,
        instruments={symbol: instrument},
        prices={symbol: price},
        price_ages_days={symbol: 0.0},
        equity=EQUITY,
        previous_equity=EQUITY,
        # A year at the known volatility: the gate's checks of the tail want one, and are not what is studied.
        returns=np.random.default_rng(0).normal(0.0, stage.known.daily_vol_frac, (HISTORY_DAYS, 1)),
        return_symbols=(symbol,),
        state_version="study",
        daily_volumes={symbol: stage.known.daily_volume},
        halted=frozenset(),
    )
    at = task.hours.decided_at
    plan = Plan(plan_id="study-plan", decision_id="study", as_of=at, legs=(leg,))
    verdict, approved = review_plan(plan, state, limits, at)
    if approved is None:
        raise EvalError(
            f"the gate vetoes the study's order in {symbol}: {'; '.join(row.text for row in verdict.reasons)}",
            remedy="Run the study under the shipped limits.",
        )
    return approved
