"""Every guard fires alone, and without it in the table the same breach of the suite `veto` goes through."""

from decimal import Decimal
from typing import Any, get_args

import numpy as np
import pytest
from parley.domain.orders import Side
from parley.domain.trading import Scope as TradingScope
from parley.domain.trading import TradingState, TradingStates
from parley.evals.suites.veto_children import CHILD_BREACHES, Moment, approved, moment
from parley.evals.suites.veto_plans import PLAN_BREACHES, Breach, buy, twins
from parley.gate import child_checks, gate
from parley.gate.catalog import sections
from parley.gate.limits import Figure
from parley.gate.state import WorkingOrder

REASONS = {row.name: row for _, rows in sections() for row in rows}


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
    context = gate.plan_context(breach.plan, breach.state, breach.limits, bench.now)
    return {row.check for row in check(context)}


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
