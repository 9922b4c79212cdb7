"""Mean reversion: the Ornstein-Uhlenbeck process fitted exactly, its score, and when trading it pays best."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from .arrays import DAYS_PER_YEAR, FloatArray, checked_above, checked_at_least, checked_vector
from .errors import ParameterError, SampleError

_MIN_VALUES = 10
# Response surface of the 5 % Dickey-Fuller test with a constant, MacKinnon (2010), table 2.
_UNIT_ROOT_5 = (-2.86154, -2.8903, -4.234, -40.040)
# Past this distance in natural units one cycle takes more than e^25 relaxation times: nobody trades it.
_WIDEST_BAND = 5.0


@dataclass(frozen=True, slots=True)
class OuProcess:
    """dX = speed (level - X) dt + vol dW, time in years."""

    speed: float
    """kappa, per year, above 0."""
    level: float
    """theta, in the units of X."""
    vol: float
    """sigma, units of X per square root of a year."""

    def __post_init__(self) -> None:
        checked_above(self.speed, 0.0, name="speed")
        checked_above(self.vol, 0.0, name="vol")
        if not math.isfinite(self.level):
            raise ParameterError(f"level: found {self.level}, expected a finite number")

    @property
    def half_life_days(self) -> float:
        """Trading days in which the expected distance from the level halves."""
        return math.log(2.0) / self.speed * DAYS_PER_YEAR

    @property
    def stationary_std(self) -> float:
        """Standard deviation of X in the long run, in its own units."""
        return self.vol / math.sqrt(2.0 * self.speed)

    def s_score(self, value: float) -> float:
        """Distance from the level in stationary standard deviations; positive is rich, negative cheap."""
        return (value - self.level) / self.stationary_std

    def expected(self, value: float, horizon_days: float) -> float:
        """The mean of X ``horizon_days`` from now, given its value now."""
        checked_at_least(horizon_days, 0.0, name="horizon_days")
        return self.level + (value - self.level) * math.exp(-self.speed * horizon_days / DAYS_PER_YEAR)


@dataclass(frozen=True, slots=True)
class OuFit:
    """A fitted process with the evidence that it reverts."""

    process: OuProcess
    speed_se: float
    """Asymptotic standard error of the speed, per year."""
    unit_root_t: float
    """Dickey-Fuller t statistic of the regression with a constant; more negative is more reverting."""
    unit_root_critical_t: float
    """Its 5 % critical value for this sample size."""
    log_likelihood: float
    """Of the transitions, given the first value."""


@dataclass(frozen=True, slots=True)
class OuBand:
    """Where to enter and leave a long position in a reverting spread, and what a cycle brings."""

    entry: float
    """Buy at or below this value, in the units of X."""
    exit: float
    """Sell at or above this value: the mirror image of the entry."""
    cycle_days: float
    """Expected trading days from one entry to the next."""
    return_per_year: float
    """Expected gain a year after costs, in the units of X (a fraction when X is a log price)."""


def fit_ou(values: FloatArray, *, step_days: float = 1.0, test_unit_root: bool = True) -> OuFit:
    """Maximum likelihood from equally spaced values, in closed form by the exact AR(1) discretization.

    X[t+1] = a + b X[t] + e gives speed = -ln b / dt, level = a / (1 - b) and
    vol^2 = 2 speed var(e) / (1 - b^2), where var(e) divides by n (ddof 0). Conditional on the first value.

    Parameters
    ----------
    values : (n_values,) of the spread or log price, oldest first, at least 10
    step_days : trading days between values; 252 make a year
    test_unit_root : refuse a series in which a random walk is not rejected at 5 %

    Raises
    ------
    SampleError : a NaN, too few values, values that never move, or no mean reversion
    ParameterError : a step not above 0

    Source: exact discretization as in van den Berg (2011), "Calibrating the Ornstein-Uhlenbeck (Vasicek)
    model"; unit root: Dickey and Fuller (1979), MacKinnon (2010).
    """
    series = checked_vector(values, name="values", min_rows=_MIN_VALUES)
    dt = checked_above(step_days, 0.0, name="step_days") / DAYS_PER_YEAR
    before, after = series[:-1], series[1:]
    centered = before - before.mean()
    spread = float(centered @ centered)
    if spread <= 1e-26 * len(before) * float(np.square(before).max()):
        raise SampleError("values: never move, so there is nothing to revert", remedy="Check the spread series.")
    n = len(before)
    b = float(centered @ after) / spread
    a = float(after.mean()) - b * float(before.mean())
    residual = after - a - b * before
    sum_squares = float(residual @ residual)
    if sum_squares <= 1e-26 * spread:
        raise SampleError("values: follow a line without any noise, expected a noisy series")
    b_se = math.sqrt(sum_squares / (n - 2) / spread)
    t, critical = (b - 1.0) / b_se, _unit_root_critical(n)
    if not 0.0 < b < 1.0 or (test_unit_root and t > critical):
        raise SampleError(
            f"values: not mean reverting: one-step coefficient {b:.4f} (expected between 0 and 1), "
            f"unit-root t {t:.2f} (expected below {critical:.2f})",
            remedy="Do not trade its reversion; give a longer history, or another spread.",
        )
    noise = sum_squares / n
    speed = -math.log(b) / dt
    process = OuProcess(speed, a / (1.0 - b), math.sqrt(2.0 * speed * noise / (1.0 - b * b)))
    likelihood = -0.5 * n * (math.log(2.0 * math.pi * noise) + 1.0)
    return OuFit(process, b_se / (b * dt), t, critical, likelihood)


def best_band(process: OuProcess, cost: float) -> OuBand:
    """The symmetric band that earns most per year: buy below the level, sell as far above, repeat.

    With z = (level - entry) sqrt(speed) / vol, the optimum solves z - D(z) = cost sqrt(speed) / (2 vol),
    where D is Dawson's integral: Bertram's condition without its overflow. The cycle takes
    2 pi erfi(z) / speed years.

    Parameters
    ----------
    cost : of one round trip, in the units of X, above 0

    Raises
    ------
    ParameterError : a cost not above 0, or one so large that no cycle ends in a lifetime

    Source: Bertram (2010), "Analytic solutions for optimal statistical arbitrage trading", Physica A 389.
    """
    from scipy.optimize import root_scalar
    from scipy.special import dawsn, erfi

    checked_above(cost, 0.0, name="cost")
    unit = process.vol / math.sqrt(process.speed)
    half_cost = cost / unit / 2.0
    if half_cost > _WIDEST_BAND - float(dawsn(_WIDEST_BAND)):
        raise ParameterError(
            f"cost: found {cost}, expected at most {2.0 * unit * (_WIDEST_BAND - float(dawsn(_WIDEST_BAND))):.6g}",
            remedy="The spread is too quiet for its trading cost: do not trade it.",
        )
    # z - D(z) ~ 2 z^3 / 3 near zero and is at least z - 0.55, so this bracket always holds the root.
    bracket = (0.0, half_cost + 1.0)
    z = float(root_scalar(lambda x: x - float(dawsn(x)) - half_cost, bracket=bracket, xtol=1e-14, rtol=1e-14).root)
    cycle_years = 2.0 * math.pi * float(erfi(z)) / process.speed
    gain = 2.0 * z * unit - cost
    return OuBand(process.level - z * unit, process.level + z * unit, cycle_years * DAYS_PER_YEAR, gain / cycle_years)


def band_return_per_year(process: OuProcess, entry: float, exit_: float, cost: float) -> float:
    """Expected gain a year of buying at ``entry`` and selling at ``exit_``, in the units of X.

    Raises
    ------
    ParameterError : an entry that is not below the exit, or bounds too far out to be reached

    Source: Bertram (2010), equation for the expected return per unit of time (renewal theorem).
    """
    from scipy.special import erfi

    checked_at_least(cost, 0.0, name="cost")
    unit = process.vol / math.sqrt(process.speed)
    low, high = (entry - process.level) / unit, (exit_ - process.level) / unit
    if not -_WIDEST_BAND <= low < high <= _WIDEST_BAND:
        raise ParameterError(
            f"entry {entry}, exit {exit_}: expected entry below exit, "
            f"both within {_WIDEST_BAND * unit:.6g} of the level {process.level:.6g}"
        )
    cycle_years = math.pi * float(erfi(high) - erfi(low)) / process.speed
    return (exit_ - entry - cost) / cycle_years


def _unit_root_critical(n: int) -> float:
    return sum(coefficient / n**power for power, coefficient in enumerate(_UNIT_ROOT_5))
