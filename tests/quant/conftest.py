"""Where the quant tests find recorded data, and the random samples that several of them share."""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from parley.quant.reversion import OuProcess


@pytest.fixture(scope="session")
def recorded_data() -> Path:
    """The folder of recorded market data; a test that needs it skips, or fails under PARLEY_REQUIRE_ALL=1."""
    beside = Path(__file__).resolve().parents[2].parent / "shared" / "data"
    folder = Path(os.environ.get("PARLEY_SHARED_DATA", beside))
    if folder.is_dir():
        return folder
    reason = f"no recorded data at {folder}: set PARLEY_SHARED_DATA"
    pytest.skip(reason)


@pytest.fixture(scope="session")
def market_and_returns() -> tuple[np.ndarray, np.ndarray]:
    """800 days of a one-factor market of 12 names: (n_days,) and (n_days, n_names)."""
    rng = np.random.default_rng(20)
    market = rng.normal(0.0003, 0.01, 800)
    slopes = rng.uniform(0.5, 1.5, 12)
    return market, market[:, None] * slopes + rng.normal(0.0, 0.012, (800, 12))


@pytest.fixture(scope="session")
def ou_path() -> Callable[..., np.ndarray]:
    """Makes paths of a process: (n_steps + 1,) values from a start, exact at the steps, whatever their length."""

    def path(
        process: OuProcess, start: float, n_steps: int, rng: np.random.Generator, *, step_days: float = 1.0
    ) -> np.ndarray:
        years = step_days / 252.0
        decay = math.exp(-process.speed * years)
        # expm1 keeps the variance right when the step is tiny.
        noise = process.stationary_std * math.sqrt(-math.expm1(-2.0 * process.speed * years)) * rng.normal(size=n_steps)
        values = [start - process.level]
        for shock in noise.tolist():
            values.append(decay * values[-1] + shock)
        return np.array(values) + process.level

    return path
