"""The shared checks, and the promise that the quant core stays light to import."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from parley.quant.arrays import checked_fraction, checked_returns, checked_vector
from parley.quant.errors import ParameterError, QuantError, SampleError, ShapeError


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_sample_with_a_hole_is_refused_and_counted(bad: float) -> None:
    returns = np.zeros((10, 3))
    returns[4, 1] = bad

    with pytest.raises(SampleError, match="found 1 values that are NaN or infinite") as caught:
        checked_returns(returns)

    assert caught.value.remedy


def test_infinities_of_both_signs_do_not_cancel() -> None:
    with pytest.raises(SampleError):
        checked_vector([np.inf, -np.inf], name="x")


def test_a_return_below_minus_one_is_refused_as_a_likely_percent() -> None:
    with pytest.raises(SampleError, match="above -1"):
        checked_returns([[0.01], [-1.5]])


@pytest.mark.parametrize("shape", [(5,), (5, 0), (2, 2, 2)])
def test_returns_that_are_not_a_matrix_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ShapeError):
        checked_returns(np.zeros(shape))


def test_too_short_a_history_names_what_it_has_and_needs() -> None:
    with pytest.raises(SampleError, match="found 3 rows, expected at least 252"):
        checked_returns(np.zeros((3, 2)), 252)


@pytest.mark.parametrize("value", [0.0, 1.0, -0.1, float("nan")])
def test_a_fraction_excludes_its_ends_and_nan(value: float) -> None:
    with pytest.raises(ParameterError):
        checked_fraction(value, name="level")


def test_every_quant_error_has_its_own_code() -> None:
    codes = {each.code for each in [QuantError, *QuantError.__subclasses__()]}

    assert len(codes) == 1 + len(QuantError.__subclasses__())


def test_importing_every_quant_module_loads_no_heavy_package() -> None:
    program = """
import importlib, pkgutil, sys
import parley.quant
for module in pkgutil.iter_modules(parley.quant.__path__):
    # Kernels, their door and their state live for numba; they are imported where they run.
    if not module.name.endswith("_kernel") and module.name not in ("compiler", "replay_state"):
        importlib.import_module(f"parley.quant.{module.name}")
print(sorted({"pandas", "talib", "scipy", "piqp", "clarabel", "hmmlearn", "numba"} & set(sys.modules)))
"""

    out = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert out.stdout.strip() == "[]"
