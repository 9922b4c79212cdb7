"""Order book features: by hand, on a chain with a known answer, and on six recorded minutes of BTC perpetual."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from parley.quant.errors import ParameterError, SampleError, ShapeError
from parley.quant.order_book import (
    book_imbalance,
    fit_micro_price,
    order_flow_imbalance,
    quoted_spread,
    weighted_mid,
)
from parley.quant.trades import kyle_lambda

TICK = 0.1
# Exact in binary, so that a reflected price is exact too: order flow compares prices without a tolerance.
STEP = 0.125


@pytest.fixture(scope="module")
def btc(recorded_data: Path) -> dict[str, np.ndarray]:
    """Top ten levels every 100 ms of 2024-08-08 23:54 to 24:00 UTC: sizes (3226, 10), best prices (3226,)."""
    frame = pd.read_parquet(recorded_data / "orderbook" / "btcusdt_perp_20240808_l2_top10_100ms.parquet")
    sides = {
        f"{side}_size": frame[[f"{side}{level}_sz" for level in range(1, 11)]].to_numpy() for side in ("bid", "ask")
    }
    return sides | {side: frame[f"{side}1_px"].to_numpy() for side in ("bid", "ask")}


def _top(btc: dict[str, np.ndarray], rows: slice = slice(None)) -> tuple[np.ndarray, ...]:
    return btc["bid"][rows], btc["bid_size"][rows, 0], btc["ask"][rows], btc["ask_size"][rows, 0]


def _books(seed: int, n: int = 300) -> tuple[np.ndarray, ...]:
    rng = np.random.default_rng(seed)
    bid = 100.0 + STEP * np.cumsum(rng.integers(-1, 2, n))
    ask = bid + STEP * rng.integers(1, 3, n)
    return bid, rng.uniform(1.0, 9.0, n), ask, rng.uniform(1.0, 9.0, n)


def test_imbalance_by_hand_at_two_depths() -> None:
    bids, asks = [[3.0, 1.0], [0.0, 2.0]], [[1.0, 5.0], [2.0, 0.0]]

    assert book_imbalance(bids, asks).tolist() == [0.5, -1.0]
    assert book_imbalance(bids, asks, depth=2).tolist() == pytest.approx([-0.2, 0.0])


def test_weighted_mid_by_hand_leans_to_the_thin_side() -> None:
    # Stoikov (2018), equation 2: share 3/4 of the bids, so three quarters of the way from bid to ask.
    assert weighted_mid([10.0], [3.0], [10.4], [1.0]) == pytest.approx([10.3])


def test_order_flow_imbalance_by_hand_for_each_kind_of_event() -> None:
    # Cont, Kukanov and Stoikov (2014), section 2.1: bid size +5, bid up to a new queue of 4, ask size +2,
    # ask lifted from 7 (away) to a queue of 6, bid down from a queue of 4 to one of 9.
    bid, bid_size = [10.0, 10.0, 10.1, 10.1, 10.1, 10.0], [5.0, 10.0, 4.0, 4.0, 4.0, 9.0]
    ask, ask_size = [10.2, 10.2, 10.2, 10.2, 10.3, 10.3], [5.0, 5.0, 5.0, 7.0, 6.0, 6.0]

    assert order_flow_imbalance(bid, bid_size, ask, ask_size).tolist() == [5.0, 4.0, -2.0, 7.0, -4.0]


def test_quoted_spread_by_hand_is_a_fraction_of_the_mid() -> None:
    assert quoted_spread([99.0, 50.0], [101.0, 50.0]).tolist() == pytest.approx([0.02, 0.0])


def test_micro_price_of_a_chain_with_a_known_answer() -> None:
    # With imbalances drawn afresh, a change brings no news of the next one, so the limit is its first term. Heavy
    # bids lift the mid one tick with chance p, heavy asks lower it likewise; a book that stays is drawn anew, and
    # by symmetry is worth nothing on average: the adjustment is p ticks.
    rng = np.random.default_rng(11)
    n, chance = 40_000, 0.3
    heavy_bids = rng.random(n) < 0.5
    moves = np.where(rng.random(n) < chance, np.where(heavy_bids, 1.0, -1.0), 0.0)
    bid = 1000.0 + TICK * np.append(0.0, np.cumsum(moves)[:-1])
    sizes = np.where(heavy_bids, 9.0, 1.0)

    micro = fit_micro_price(bid, sizes, bid + TICK, 10.0 - sizes, tick=TICK, n_buckets=2, max_spread_ticks=1)

    # The chance's standard error over 40,000 books is 0.0023.
    assert micro.adjustment[0] == pytest.approx([-chance * TICK, chance * TICK], abs=4 * 0.0023 * TICK)


def test_micro_price_says_more_about_the_next_second_than_the_weighted_mid(btc: dict[str, np.ndarray]) -> None:
    half, steps = 1613, 10
    micro = fit_micro_price(*_top(btc, slice(0, half)), tick=TICK)
    unseen = _top(btc, slice(half, None))
    mid = (unseen[0] + unseen[2]) / 2.0
    later = mid[steps:] - mid[:-steps]

    def correlation(price: np.ndarray) -> float:
        return float(np.corrcoef((price - mid)[:-steps], later)[0, 1])

    # Fitted on the first half, judged on the second: measured 0.196 against -0.013.
    assert correlation(micro.price(*unseen)) == pytest.approx(0.196, abs=0.01)
    assert correlation(micro.price(*unseen)) > correlation(weighted_mid(*unseen)) + 0.1


@pytest.mark.parametrize(("n_steps", "expected"), [(1, 0.13), (5, 0.17), (10, 0.21), (50, 0.14)])
def test_recorded_imbalance_foretells_the_mid_as_measured_before(
    btc: dict[str, np.ndarray], n_steps: int, expected: float
) -> None:
    # Independently measured when the recording was collected: 0.13, 0.17, 0.21, 0.14 at 0.1, 0.5, 1 and 5 s.
    mid = (btc["bid"] + btc["ask"]) / 2.0
    imbalance = book_imbalance(btc["bid_size"], btc["ask_size"])

    found = np.corrcoef(imbalance[:-n_steps], mid[n_steps:] / mid[:-n_steps] - 1.0)[0, 1]

    assert found == pytest.approx(expected, abs=0.006)


def test_recorded_spread_is_one_tick_and_flow_pushes_the_price_up(btc: dict[str, np.ndarray]) -> None:
    mid = (btc["bid"] + btc["ask"]) / 2.0
    flow = order_flow_imbalance(*_top(btc))
    n = len(flow) // 10 * 10

    fit = kyle_lambda(np.diff(mid)[:n].reshape(-1, 10).sum(axis=1), flow[:n].reshape(-1, 10).sum(axis=1))

    ticks = np.rint(quoted_spread(btc["bid"], btc["ask"]) * mid / TICK)
    assert (ticks == 1.0).mean() == pytest.approx(0.993, abs=0.001)
    assert fit.price_per_size > 0.0 and fit.t_stat > 3.0


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 2**32 - 1), st.floats(0.1, 100.0))
def test_swapping_the_sides_flips_every_sign(seed: int, unit: float) -> None:
    bid, bid_size, ask, ask_size = _books(seed, 120)
    # The mirror image: prices reflected, so that the old ask is the new bid.
    mirrored = (300.0 - ask, ask_size, 300.0 - bid, bid_size)

    flow = order_flow_imbalance(bid, bid_size, ask, ask_size)
    np.testing.assert_allclose(order_flow_imbalance(*mirrored), -flow, atol=1e-9)
    np.testing.assert_allclose(
        order_flow_imbalance(bid, unit * bid_size, ask, unit * ask_size), unit * flow, atol=1e-9 * unit
    )
    np.testing.assert_allclose(weighted_mid(*mirrored), 300.0 - weighted_mid(bid, bid_size, ask, ask_size))
    lean = book_imbalance(bid_size[:, None], ask_size[:, None])
    assert np.abs(lean).max() <= 1.0
    np.testing.assert_allclose(book_imbalance(ask_size[:, None], bid_size[:, None]), -lean)


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 2**32 - 1))
def test_mids_lie_in_the_spread_and_the_adjustment_is_antisymmetric(seed: int) -> None:
    books = _books(seed)

    weighted = weighted_mid(*books)
    adjustment = fit_micro_price(*books, tick=STEP, n_buckets=4).adjustment

    assert ((books[0] <= weighted) & (weighted <= books[2])).all()
    np.testing.assert_allclose(adjustment, -adjustment[:, ::-1], atol=1e-9)


def test_a_book_feature_never_depends_on_later_books() -> None:
    books = _books(3)
    known = tuple(each[:100] for each in books)

    assert np.array_equal(order_flow_imbalance(*known), order_flow_imbalance(*books)[:99])
    assert np.array_equal(weighted_mid(*known), weighted_mid(*books)[:100])


def test_impossible_books_are_refused() -> None:
    bid, bid_size, ask, ask_size = _books(4)

    with pytest.raises(SampleError, match="0 < bid <= ask"):
        weighted_mid(ask, bid_size, bid, ask_size)
    with pytest.raises(SampleError, match="0 < bid"):
        quoted_spread([0.0], [1.0])
    with pytest.raises(SampleError, match="some size"):
        weighted_mid([1.0], [0.0], [1.1], [0.0])
    with pytest.raises(SampleError, match="negative"):
        order_flow_imbalance(bid, -bid_size, ask, ask_size)
    with pytest.raises(SampleError, match="lowest size of -1"):
        book_imbalance([[3.0]], [[-1.0]])
    with pytest.raises(SampleError, match="NaN"):
        book_imbalance([[np.nan]], [[1.0]])
    with pytest.raises(SampleError, match="at least 2"):
        order_flow_imbalance([1.0], [1.0], [1.1], [1.0])
    with pytest.raises(ShapeError):
        book_imbalance([[1.0, 2.0]], [[1.0]])
    with pytest.raises(ShapeError):
        weighted_mid(bid, bid_size[1:], ask, ask_size)
    for depth in (0, 3):
        with pytest.raises(ParameterError, match="depth"):
            book_imbalance([[1.0, 1.0]], [[1.0, 1.0]], depth=depth)


def test_a_micro_price_needs_a_tick_buckets_and_a_mid_that_moves() -> None:
    books = _books(5)
    still = (np.full(200, 10.0), np.ones(200), np.full(200, 10.1), np.ones(200))

    with pytest.raises(ParameterError, match="tick"):
        fit_micro_price(*books, tick=0.0)
    with pytest.raises(ParameterError, match="n_buckets"):
        fit_micro_price(*books, tick=TICK, n_buckets=1)
    with pytest.raises(ParameterError, match="max_spread_ticks"):
        fit_micro_price(*books, tick=TICK, max_spread_ticks=0)
    with pytest.raises(SampleError, match="never changed"):
        fit_micro_price(*still, tick=TICK)
    with pytest.raises(SampleError, match="at least 100"):
        fit_micro_price(*(each[:50] for each in books), tick=TICK)
