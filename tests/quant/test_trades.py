"""Trade signs, spreads and impact: by hand, against statsmodels, and on recorded BTC trades with known sides."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st
from parley.quant.errors import SampleError, ShapeError
from parley.quant.trades import (
    effective_spread,
    kyle_lambda,
    lee_ready_signs,
    realized_spread,
    tick_rule_signs,
    trade_impact,
)


@pytest.fixture(scope="module")
def btc_trades(recorded_data: Path) -> dict[str, np.ndarray]:
    """21,313 trades of BTC perpetual with the true aggressor, and the last quote recorded before each."""
    folder = recorded_data / "orderbook"
    trades = pd.read_parquet(folder / "btcusdt_perp_20240808_trades.parquet")
    books = pd.read_parquet(folder / "btcusdt_perp_20240808_l2_top10_100ms.parquet")
    before = np.searchsorted(books["ts"].to_numpy(), trades["ts"].to_numpy(), side="left") - 1
    quoted = before >= 0
    columns = {
        "price": trades["price"].to_numpy()[quoted],
        "side": np.where(trades["aggressor"].to_numpy() == "buy", 1.0, -1.0)[quoted],
        "size": trades["size"].to_numpy()[quoted],
        "second": (trades["ts"].astype("int64").to_numpy() // 1_000_000_000)[quoted],
    }
    return columns | {side: books[f"{side}1_px"].to_numpy()[before[quoted]] for side in ("bid", "ask")}


def test_the_tick_rule_by_hand_inherits_over_equal_prices() -> None:
    assert tick_rule_signs([5.0, 5.0, 5.1, 5.1, 5.0, 5.0, 5.2]).tolist() == [0.0, 0.0, 1.0, 1.0, -1.0, -1.0, 1.0]


def test_lee_ready_by_hand_takes_the_quote_first_and_the_tick_at_the_mid() -> None:
    # Above the mid, at the mid after an uptick, below the mid although the price rose, at the mid after a downtick.
    price, bid, ask = [10.2, 10.3, 10.4, 10.35], [10.0, 10.2, 10.4, 10.3], [10.3, 10.4, 10.6, 10.4]

    assert lee_ready_signs(price, bid, ask).tolist() == [1.0, 1.0, -1.0, -1.0]


def test_spreads_and_impact_by_hand() -> None:
    # Huang and Stoll (1996), section 3: a buy at 100.10 around a mid of 100, which then rises to 100.04.
    price, mid, later, sign = [100.10], [100.0], [100.04], [1.0]

    assert effective_spread(price, mid, sign) == pytest.approx([0.0020])
    assert realized_spread(price, mid, later, sign) == pytest.approx([0.0012])
    assert trade_impact(mid, later, sign) == pytest.approx([0.0008])
    assert effective_spread([99.90], mid, [-1.0]) == pytest.approx([0.0020])


def test_recorded_trades_get_their_true_sign_by_both_rules(btc_trades: dict[str, np.ndarray]) -> None:
    side = btc_trades["side"]
    by_tick = tick_rule_signs(btc_trades["price"])
    by_quote = lee_ready_signs(btc_trades["price"], btc_trades["bid"], btc_trades["ask"])

    # Measured 0.969 and 0.948: the quotes are up to 100 ms old here, the trade prices are not.
    assert (by_tick == side)[by_tick != 0.0].mean() == pytest.approx(0.969, abs=0.003)
    assert (by_quote == side)[by_quote != 0.0].mean() == pytest.approx(0.948, abs=0.003)


def test_recorded_buying_pushes_the_price_up_by_kyles_lambda(btc_trades: dict[str, np.ndarray]) -> None:
    frame = pd.DataFrame(btc_trades).assign(flow=btc_trades["side"] * btc_trades["size"])
    seconds = frame.groupby("second").agg(price=("price", "last"), flow=("flow", "sum"))

    fit = kyle_lambda(np.diff(seconds["price"]), seconds["flow"].to_numpy()[1:])

    reference = sm.OLS(np.diff(seconds["price"]), sm.add_constant(seconds["flow"].to_numpy()[1:])).fit()
    assert (fit.intercept, fit.price_per_size) == pytest.approx(tuple(reference.params), rel=1e-10)
    assert fit.t_stat == pytest.approx(reference.tvalues[1], rel=1e-10)
    assert fit.r_squared == pytest.approx(reference.rsquared, rel=1e-10)
    assert fit.price_per_size > 0.0 and fit.t_stat > 10.0


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 2**32 - 1), st.floats(0.01, 100.0))
def test_the_effective_spread_is_the_realized_one_and_the_impact(seed: int, unit: float) -> None:
    rng = np.random.default_rng(seed)
    mid, later, price = rng.uniform(50.0, 51.0, (3, 30))
    sign = rng.integers(-1, 2, 30).astype(float)

    whole = effective_spread(price, mid, sign)

    np.testing.assert_allclose(
        realized_spread(price, mid, later, sign) + trade_impact(mid, later, sign), whole, atol=1e-14
    )
    np.testing.assert_allclose(effective_spread(unit * price, unit * mid, sign), whole, atol=1e-13)
    np.testing.assert_allclose(effective_spread(price, mid, -sign), -whole)


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 2**32 - 1), st.floats(0.1, 10.0), st.floats(0.1, 10.0))
def test_lambda_scales_with_price_and_against_size(seed: int, price_unit: float, size_unit: float) -> None:
    rng = np.random.default_rng(seed)
    flow = rng.normal(0.0, 100.0, 50)
    change = 0.01 * flow + rng.normal(0.0, 1.0, 50)
    fit = kyle_lambda(change, flow)

    scaled = kyle_lambda(price_unit * change, size_unit * flow)

    assert scaled.price_per_size == pytest.approx(fit.price_per_size * price_unit / size_unit, rel=1e-9)
    assert scaled.t_stat == pytest.approx(fit.t_stat, rel=1e-6)
    assert 0.0 <= scaled.r_squared <= 1.0


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 2**32 - 1), st.integers(1, 59))
def test_signs_never_depend_on_later_trades_and_flip_with_the_market(seed: int, n: int) -> None:
    rng = np.random.default_rng(seed)
    price = 100.0 + 0.1 * np.cumsum(rng.integers(-1, 2, 60))
    bid, ask = price - 0.1 * rng.integers(0, 3, 60), price + 0.1 * rng.integers(0, 3, 60)

    by_tick, by_quote = tick_rule_signs(price), lee_ready_signs(price, bid, ask)

    assert np.array_equal(tick_rule_signs(price[:n]), by_tick[:n])
    assert np.array_equal(lee_ready_signs(price[:n], bid[:n], ask[:n]), by_quote[:n])
    assert np.array_equal(tick_rule_signs(300.0 - price), -by_tick)
    assert np.array_equal(lee_ready_signs(300.0 - price, 300.0 - ask, 300.0 - bid), -by_quote)


def test_bad_trades_are_refused() -> None:
    with pytest.raises(SampleError, match="at least 1"):
        tick_rule_signs([])
    with pytest.raises(SampleError, match="above 0"):
        tick_rule_signs([1.0, -1.0])
    with pytest.raises(SampleError, match="0 < bid <= ask"):
        lee_ready_signs([1.0], [1.1], [1.0])
    with pytest.raises(ShapeError, match="one for each trade"):
        lee_ready_signs([1.0, 1.0], [0.9], [1.1])
    with pytest.raises(SampleError, match="sign"):
        effective_spread([1.0], [1.0], [100.0])
    with pytest.raises(SampleError, match="mid_later"):
        realized_spread([1.0], [1.0], [0.0], [1.0])
    with pytest.raises(ShapeError):
        trade_impact([1.0, 1.0], [1.0], [1.0])
    with pytest.raises(SampleError, match="at least 3"):
        kyle_lambda([1.0, 2.0], [1.0, 2.0])
    for change, flow in (([1.0, 1.0, 1.0], [1.0, 2.0, 3.0]), ([1.0, 2.0, 3.0], [5.0, 5.0, 5.0])):
        with pytest.raises(SampleError, match="never changes"):
            kyle_lambda(change, flow)
