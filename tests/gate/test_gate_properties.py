"""Whatever is asked of it, the gate is monotone, and what it approves holds every limit at worst."""

from collections import defaultdict
from decimal import Decimal
from fractions import Fraction
from typing import Any, get_args

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from parley.domain.orders import ParentOrder, Plan, Side
from parley.gate.gate import review_child, review_plan
from parley.gate.limits import Figure
from parley.gate.scale import scale_to_limits
from parley.gate.state import Borrow, GateState, OrderContext, WorkingOrder

SYMBOLS = ("AAA", "BBB", "CCC", "DDD", "FND")
CAPS = (
    "max_gross", "max_participation_frac", "max_order_notional", "max_order_quantity", "price_collar_frac",
    "max_price_move_frac", "max_spread_frac", "max_price_age_days", "max_quote_age_s", "max_daily_loss_frac",
    "max_var_99_frac", "max_legs", "max_children", "max_unexecuted_notional", "max_net", "max_concentration_hhi",
    "max_unclustered_correlation", "max_cluster_weight", "max_beta", "max_es_975_frac", "max_liquidation_days",
    "max_borrow_rate_frac", "max_depth_multiple", "max_clock_skew_s", "max_state_age_s", "max_queue_age_s",
    "max_submits_per_s", "max_cancels_per_s", "max_orders_per_day", "max_messages_per_fill", "max_repeated_legs",
    "max_day_trades",
)  # fmt: skip
RAISED = {
    "min_order_notional": (1.0, 500.0), "min_history_days": (10, 60), "min_var_days": (10, 60),
    "min_day_trade_equity": (1e4, 1e7), "duplicate_window_s": (0.5, 30.0),
}  # fmt: skip
SWITCHES = (
    {"required_figures": ("halted", "volume", "beta")}, {"required_figures": get_args(Figure)},
    {"require_protective_stop": True}, {"pattern_day_rule": True}, {"approved_versions": ("m1",)},
    {"allowed_symbols": ("AAA", "BBB")}, {"dynamic": {"crisis": 0.5, "smallest_factor": 0.4}},
)  # fmt: skip
GROWS_BACK = {"min_notional"}
"""Whether an order is too small: the one thing that a bigger order mends."""
FEW = settings(max_examples=60, deadline=None)

prices = st.decimals(1, 500, places=2)
quantities = st.one_of(st.integers(1, 300), st.integers(1, 10**9))
sides = st.sampled_from(list(Side))


@st.composite
def books(draw: Any, bench: Any) -> GateState:
    """A book with positions, open orders, a loss or gain on the day, and calm or wild returns."""
    marks = {symbol: draw(prices) for symbol in SYMBOLS}
    held = {symbol: draw(st.integers(0, 300)) for symbol in SYMBOLS}
    working = tuple(
        WorkingOrder(f"w{place}", draw(st.sampled_from(SYMBOLS)), draw(sides), draw(st.integers(1, 50)), draw(prices))
        for place in range(draw(st.integers(0, 2)))
    )
    state = bench.state(cash=str(draw(st.integers(0, 300_000))), held=held, prices=marks, working=working)
    scale = draw(st.sampled_from([0.002, 0.01, 0.04]))
    moved = state.equity * draw(st.decimals("0.97", "1.05", places=3))
    volume = draw(st.sampled_from([{}, dict.fromkeys(SYMBOLS, 500.0), dict.fromkeys(SYMBOLS, 1e6)]))
    returns = np.random.default_rng(draw(st.integers(0, 5))).normal(0, scale, (150, 5))
    changes = {
        "previous_equity": moved or Decimal(1),
        "returns": returns,
        "daily_volumes": volume,
        "market_returns": draw(st.sampled_from([None, returns.mean(axis=1), -returns[:, 0]])),
        "halted": draw(st.sampled_from([None, frozenset[str](), frozenset({"AAA"})])),
        "protected": draw(st.sampled_from([None, frozenset(SYMBOLS)])),
        "versions": draw(st.sampled_from([(), ("m1",), ("m1", "m2")])),
        "borrow": draw(st.sampled_from([{}, dict.fromkeys(SYMBOLS, Borrow(40, 0.05))])),
    }
    return GateState(**{**{name: getattr(state, name) for name in GateState.__slots__}, **changes})


@st.composite
def plans(draw: Any, bench: Any, state: GateState, distinct: bool = False) -> Plan:
    count = draw(st.integers(1, 5))
    symbols = draw(st.lists(st.sampled_from(SYMBOLS), min_size=count, max_size=count, unique=distinct))
    legs = [
        bench.leg(symbol, draw(sides), draw(quantities), reference_price=state.prices[symbol], order_id=f"l{place}")
        for place, symbol in enumerate(symbols)
    ]
    return bench.plan(*legs)


@st.composite
def tightenings(draw: Any, limits: Any) -> Any:
    """The limits with a few bounds pulled in, up to nothing at all."""
    changes: dict[str, Any] = {}
    for name in draw(st.lists(st.sampled_from(CAPS), max_size=4)):
        bound = getattr(limits, name)
        part = draw(st.sampled_from([Fraction(0), Fraction(1, 10), Fraction(1, 2), Fraction(9, 10)]))
        changes[name] = int(bound * part) if isinstance(bound, int) else float(bound * part)
    if draw(st.booleans()):
        part = draw(st.sampled_from([0.0, 0.2, 0.7]))
        changes["max_instrument_weight"] = {"stock": limits.max_instrument_weight.stock * part}
        changes["max_sector_weight"] = {"stock": limits.max_sector_weight.stock * part}
    if draw(st.booleans()):
        changes["min_cash"] = limits.min_cash + draw(st.sampled_from([1.0, 5_000.0]))
        changes["cash_buffer_frac"] = min(limits.cash_buffer_frac + 0.03, 1.0)
    if draw(st.booleans()):
        changes["restricted_symbols"] = (*limits.restricted_symbols, draw(st.sampled_from(SYMBOLS)))
    for name in draw(st.lists(st.sampled_from(sorted(RAISED)), max_size=2, unique=True)):
        changes[name] = getattr(limits, name) + draw(st.sampled_from(RAISED[name]))
    for switch in draw(st.lists(st.sampled_from(SWITCHES), max_size=2, unique_by=str)):
        changes |= {name: tighter_of(limits, name, value) for name, value in switch.items()}
    return limits.tighten(**changes)


def tighter_of(limits: Any, name: str, value: Any) -> Any:
    """A switch on top of limits that may have been switched before."""
    before = getattr(limits, name)
    if name == "required_figures":
        return (*before, *value)
    if name == "allowed_symbols" and before != "all":
        return tuple(set(before) & set(value))
    return value


@given(st.data())
@FEW
def test_tightening_a_limit_never_turns_a_veto_into_an_approval(bench: Any, data: Any) -> None:
    state = data.draw(books(bench))
    plan = data.draw(plans(bench, state))
    loose = data.draw(tightenings(bench.limits))
    tight = data.draw(tightenings(loose))

    before = {row.check for row in review_plan(plan, state, loose, bench.now)[0].reasons}
    after = {row.check for row in review_plan(plan, state, tight, bench.now)[0].reasons}

    assert before <= after


@given(st.data())
@FEW
def test_a_bigger_buy_never_turns_a_veto_into_an_approval(bench: Any, data: Any) -> None:
    # Of the legs that add risk: a bigger sell of one's own frees cash and room by design.
    state = data.draw(books(bench))
    plan = data.draw(plans(bench, state, distinct=True))
    limits = data.draw(tightenings(bench.limits))
    bigger = data.draw(quantities)
    legs = tuple(
        leg.model_copy(update={"quantity": leg.quantity + bigger}) if leg.side is Side.BUY and not place else leg
        for place, leg in enumerate(plan.legs)
    )

    before = {row.check for row in review_plan(plan, state, limits, bench.now)[0].reasons}
    after = {row.check for row in review_plan(bench.plan(*legs), state, limits, bench.now)[0].reasons}

    assert before - GROWS_BACK <= after


@given(st.data())
@FEW
def test_a_bigger_sell_never_becomes_possible_by_being_bigger(bench: Any, data: Any) -> None:
    state = data.draw(books(bench))
    symbol, quantity, more = data.draw(st.sampled_from(SYMBOLS)), data.draw(quantities), data.draw(quantities)

    def failed(size: int) -> set[str]:
        leg = bench.leg(symbol, "SELL", size, reference_price=state.prices[symbol])
        return {row.check for row in review_plan(bench.plan(leg), state, bench.limits, bench.now)[0].reasons}

    assert failed(quantity) <= failed(quantity + more)


@given(st.data())
@FEW
def test_an_approved_plan_holds_every_limit_once_all_of_it_has_filled(bench: Any, data: Any) -> None:
    state = data.draw(books(bench))
    drawn = data.draw(plans(bench, state))
    # Random plans are nearly always absurd; half the time the plan is first cut to what may pass.
    plan = scale_to_limits(drawn, state, bench.limits, bench.now) if data.draw(st.booleans()) else drawn

    _, approved = review_plan(plan, state, bench.limits, bench.now)

    if approved is not None:
        _assert_limits_hold(approved.plan.legs, state, bench.limits)


def _assert_limits_hold(legs: tuple[ParentOrder, ...], state: GateState, limits: Any) -> None:
    """An independent count in fractions: held, plus all open buys, plus the plan."""
    after: dict[str, int] = defaultdict(int, state.portfolio.holdings())
    spent = Fraction(0)
    for order in state.working:
        if order.side is Side.BUY:
            after[order.symbol] += order.quantity
            spent += Fraction(order.worst_price) * order.quantity
    for leg in legs:
        after[leg.symbol] += leg.side.sign * leg.quantity
        spent += leg.side.sign * Fraction(state.prices[leg.symbol]) * leg.quantity
    equity = Fraction(state.equity)
    weight = {symbol: Fraction(state.prices[symbol]) * quantity / equity for symbol, quantity in after.items()}
    bought = {leg.symbol for leg in legs if leg.side is Side.BUY}
    opened = {order.symbol for order in state.working}

    assert all(quantity >= 0 for symbol, quantity in after.items() if symbol not in opened)
    assert len({leg.symbol for leg in legs}) == len(legs)
    for symbol in bought:
        bound = limits.max_instrument_weight.of(state.instruments[symbol].asset_class)
        assert weight[symbol] <= Fraction(repr(bound))
        sector = state.instruments[symbol].sector
        total = sum(weight[name] for name in weight if state.instruments[name].sector == sector)
        assert total <= Fraction(repr(limits.max_sector_weight.of(state.instruments[symbol].asset_class)))
    if bought:
        assert sum(weight.values()) <= Fraction(repr(limits.max_gross))
        assert spent <= Fraction(state.portfolio.cash)
        assert 1 - equity / Fraction(state.previous_equity) <= Fraction(repr(limits.max_daily_loss_frac))
    for leg in legs:
        if leg.side is Side.BUY and state.daily_volumes:
            assert leg.quantity <= limits.max_participation_frac * state.daily_volumes[leg.symbol]


@given(st.data())
@FEW
def test_scaling_never_grows_or_adds_a_leg_and_its_result_passes(bench: Any, data: Any) -> None:
    state = data.draw(books(bench))
    limits = data.draw(tightenings(bench.limits))
    plan = data.draw(plans(bench, state))

    scaled = scale_to_limits(plan, state, limits, bench.now)

    asked = {leg.order_id: leg for leg in plan.legs}
    for leg in scaled.legs:
        assert 0 < leg.quantity <= asked[leg.order_id].quantity
        assert leg == asked[leg.order_id].model_copy(update={"quantity": leg.quantity})
    if scaled.legs:
        verdict, approved = review_plan(scaled, state, limits, bench.now)
        assert approved is not None, verdict.reasons


@st.composite
def moments(draw: Any, bench: Any) -> OrderContext:
    """An instant in a session: what is held, open, spent and quoted."""
    mid = draw(st.decimals(60, 140, places=2))
    amounts = st.decimals(0, 120_000, places=2)
    counts = st.integers(0, 120)
    half = draw(st.decimals("0.01", 3, places=2))
    return bench.context(
        quote=bench.quote(str(mid - half), str(mid + half)),
        held=draw(counts),
        open_buys=draw(counts),
        open_sells=draw(counts),
        committed=draw(st.integers(0, 60)),
        children=draw(st.integers(0, 450)),
        traded=draw(st.integers(0, 12_000)),
        cash=draw(amounts),
        reserved=draw(amounts),
        gross_value=draw(amounts),
        sector_value=draw(amounts),
        worst_fee=draw(st.decimals(0, 10, places=2)),
        **draw(figures(mid)),
    )


@st.composite
def figures(draw: Any, mid: Decimal) -> dict[str, Any]:
    """What a live caller knows besides: all of it, or with gaps, at its best or near a bound."""
    flags, ages = st.sampled_from([None, True, True, False]), st.sampled_from([None, 0.0, 0.9, 3.0, 9.0])
    few, many = st.sampled_from([None, 0, 2, 25]), st.sampled_from([None, 0, 100, 6000])
    money = st.none() | st.decimals(0, 120_000, places=2)
    return {
        "opposite_price": draw(st.none() | st.decimals(60, 140, places=2)),
        "in_session": draw(flags),
        "is_halted": draw(st.sampled_from([None, False, True])),
        "price_band": draw(st.sampled_from([None, (mid * Decimal("0.95"), mid * Decimal("1.05"))])),
        "clock_skew_s": draw(ages),
        "twin_age_s": draw(ages),
        "repeated_legs": draw(few),
        "unexecuted": draw(money),
        "settled_cash": draw(money),
        "net_value": draw(money),
        "day_trades": draw(few),
        "submits_last_s": draw(few),
        "cancels_last_s": draw(few),
        "orders_today": draw(many),
        "messages_today": draw(many),
        "fills_today": draw(few),
        "queue_age_s": draw(ages),
        "venue_connected": draw(flags),
        "venue_reconciled": draw(flags),
        "log_writable": draw(flags),
        "state_age_s": draw(ages),
    }


@given(st.data())
@settings(max_examples=150, deadline=None)
def test_a_child_is_monotone_in_limits_and_in_size_and_holds_at_worst(bench: Any, data: Any) -> None:
    _, plan = bench.review(bench.plan(bench.leg("AAA", "BUY", 60)))
    context = data.draw(moments(bench))
    loose = data.draw(tightenings(bench.limits))
    tight = data.draw(tightenings(loose))
    size = data.draw(st.integers(1, 80))
    child = bench.child(size, limit_price=data.draw(st.none() | st.decimals(60, 140, places=2)))
    larger = child.model_copy(update={"quantity": size + data.draw(st.integers(1, 40))})

    def failed(order: Any, limits: Any) -> set[str]:
        review = review_child(order, plan, context, limits, bench.open)
        return {row.check for row in review.verdict.reasons}

    assert failed(child, loose) <= failed(child, tight)
    assert failed(child, loose) - GROWS_BACK <= failed(larger, loose)
    if not failed(child, loose):
        price = child.limit_price
        assert price is not None
        assert context.cash - context.reserved - price * size - context.worst_fee >= Decimal(repr(loose.min_cash))
        assert context.committed + size <= 60
        assert (context.gross_value + 100 * size) / 100_000 <= Decimal(repr(loose.max_gross))
        assert 100 * (context.held + context.open_buys + size) / Decimal(100_000) <= Decimal(
            repr(loose.max_instrument_weight.stock)
        )
