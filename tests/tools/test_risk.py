"""The risk agent's figures: caps that only tighten, and tail risk that agrees with the quant core."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from parley.domain.instruments import AssetClass
from parley.domain.views import Regime
from parley.quant.var import historical_var
from parley.tools.risk import HEADROOM_FRAC, NAME_VAR_BUDGET_FRAC, measure, position_caps, suggest_hedge


@settings(max_examples=20, deadline=None)
@given(st.sampled_from(Regime), st.floats(0.002, 0.08), st.integers(0, 99))
def test_a_cap_is_never_above_its_limit(build: Any, regime: Regime, vol: float, seed: int):
    classes = [AssetClass.STOCK, AssetClass.FUND, AssetClass.BOND, AssetClass.COMMODITY, AssetClass.CRYPTO]
    scene = build.world(build.closes(260, 5, seed, vol), classes=classes).scene()

    _, caps = position_caps(build.ledger(scene), scene, regime)

    for instrument in scene.instruments:
        limit = scene.limits.max_instrument_weight.of(instrument.asset_class)
        assert 0.0 < caps[instrument.symbol] <= limit * HEADROOM_FRAC


def test_a_crisis_caps_every_name_lower_than_a_calm(world: Any, build: Any):
    scene = world.scene()

    calm, crisis = (position_caps(build.ledger(scene), scene, regime)[1] for regime in (Regime.CALM, Regime.CRISIS))

    assert all(crisis[symbol] < calm[symbol] for symbol in scene.symbols)


def test_a_wild_stock_is_capped_by_what_it_may_lose_and_a_wild_fund_is_not(build: Any):
    classes = [AssetClass.STOCK, AssetClass.FUND]
    scene = build.world(build.closes(260, 2, vol=0.08), classes=classes).scene()

    _, caps = position_caps(build.ledger(scene), scene, Regime.CALM)

    worst = historical_var(scene.returns[:, 0], 0.99)
    assert caps["AAA"] == pytest.approx(NAME_VAR_BUDGET_FRAC / worst)
    assert caps["BBB"] == pytest.approx(scene.limits.max_instrument_weight.fund * HEADROOM_FRAC)


def test_the_risk_of_a_book_is_that_of_its_history(world: Any, build: Any):
    scene = world.scene()

    _, metrics = measure(build.ledger(scene), scene, {"AAA": 0.3, "BBB": 0.2}, "held")

    history = 0.3 * scene.returns[:, 0] + 0.2 * scene.returns[:, 1]
    assert metrics.var_99_historical == pytest.approx(historical_var(history, 0.99))
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
