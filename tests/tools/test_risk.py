"""The risk agent's figures: caps that only tighten, and tail risk that agrees with the quant core."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from parley.domain.instruments import AssetClass
from parley.domain.views import Regime
from parley.gate.dynamic import dynamic_limits
from parley.quant.filtered_history import filtered_var
from parley.quant.var import historical_var
from parley.tools.ledger import Ledger
from parley.tools.risk import (
    HEADROOM_FRAC,
    NAME_VAR_BUDGET_FRAC,
    WayOut,
    measure,
    position_caps,
    suggest_hedge,
    way_out,
    worst_scenarios,
)


@settings(max_examples=20, deadline=None)
@given(st.floats(0.002, 0.08), st.integers(0, 99))
def test_a_cap_is_never_above_its_limit(build: Any, vol: float, seed: int):
    classes = [AssetClass.STOCK, AssetClass.FUND, AssetClass.BOND, AssetClass.COMMODITY, AssetClass.CRYPTO]
    scene = build.world(build.closes(260, 5, seed, vol), classes=classes).scene()

    _, caps = position_caps(build.ledger(scene), scene)

    for instrument in scene.instruments:
        limit = scene.limits.max_instrument_weight.of(instrument.asset_class)
        assert 0.0 < caps[instrument.symbol] <= limit * HEADROOM_FRAC


def test_a_bad_regime_tightens_every_cap_once_and_by_the_factor_of_the_limits(build: Any):
    scene = build.world(build.closes(260, 5, vol=0.005), classes=[AssetClass.FUND] * 5).scene()
    caps = {
        regime: position_caps(
            build.ledger(scene), replace(scene, limits=dynamic_limits(scene.limits, regime, 0.0, 1.0))
        )[1]
        for regime in Regime
    }

    for regime, found in caps.items():
        factor = scene.limits.dynamic.of(regime)
        assert found == pytest.approx({name: cap * factor for name, cap in caps[Regime.CALM].items()})


def test_a_wild_stock_is_capped_by_what_it_may_lose_and_a_wild_fund_is_not(build: Any):
    classes = [AssetClass.STOCK, AssetClass.FUND]
    scene = build.world(build.closes(260, 2, vol=0.08), classes=classes).scene()

    _, caps = position_caps(build.ledger(scene), scene)

    worst = historical_var(scene.returns[:, 0], 0.99)
    assert caps["AAA"] == pytest.approx(NAME_VAR_BUDGET_FRAC / worst)
    assert caps["BBB"] == pytest.approx(scene.limits.max_instrument_weight.fund * HEADROOM_FRAC)


def test_the_risk_of_a_book_is_that_of_its_history(world: Any, build: Any):
    scene = world.scene()

    _, metrics = measure(build.ledger(scene), scene, {"AAA": 0.3, "BBB": 0.2}, "held")

    history = 0.3 * scene.returns[:, 0] + 0.2 * scene.returns[:, 1]
    assert metrics.var_99_historical == pytest.approx(historical_var(history, 0.99))
    vector = scene.vector({"AAA": 0.3, "BBB": 0.2})
    assert metrics.var_99_filtered == pytest.approx(filtered_var(vector, scene.returns, 0.99))
    assert metrics.volatility_annual == pytest.approx(history.std(ddof=1) * np.sqrt(252))
    assert metrics.gross == 0.5
    assert metrics.es_975_historical > 0


def test_an_empty_book_has_no_risk(world: Any, build: Any):
    scene = world.scene()

    _, metrics = measure(build.ledger(scene), scene, {}, "held")

    assert metrics.model_dump() == dict.fromkeys(metrics.model_dump(), 0.0)


def test_two_books_measured_at_one_close_are_two_entries(world: Any, build: Any):
    scene = world.scene()
    ledger = build.ledger(scene)

    first, _ = measure(ledger, scene, {"AAA": 0.3}, "held")
    second, _ = measure(ledger, scene, {"AAA": 0.4}, "planned")

    assert first != second and len(ledger.entries) == 2


def test_the_components_of_the_risk_sum_to_its_parametric_figure(world: Any, build: Any):
    scene = world.scene()
    ledger = build.ledger(scene)

    _, metrics = measure(ledger, scene, {"AAA": 0.3, "BBB": 0.2}, "held")

    components: Any = ledger.entries[0].output
    assert sum(components["component_var_99"].values()) == pytest.approx(metrics.var_99_parametric)


def test_the_hedge_sells_the_beta_in_money_and_is_only_a_suggestion(build: Any):
    close = build.closes()
    scene = build.world(close, benchmark=close.mean(axis=1)).scene()
    ledger = build.ledger(scene)
    _, metrics = measure(ledger, scene, dict.fromkeys(scene.symbols, 0.1), "held")

    found = suggest_hedge(ledger, scene, metrics)

    assert found is not None and metrics.beta is not None
    assert found[1].instrument == "BENCH"
    assert found[1].notional == pytest.approx(-metrics.beta * 1_000_000)
    assert "not an order" in found[1].text


def test_there_is_no_hedge_without_an_index_or_without_a_beta(build: Any):
    close = build.closes()
    bare, indexed = build.world(close).scene(), build.world(close, benchmark=close.mean(axis=1)).scene()

    for scene, weights in ((bare, {"AAA": 0.5}), (indexed, {})):
        ledger = build.ledger(scene)
        assert suggest_hedge(ledger, scene, measure(ledger, scene, weights, "held")[1]) is None


def test_against_an_index_that_never_moves_there_is_no_beta(build: Any):
    scene = build.world(benchmark=np.full(320, 100.0)).scene()

    assert measure(build.ledger(scene), scene, {"AAA": 0.5}, "held")[1].beta is None


def test_the_worst_sudden_scenario_and_the_worst_of_all_come_through_the_beta(us20: Any):
    scene = us20.scene()
    ledger = Ledger(scene.view.as_of, scene.view.fingerprint)
    _, metrics = measure(ledger, scene, {"AAPL": 0.3, "XOM": 0.2}, "held")

    found = worst_scenarios(ledger, scene, metrics)

    assert found is not None and metrics.beta is not None
    output: Any = ledger.entries[-1].output
    # Market moves of the scenario table, Kenneth R. French data library: -55.78 %; -17.72 % in August 2011.
    assert output["any_length"] == {
        "scenario": "financial_crisis_2007",
        "return": pytest.approx(-0.5578 * metrics.beta, rel=1e-9),
    }
    assert found[1] == pytest.approx(-0.1772 * metrics.beta, rel=1e-9)
    assert output["sudden"]["scenario"] == "us_downgrade_2011"


@pytest.mark.parametrize(
    ("day", "worst"),
    [("1998-10-07", "black_monday_1987"), ("1998-10-08", "russia_ltcm_1998"), ("2002-10-09", "dot_com_2000")],
)
def test_a_scenario_counts_from_the_close_of_its_last_day_and_not_before(us20: Any, day: str, worst: str):
    scene = us20.scene(int(np.searchsorted(us20.panel.sessions, np.datetime64(day))))
    ledger = Ledger(scene.view.as_of, scene.view.fingerprint)

    worst_scenarios(ledger, scene, measure(ledger, scene, {"AAPL": 0.5}, "held")[1])

    output: Any = ledger.entries[-1].output
    assert output["any_length"]["scenario"] == worst


def test_an_empty_book_and_a_book_without_a_beta_have_no_worst_scenario(build: Any):
    scene = build.world(benchmark=np.full(320, 100.0)).scene()
    ledger = build.ledger(scene)

    assert worst_scenarios(ledger, scene, measure(ledger, scene, {}, "held")[1]) is None
    assert worst_scenarios(ledger, scene, measure(ledger, scene, {"AAA": 0.5}, "held")[1]) is None


def test_the_way_out_is_shares_over_the_participation_of_the_volume(build: Any):
    close = build.closes()
    scene = build.world(close, volume=np.full(close.shape, 1000.0)).scene(held={"AAA": 900, "BBB": 300})

    found = way_out(build.ledger(scene), scene, scene.held_weights())

    assert found.days == pytest.approx(900 / (scene.limits.max_participation_frac * 1000.0), rel=1e-6)
    assert found.unknown == () and found.evidence[0].startswith("ev-exit_costs-")


def test_nothing_is_assumed_about_volume_that_is_not_recorded(build: Any):
    close = build.closes()
    volume = np.full(close.shape, 1000.0)
    volume[:, 1], volume[:, 2] = np.nan, 0.0
    held = {"AAA": 10, "BBB": 10, "CCC": 10}
    bare, partly = build.world(close).scene(held=held), build.world(close, volume=volume).scene(held=held)

    assert way_out(build.ledger(bare), bare, bare.held_weights()) == WayOut()
    found = way_out(build.ledger(partly), partly, partly.held_weights())
    alone = way_out(build.ledger(partly), partly, {"CCC": 0.1})

    assert found.unknown == ("BBB", "CCC") and found.days > 0
    assert alone == WayOut(unknown=("CCC",))


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 5000), st.floats(1.0, 4.0))
def test_a_larger_book_never_leaves_sooner(build: Any, shares: int, more: float):
    close = build.closes()
    scene = build.world(close, volume=np.full(close.shape, 1000.0)).scene(held={"AAA": shares})
    weights = scene.held_weights()

    once = way_out(build.ledger(scene), scene, weights)
    larger = way_out(build.ledger(scene), scene, {name: weight * more for name, weight in weights.items()})

    assert larger.days >= once.days > 0
