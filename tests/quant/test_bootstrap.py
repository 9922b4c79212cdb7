"""Block bootstraps: against the arch package, theory for independent data, and refusals."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from parley.quant.arrays import FloatArray
from parley.quant.bootstrap import block_interval, circular_rows, stationary_rows
from parley.quant.errors import ParameterError, SampleError, ShapeError


def _mean(draws: FloatArray) -> FloatArray:
    return draws.mean(axis=1)


def _correlated(n: int) -> FloatArray:
    noise = np.random.default_rng(8).normal(0.0, 0.01, n + 1)
    return noise[1:] + 0.8 * noise[:-1]


@pytest.mark.parametrize("blocks", ["stationary", "circular"])
def test_the_interval_is_as_wide_as_that_of_the_arch_package(blocks: str) -> None:
    from arch.bootstrap import CircularBlockBootstrap, StationaryBootstrap

    values = _correlated(750)
    peer_class = StationaryBootstrap if blocks == "stationary" else CircularBlockBootstrap
    peer = peer_class(20, values, seed=np.random.default_rng(1)).conf_int(np.mean, 2000, method="percentile")

    found = block_interval(
        values,
        _mean,
        np.random.default_rng(2),
        blocks="stationary" if blocks == "stationary" else "circular",
        block_days=20,
    )

    assert found.high - found.low == pytest.approx(float(peer[1, 0] - peer[0, 0]), rel=0.08)
    assert found.low < values.mean() < found.high


def test_single_day_blocks_give_the_textbook_interval_of_a_mean() -> None:
    values = np.random.default_rng(3).normal(0.0, 0.01, 900)

    found = block_interval(values, _mean, np.random.default_rng(4), blocks="circular", block_days=1, n_draws=4000)

    assert found.high - found.low == pytest.approx(2.0 * 1.96 * values.std() / 30.0, rel=0.06)


def test_columns_are_drawn_together() -> None:
    values = np.random.default_rng(5).normal(0.0, 0.01, (300, 2))
    values[:, 1] = 2.0 * values[:, 0]

    def ratio(draws: FloatArray) -> FloatArray:
        return draws[:, :, 1].mean(axis=1) / draws[:, :, 0].mean(axis=1)

    found = block_interval(values, ratio, np.random.default_rng(6), n_draws=200)

    assert found.low == pytest.approx(2.0)
    assert found.high == pytest.approx(2.0)


@settings(deadline=None, max_examples=50)
@given(st.integers(2, 60), st.integers(1, 20), st.integers(0, 2**32 - 1), st.data())
def test_rows_run_on_inside_a_block_and_wrap_around(n_days: int, n_draws: int, seed: int, data: st.DataObject) -> None:
    length = data.draw(st.integers(1, n_days))

    circular = circular_rows(n_days, n_draws, length, np.random.default_rng(seed))
    stationary = stationary_rows(n_days, n_draws, float(length), np.random.default_rng(seed))

    for rows in (circular, stationary):
        assert rows.shape == (n_draws, n_days)
        assert rows.min() >= 0 and rows.max() < n_days
    steps = np.diff(circular, axis=1) % n_days
    inside = (np.arange(1, n_days) % length) != 0
    assert (steps[:, inside] == 1 % n_days).all()


def test_the_same_generator_gives_the_same_interval() -> None:
    values = _correlated(200)

    once, again = (block_interval(values, _mean, np.random.default_rng(7), n_draws=300) for _ in range(2))

    assert once == again


def test_unusable_samples_and_statistics_are_refused() -> None:
    values, rng = _correlated(50), np.random.default_rng(9)
    with pytest.raises(SampleError, match="NaN"):
        block_interval(np.where(values == values[3], np.nan, values), _mean, rng)
    with pytest.raises(SampleError, match="at least 2 days"):
        block_interval(values[:1], _mean, rng)
    with pytest.raises(ShapeError, match="one value a draw"):
        block_interval(values, lambda draws: draws, rng)
    with pytest.raises(SampleError, match="resamples gave NaN"):
        block_interval(values, lambda draws: np.full(len(draws), np.nan), rng)
    with pytest.raises(ParameterError, match="block_days"):
        block_interval(values, _mean, rng, blocks="circular", block_days=51)
    with pytest.raises(ParameterError, match="block_days"):
        block_interval(values, _mean, rng, block_days=0.5)
    with pytest.raises(ParameterError, match="level"):
        block_interval(values, _mean, rng, level=1.0)
