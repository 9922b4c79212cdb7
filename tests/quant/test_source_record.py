"""Hit rates that forget."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from parley.quant.errors import ParameterError, ShapeError
from parley.quant.source_record import hit_rates

TERMS = {"half_life_days": 10.0, "prior_calls": 4.0}
calls = st.lists(st.tuples(st.integers(0, 2), st.booleans(), st.floats(0, 100)), max_size=20)


def rates(rows: list[tuple[int, bool, float]]) -> list[float]:
    sources, is_hit, ages = (np.array([row[place] for row in rows]) for place in range(3))
    return hit_rates(sources.astype(int), is_hit.astype(bool), ages.astype(float), 3, **TERMS).rate.tolist()


def test_a_rate_is_the_posterior_mean_of_discounted_counts() -> None:
    # Source 0: a hit of today, one of a half-life ago, a miss of today: (2 + 1 + 0.5) / (4 + 2.5); source 1: no call.
    found = rates([(0, True, 0.0), (0, True, 10.0), (0, False, 0.0), (2, False, 0.0)])

    assert found == pytest.approx([3.5 / 6.5, 0.5, 2.0 / 5.0])


@settings(max_examples=40, deadline=None)
@given(calls, st.integers(0, 2))
def test_a_hit_raises_its_source_and_no_other(rows: list[tuple[int, bool, float]], source: int) -> None:
    before, after = rates(rows), rates([*rows, (source, True, 0.0)])

    assert after[source] > before[source]
    assert [after[other] == before[other] for other in range(3) if other != source] == [True, True]
    assert all(0.0 < rate < 1.0 for rate in after)


def test_bad_arrays_are_refused() -> None:
    with pytest.raises(ShapeError):
        hit_rates(np.zeros(2, int), np.zeros(1, bool), np.zeros(2), 1, **TERMS)
    with pytest.raises(ParameterError, match="below 0"):
        hit_rates(np.zeros(1, int), np.ones(1, bool), np.array([-1.0]), 1, **TERMS)
    with pytest.raises(ParameterError, match="half-life"):
        hit_rates(np.zeros(0, int), np.zeros(0, bool), np.zeros(0), 1, half_life_days=0.0, prior_calls=1.0)
