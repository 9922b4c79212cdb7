"""For each reason that the gate can give against a plan, one that has no other fault."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any, NamedTuple

from ...domain.orders import Plan
from ...domain.trading import Scope as TradingScope
from ...domain.trading import TradingState, TradingStates
from ...gate.limits import Limits, parse_limits
from ...gate.state import Borrow, FloatArray, GateState
from .veto_bench import Bench


class Breach(NamedTuple):
    """A plan, the state it is reviewed in, and the limits."""

    plan: Plan
    state: GateState
    limits: Limits


def buy(
    bench: Bench, quantity: int = 10, limits: Limits | None = None, order: dict[str, Any] | None = None, **state: Any
) -> Breach:
    plan = bench.plan(bench.leg("AAA", "BUY", quantity, **(order or {})))
    return Breach(plan, bench.state(**state), limits or bench.limits)


def tight(bench: Bench, **changes: Any) -> Breach:
    return buy(bench, limits=bench.limits.tighten(**changes))


def shorting(bench: Bench) -> Limits:
    return parse_limits(bench.limits.model_dump() | {"allow_short": True}, "veto")


def short_sale(bench: Bench, located: int, rate_frac: float, limits: Limits) -> Breach:
    state = bench.state(borrow={"BBB": Borrow(located, rate_frac)})
    return Breach(bench.plan(bench.leg("BBB", "SELL", 5)), state, limits)


def foreign_currency(bench: Bench) -> Breach:
    listed = bench.instruments()
    listed["AAA"] = listed["AAA"].model_copy(update={"currency": "EUR"})
    return buy(bench, instruments=listed)


def twins(bench: Bench) -> FloatArray:
    returns = bench.state().returns.copy()
    returns[:, 1] = returns[:, 0]
    return returns


PLAN_BREACHES: dict[str, Callable[[Bench], Breach]] = {
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
