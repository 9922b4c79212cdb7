"""Every guard fires alone, and with the guard taken out of the table the same breach goes through."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any, NamedTuple, get_args

import numpy as np
import pytest
from parley.domain.market import Quote
from parley.domain.orders import OrderType, Side, TimeInForce
from parley.domain.trading import Scope as TradingScope
from parley.domain.trading import TradingState, TradingStates
from parley.gate import child_checks, gate
from parley.gate.catalog import sections
from parley.gate.limits import Figure, parse_limits
from parley.gate.state import Borrow, WorkingOrder

REASONS = {row.name: row for _, rows in sections() for row in rows}


class Breach(NamedTuple):
    """A plan or child, the state or instant it is reviewed in, and the limits."""

    order: Any
    state: Any
    limits: Any


def buy(
    bench: Any, quantity: int = 10, limits: Any = None, order: dict[str, Any] | None = None, **state: Any
) -> Breach:
    plan = bench.plan(bench.leg("AAA", "BUY", quantity, **(order or {})))
    return Breach(plan, bench.state(**state), limits or bench.limits)


def tight(bench: Any, **changes: Any) -> Breach:
    return buy(bench, limits=bench.limits.tighten(**changes))


def shorting(bench: Any) -> Any:
    return parse_limits(bench.limits.model_dump() | {"allow_short": True}, "test")


def short_sale(bench: Any, located: int, rate_frac: float, limits: Any) -> Breach:
    state = bench.state(borrow={"BBB": Borrow(located, rate_frac)})
    return Breach(bench.plan(bench.leg("BBB", "SELL", 5)), state, limits)


def foreign_currency(bench: Any) -> Breach:
    listed = bench.instruments()
    listed["AAA"] = listed["AAA"].model_copy(update={"currency": "EUR"})
    return buy(bench, instruments=listed)


def twins(bench: Any) -> Any:
    returns = bench.state().returns.copy()
    returns[:, 1] = returns[:, 0]
    return returns


PLAN_BREACHES: dict[str, Callable[[Any], Breach]] = {
    "legs": lambda b: Breach(b.plan(), b.state(), b.limits),
    "decision": lambda b: buy(b, order={"decision_id": "other"}),
    "unique_legs": lambda b: Breach(
        b.plan(b.leg("AAA", "BUY", 1, order_id="x"), b.leg("BBB", "BUY", 1, order_id="x")), b.state(), b.limits
    ),
    "plan_age": lambda b: Breach(
        b.plan(b.leg("AAA", "BUY", 1), as_of=b.now + timedelta(seconds=1)), b.state(), b.limits
    ),
    "trading_state": lambda b: buy(
        b,
        trading_states=TradingStates().with_state(TradingScope(kind="instrument", name="AAA"), TradingState.REDUCING),
    ),
    "known_instrument": foreign_currency,
    "lot": lambda b: buy(b, 15, lot=10),
    "tick": lambda b: buy(b, order={"reference_price": Decimal("100.005")}),
    "min_notional": lambda b: tight(b, min_order_notional=1001),
    "price_age": lambda b: buy(b, price_ages_days={"AAA": 5.5}),
    "reference_price": lambda b: buy(b, order={"reference_price": Decimal(111)}),
    "held_marks": lambda b: buy(b, cash="90000", held={"CCC": 50}, price_ages_days={"AAA": 0.0, "CCC": 9.0}),
    "equity": lambda b: buy(b, equity=Decimal(100_500)),
    "order_quantity": lambda b: tight(b, max_order_quantity=9),
    "order_notional": lambda b: tight(b, max_order_notional=999),
    "participation": lambda b: buy(b, daily_volumes={"AAA": 99.0}),
    "liquidation_days": lambda b: tight(b, max_liquidation_days=0.0005),
    "restricted": lambda b: tight(b, restricted_symbols=("AAA",)),
    "allowed": lambda b: tight(b, allowed_symbols=("BBB",)),
    "halted": lambda b: buy(b, halted=frozenset({"AAA"})),
    "versions": lambda b: buy(b, limits=b.limits.tighten(approved_versions=("new",)), versions=("old",)),
    "protective_stop": lambda b: buy(b, limits=b.limits.tighten(require_protective_stop=True), protected=frozenset()),
    "short": lambda b: short_sale(b, 10, 0.01, b.limits),
    "shortable": lambda b: short_sale(b, 4, 0.01, shorting(b)),
    "borrow_rate": lambda b: short_sale(b, 10, 0.11, shorting(b)),
    "cash": lambda b: buy(b, 51, cash="5100", held={"FND": 500, "CCC": 100, "DDD": 100, "BBB": 50}),
    "unexecuted_value": lambda b: tight(b, max_unexecuted_notional=999),
    "daily_loss": lambda b: buy(b, previous_equity=Decimal(102_100)),
    "instrument_weight": lambda b: buy(b, 101),
    "sector_weight": lambda b: tight(b, max_sector_weight={"stock": 0.009}),
    "gross": lambda b: tight(b, max_gross=0.009),
    "net": lambda b: tight(b, max_net=0.009),
    "concentration": lambda b: tight(b, max_concentration_hhi=0.00009),
    "history": lambda b: tight(b, min_history_days=251),
    "var_99": lambda b: tight(b, max_var_99_frac=1e-6),
    "es_975": lambda b: tight(b, max_es_975_frac=1e-6),
    "beta": lambda b: buy(b, limits=b.limits.tighten(max_beta=0.009), market_returns=b.state().returns[:, 0]),
    "correlation_cluster": lambda b: buy(
        b, 50, cash="90000", held={"BBB": 100}, returns=twins(b), limits=b.limits.tighten(max_cluster_weight=0.14)
    ),
}  # fmt: skip


def test_every_reason_of_a_plan_has_a_breach() -> None:
    at_plan = {name for name, row in REASONS.items() if row.level != "child"}

    assert set(PLAN_BREACHES) | {"well_formed", "computable"} == at_plan


@pytest.mark.parametrize("name", PLAN_BREACHES)
def test_a_plan_guard_fires_alone_and_without_it_the_breach_passes(
    bench: Any, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    breach = PLAN_BREACHES[name](bench)
    assert bench.failed(*breach) == {name}

    without = tuple(check for check in gate.PLAN_CHECKS if name not in _names_of(check, breach, bench))
    assert len(without) == len(gate.PLAN_CHECKS) - 1
    monkeypatch.setattr(gate, "PLAN_CHECKS", without)

    assert bench.failed(*breach) == set()


def _names_of(check: Any, breach: Breach, bench: Any) -> set[str]:
    context = gate.plan_context(breach.order, breach.state, breach.limits, bench.now)
    return {row.check for row in check(context)}


KNOWN: dict[str, Any] = {
    "in_session": True, "is_halted": False, "price_band": (Decimal(90), Decimal(112)), "clock_skew_s": 0.01,
    "twin_age_s": float("inf"), "repeated_legs": 0, "unexecuted": Decimal(0), "settled_cash": Decimal(100_000),
    "net_value": Decimal(0), "day_trades": 0, "submits_last_s": 0, "cancels_last_s": 0, "orders_today": 0,
    "messages_today": 0, "fills_today": 0, "queue_age_s": 0.0, "venue_connected": True, "venue_reconciled": True,
    "log_writable": True, "state_age_s": 0.0,
}  # fmt: skip
"""Every figure a caller can give, at its best."""


class Moment(NamedTuple):
    child: Any
    plan: Any
    context: Any
    limits: Any


def approved(bench: Any, **state: Any) -> Any:
    """Buy 50 AAA, sell all 40 of BBB."""
    held = bench.state(cash="96000", held={"BBB": 40}, **state)
    return bench.review(bench.plan(bench.leg("AAA", "BUY", 50), bench.leg("BBB", "SELL", 40)), held)[1]


def moment(
    bench: Any, child: dict[str, Any] | None = None, limits: dict[str, Any] | None = None, **seen: Any
) -> Moment:
    return Moment(
        bench.child(**(child or {})),
        approved(bench),
        bench.context(**{**KNOWN, **seen}),
        bench.limits.tighten(**(limits or {})),
    )


def odd_lot(bench: Any) -> Moment:
    return moment(bench, {"quantity": 15})._replace(plan=approved(bench, lot=10))


def oversold(bench: Any, located: bool, limits: Any) -> Moment:
    sale = {"order_id": "leg-BBB-SELL", "symbol": "BBB", "side": Side.SELL, "quantity": 40}
    plan = approved(bench, borrow={"BBB": Borrow(100, 0.01)} if located else {})
    at = moment(bench, {**sale, "limit_price": Decimal("99.50")}, quote=bench.quote(symbol="BBB"), held=39)
    return at._replace(plan=plan, limits=limits)


def shown(bench: Any, size: int) -> Quote:
    return replace(bench.quote(), ask_size=size, synthetic=False)


CHILD_BREACHES: dict[str, Callable[[Any], Moment]] = {
    "plan_match": lambda b: moment(b, {"decision_id": "d2"}),
    "lot": odd_lot,
    "tick": lambda b: moment(b, {"limit_price": Decimal("100.505")}),
    "order_type": lambda b: moment(b, {"time_in_force": TimeInForce.GTD}),
    "stop_price": lambda b: moment(b, {"order_type": OrderType.STOP_LIMIT, "stop_price": Decimal("99.99")}),
    "expiry": lambda b: moment(b, {"time_in_force": TimeInForce.GTD, "expires_at": b.open}),
    "created": lambda b: moment(b, {"created_at": b.open - timedelta(seconds=31)}),
    "children_sum": lambda b: moment(b, committed=41),
    "children_count": lambda b: moment(b, children=400),
    "order_quantity": lambda b: moment(b, limits={"max_order_quantity": 9}),
    "order_notional": lambda b: moment(b, limits={"max_order_notional": 1000}),
    "min_notional": lambda b: moment(b, limits={"min_order_notional": 1001}),
    "duplicate": lambda b: moment(b, twin_age_s=0.5),
    "self_match": lambda b: moment(b, open_sells=5, opposite_price=Decimal("100.50")),
    "repeats": lambda b: moment(b, repeated_legs=4),
    "restricted": lambda b: moment(b, limits={"restricted_symbols": ("AAA",)}),
    "allowed": lambda b: moment(b, limits={"allowed_symbols": ("BBB",)}),
    "trading_state": lambda b: moment(b, trading_state=TradingState.REDUCING),
    "venue_ready": lambda b: moment(b, venue_reconciled=False),
    "log_writable": lambda b: moment(b, log_writable=False),
    "state_age": lambda b: moment(b, state_age_s=5.1),
    "quote_age": lambda b: moment(b, quote=b.quote(age_s=31)),
    "crossed_quote": lambda b: moment(b, quote=b.quote("100.01", "99.99")),
    "spread": lambda b: moment(b, quote=b.quote("97", "103")),
    "displayed_depth": lambda b: moment(b, {"quantity": 11}, quote=shown(b, 1)),
    "price_collar": lambda b: moment(b, {"limit_price": Decimal("110.01")}),
    "price_move": lambda b: moment(
        b, {"limit_price": Decimal(126)}, quote=b.quote("126", "126.02"), price_band=(Decimal(90), Decimal(130))
    ),
    "participation": lambda b: moment(b, traded=9_991),
    "session_hours": lambda b: moment(b, in_session=False),
    "halted": lambda b: moment(b, is_halted=True),
    "price_band": lambda b: moment(b, price_band=(Decimal(90), Decimal("100.49"))),
    "clock_skew": lambda b: moment(b, clock_skew_s=-1.1),
    "short": lambda b: oversold(b, True, b.limits),
    "shortable": lambda b: oversold(b, False, shorting(b)),
    "cash": lambda b: moment(b, cash=Decimal("1004.99")),
    "settled_cash": lambda b: moment(b, settled_cash=Decimal("1004.99")),
    "unexecuted_value": lambda b: moment(b, unexecuted=Decimal(99_999_000)),
    "instrument_weight": lambda b: moment(b, held=91),
    "sector_weight": lambda b: moment(b, sector_value=Decimal(29_001)),
    "gross": lambda b: moment(b, gross_value=Decimal(99_001)),
    "net": lambda b: moment(b, net_value=Decimal(99_001)),
    "day_trades": lambda b: moment(b, limits={"pattern_day_rule": True, "min_day_trade_equity": 100_001}, day_trades=3),
    "submit_rate": lambda b: moment(b, submits_last_s=20),
    "cancel_rate": lambda b: moment(b, cancels_last_s=21),
    "orders_per_day": lambda b: moment(b, orders_today=5000),
    "message_ratio": lambda b: moment(b, messages_today=101, fills_today=1),
    "queue_age": lambda b: moment(b, queue_age_s=2.1),
}


def test_every_reason_of_a_child_has_a_breach() -> None:
    assert set(CHILD_BREACHES) == {name for name, row in REASONS.items() if row.level != "plan"}
    assert set(CHILD_BREACHES) == {check.name for check in child_checks.CHILD_CHECKS}


def child_failed(bench: Any, at: Moment) -> set[str]:
    review = gate.review_child(at.child, at.plan, at.context, at.limits, bench.open)
    reasons = {row.check for row in review.verdict.reasons}
    assert (review.order is None) == bool(reasons)
    return reasons


def test_with_every_figure_given_a_child_passes(bench: Any) -> None:
    at = moment(bench, limits={"required_figures": get_args(Figure)})

    assert child_failed(bench, at) == set()


@pytest.mark.parametrize("name", CHILD_BREACHES)
def test_a_child_guard_fires_alone_and_without_it_the_breach_passes(
    bench: Any, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    at = CHILD_BREACHES[name](bench)
    assert child_failed(bench, at) == {name}

    without = tuple(check for check in child_checks.CHILD_CHECKS if check.name != name)
    assert len(without) == len(child_checks.CHILD_CHECKS) - 1
    monkeypatch.setattr(child_checks, "CHILD_CHECKS", without)
    monkeypatch.setattr(gate, "CHILD_CHECKS", without)

    assert child_failed(bench, at) == set()


@pytest.mark.parametrize("figure", sorted(set(get_args(Figure)) - {"beta"}))
def test_a_required_figure_that_is_missing_refuses_a_child(bench: Any, figure: str) -> None:
    plan = approved(bench, daily_volumes={})
    limits = bench.limits.tighten(required_figures=(figure,))
    silent = Moment(bench.child(), plan, bench.context(), limits)

    assert child_failed(bench, silent) == {"participation" if figure == "volume" else figure}
    assert child_failed(bench, silent._replace(limits=bench.limits)) == set()


@pytest.mark.parametrize(
    ("figure", "reasons"),
    [("beta", {"beta"}), ("halted", {"halted"}), ("volume", {"participation", "liquidation_days"})],
)
def test_a_required_figure_that_is_missing_vetoes_a_plan(bench: Any, figure: str, reasons: set[str]) -> None:
    breach = buy(bench, limits=bench.limits.tighten(required_figures=(figure,)), daily_volumes={})

    assert bench.failed(*breach) == reasons
    assert bench.failed(*breach._replace(limits=bench.limits)) == set()


def test_a_limit_that_is_switched_on_vetoes_without_its_figure(bench: Any) -> None:
    limits = bench.limits.tighten(
        approved_versions=("m",), require_protective_stop=True, pattern_day_rule=True, min_day_trade_equity=1e9
    )

    assert bench.failed(*buy(bench, limits=limits)) == {"versions", "protective_stop"}
    silent = Moment(bench.child(), approved(bench), bench.context(), limits)
    assert child_failed(bench, silent) == {"day_trades"}


def test_an_exit_passes_every_count_of_the_day_but_not_a_wild_loop(bench: Any) -> None:
    sale = {"order_id": "leg-BBB-SELL", "symbol": "BBB", "side": Side.SELL, "limit_price": Decimal("99.50")}
    worn = {
        "orders_today": 10**6, "messages_today": 10**6, "cancels_last_s": 10**6, "repeated_legs": 99,
        "unexecuted": Decimal(10**12), "net_value": Decimal(-(10**9)), "settled_cash": Decimal(-1), "day_trades": 9,
    }  # fmt: skip
    at = moment(bench, {**sale, "quantity": 40}, quote=bench.quote(symbol="BBB"), held=40, **worn)

    assert child_failed(bench, at) == set()
    assert child_failed(bench, at._replace(context=at.context._replace(submits_last_s=20))) == {"submit_rate"}


@pytest.mark.parametrize(
    ("price", "stopped"), [(None, True), (Decimal("100.50"), True), (Decimal("100.51"), False), (Decimal(1), True)]
)
def test_an_own_sell_stops_a_buy_only_where_they_could_meet(bench: Any, price: Decimal | None, stopped: bool) -> None:
    at = moment(bench, open_sells=1, opposite_price=price)

    assert child_failed(bench, at) == ({"self_match"} if stopped else set())


@pytest.mark.parametrize("kind", ["account", "strategy", "venue", "instrument"])
def test_each_scope_of_the_trading_state_stops_a_plan(bench: Any, kind: Any) -> None:
    name = {"account": "", "strategy": "s1", "venue": "v1", "instrument": "AAA"}[kind]
    halted = TradingStates().with_state(TradingScope(kind=kind, name=name), TradingState.HALTED)

    assert bench.failed(*buy(bench, trading_states=halted, strategy="s1", venue="v1")) == {"trading_state"}


def test_names_that_move_as_one_are_added_up_and_a_pair_nobody_knows_is_one(bench: Any) -> None:
    limits = bench.limits.tighten(max_cluster_weight=0.14)
    held = {"cash": "90000", "held": {"BBB": 100}, "limits": limits}
    late = bench.state().returns.copy()
    late[-60:-25, 1] = np.nan

    assert bench.failed(*buy(bench, 50, **held)) == set()
    assert bench.failed(*buy(bench, 50, returns=twins(bench), **held)) == {"correlation_cluster"}
    assert bench.failed(*buy(bench, 40, returns=twins(bench), **held)) == set()
    assert "correlation_cluster" in bench.failed(*buy(bench, 50, returns=late, **held))


def test_beta_after_the_plan_is_that_of_weights_times_betas(bench: Any) -> None:
    # AAA is the market twice over, so half of a tenth of equity in it is a beta of 0.1.
    returns = bench.state().returns.copy()
    market = returns[:, 0] / 2

    verdict, _ = bench.review(*buy(bench, 50, returns=returns, market_returns=market)[:2])

    row = next(row for row in verdict.checks if row.check == "beta")
    assert row.value == pytest.approx(0.05 * 2)


def test_net_is_long_less_short_on_the_side_where_it_is_larger(bench: Any) -> None:
    # Held: 100 long, 40 short; bought: 10. Filled, 7000 of 100 000 are long; unfilled, 6000.
    state = {"cash": "94000", "held": {"AAA": 100, "BBB": -40}}
    verdict, _ = bench.review(bench.plan(bench.leg("CCC", "BUY", 10)), bench.state(**state))

    assert next(row for row in verdict.checks if row.check == "net").value == pytest.approx(0.07)


def test_open_orders_count_in_net_and_in_what_is_unexecuted(bench: Any) -> None:
    working = (WorkingOrder("w", "CCC", Side.BUY, 60, Decimal(101)),)
    values = {row.check: row.value for row in bench.review(*buy(bench, 10, working=working)[:2])[0].checks}

    assert values["unexecuted_value"] == 60 * 101 + 10 * 100
    assert values["net"] == pytest.approx(0.07)
    assert values["concentration"] == pytest.approx(0.06**2 + 0.01**2)
