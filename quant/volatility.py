"""Volatility and correlation that move: EWMA, GARCH by maximum likelihood, and dynamic conditional correlation."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from .arrays import FloatArray, checked_fraction, checked_matrix, checked_vector
from .covariance import sample_correlation
from .errors import ParameterError, SampleError, ShapeError, SolverError

RISKMETRICS_DECAY = 0.94
MIN_ROWS_FOR_GARCH = 250
MIN_ROWS_FOR_DCC = 250

_LARGEST_GROWTH = 1e12
"""Up to which powers of 1 / decay are summed at once."""
_LIKELIHOOD_TOLERANCE = 1e-8
"""Of the whole log-likelihood; at arch's own 1e-6 the answer still leans on where the climb began."""
_MAX_PERSISTENCE = 0.9995
_DCC_STARTS = ((0.97, 0.03), (0.90, 0.10), (0.60, 0.05))
"""(a + b, a / (a + b)) from which the likelihood is climbed: slow, middling and fast correlation."""


@dataclass(frozen=True, slots=True)
class Garch:
    """A constant-mean GARCH(1,1) or GJR-GARCH(1,1) in daily fractions.

    Tomorrow's variance is ``omega + (alpha + gamma * [shock < 0]) * shock**2 + beta * variance``.
    """

    mean: float
    omega: float
    alpha: float
    gamma: float
    """0 for a plain GARCH."""
    beta: float
    dof: float | None
    """Of the Student t surprises, scaled to variance 1; None for normal ones."""
    first_variance: float
    """The variance given to the first day of the sample."""
    log_likelihood: float

    @property
    def persistence(self) -> float:
        """alpha + gamma / 2 + beta: the share of a variance shock left after a day, on average."""
        return self.alpha + 0.5 * self.gamma + self.beta


@dataclass(frozen=True, slots=True, eq=False)
class Dcc:
    """A fitted DCC(1,1): Q[t+1] = (1 - a - b) S + a z[t] z[t]' + b Q[t], and R is Q scaled to a unit diagonal."""

    a: float
    b: float
    target: FloatArray
    """S, (n_names, n_names): the sample correlation of the surprises, correlation targeting."""
    log_likelihood: float
    """The correlation part only: sum over days of -(log det R + z' R^-1 z - z' z) / 2."""


def ewma_path(returns: FloatArray, decay: float = RISKMETRICS_DECAY) -> FloatArray:
    """Volatility forecasts made each evening for the next day, of the same shape as ``returns``, daily fractions.

    Zero mean; the weights decay**i over past days are divided by their sum, so that no seed value is needed.
    Causal: entry t uses returns up to t only. The first dozens of entries rest on few days.

    Parameters
    ----------
    returns : (n_days,) or (n_days, n_names) simple daily returns, as fractions, oldest first
    decay : in (0, 1); 0.94 for daily data in RiskMetrics

    Raises
    ------
    ShapeError, SampleError : not one or two dimensions, no rows, a NaN or an infinity
    ParameterError : a decay outside (0, 1)

    Source: RiskMetrics Technical Document (1996), section 5.2, with weights that sum to one.
    """
    checked_fraction(decay, name="decay")
    x = np.asarray(returns, dtype=np.float64)
    if x.ndim == 1:
        squares = np.square(checked_vector(x, name="returns", min_rows=1))[:, None]
    else:
        squares = np.square(checked_matrix(x, name="returns"))
    # Sums of decay ** (t - i) x[i] as running sums of x[i] / decay ** i: all terms are positive, so nothing cancels.
    # A stretch ends before the powers outgrow the sum, and what it leaves is carried into the next.
    stretch = max(int(math.log(_LARGEST_GROWTH) / -math.log(decay)), 1)
    path = np.empty_like(squares)
    total, weight = np.zeros(squares.shape[1]), 0.0
    for begin in range(0, len(squares), stretch):
        part = squares[begin : begin + stretch]
        fade = decay ** np.arange(1.0, len(part) + 1.0)
        totals = fade[:, None] * (total + np.cumsum(part / fade[:, None], axis=0))
        weights = fade * (weight + np.cumsum(1.0 / fade))
        np.divide(totals, weights[:, None], out=path[begin : begin + stretch])
        total, weight = totals[-1], float(weights[-1])
    return np.sqrt(path.reshape(x.shape))


def fit_garch(
    returns: FloatArray, *, asymmetric: bool = False, student_t: bool = True, start: Garch | None = None
) -> Garch:
    """Constant-mean GARCH(1,1) by maximum likelihood, through the arch package.

    Parameters
    ----------
    returns : (n_days,) simple daily returns, as fractions, 250 or more
    asymmetric : GJR, where a loss moves the variance more than a gain
    student_t : standardized Student t surprises instead of normal ones
    start : an earlier fit of the same kind on nearly the same sample; saves most of the time

    Raises
    ------
    SampleError : too few rows, a NaN or an infinity, or a series that never moves
    ParameterError : a start of another kind
    SolverError : the likelihood's maximum was not found

    Source: Bollerslev (1986), J. Econometrics 31; Glosten, Jagannathan and Runkle (1993), J. Finance 48.
    """
    from arch.univariate import GARCH, ConstantMean, Normal, StudentsT

    x = checked_vector(returns, name="returns", min_rows=MIN_ROWS_FOR_GARCH)
    size = float(x.std())
    if size <= 1e-13 * max(float(np.abs(x).max()), 1e-300):
        raise SampleError(f"returns: all {len(x)} days are {x[0]:g}, expected a series that moves")
    if start is not None and ((start.dof is not None) != student_t or (start.gamma != 0.0 and not asymmetric)):
        raise ParameterError("start: found a fit of another kind, expected one with the same surprises and asymmetry")
    # Scaled to unit variance: the optimizer's tolerances are absolute.
    model = ConstantMean(
        x / size,
        volatility=GARCH(p=1, o=int(asymmetric), q=1),
        distribution=StudentsT() if student_t else Normal(),
        rescale=False,
    )
    first_values = None if start is None else _scaled_values(start, size, asymmetric)
    fit = model.fit(disp="off", show_warning=False, starting_values=first_values, tol=_LIKELIHOOD_TOLERANCE)
    values = {str(name): float(value) for name, value in fit.params.to_dict().items()}
    if fit.convergence_flag != 0 or not all(math.isfinite(value) for value in values.values()):
        raise SolverError(
            f"garch: the likelihood's maximum was not found on {len(x)} days (flag {fit.convergence_flag})",
            remedy="Give a longer history, or use ewma_path.",
        )
    return Garch(
        mean=values["mu"] * size,
        omega=values["omega"] * size * size,
        alpha=values["alpha[1]"],
        gamma=values.get("gamma[1]", 0.0),
        beta=values["beta[1]"],
        dof=values.get("nu"),
        first_variance=(float(np.asarray(fit.conditional_volatility)[0]) * size) ** 2,
        log_likelihood=float(fit.loglikelihood) - len(x) * math.log(size),
    )


def garch_path(model: Garch, returns: FloatArray) -> FloatArray:
    """Volatility of each day and of the day after the last, (n_days + 1,): entry t is known the evening before day t.

    Parameters
    ----------
    returns : (n_days,) simple daily returns, as fractions, starting where the fitted sample started

    Raises
    ------
    SampleError : a NaN or an infinity
    """
    x = checked_vector(returns, name="returns", min_rows=1)
    shocks = x - model.mean
    arrivals = (model.omega + (model.alpha + model.gamma * (shocks < 0.0)) * np.square(shocks)).tolist()
    path = [model.first_variance]
    variance = model.first_variance
    for arrival in arrivals:
        variance = arrival + model.beta * variance
        path.append(variance)
    return np.sqrt(np.array(path))


def fit_dcc(surprises: FloatArray) -> Dcc:
    """DCC(1,1) of standardized surprises: the second of the two stages, by quasi maximum likelihood.

    The first stage is one ``fit_garch`` a name; its surprises are (return - mean) / ``garch_path``. The target is
    the surprises' own correlation (correlation targeting, slightly biased: Aielli 2013, small for a of a few percent).

    Parameters
    ----------
    surprises : (n_days, n_names >= 2) with mean about 0 and variance about 1, oldest first

    Raises
    ------
    ShapeError : fewer than two names
    SampleError : fewer than 250 rows, a NaN or an infinity, a name that never moves, or two that are one
    SolverError : the likelihood's maximum was not found

    Source: Engle (2002), J. Business & Economic Statistics 20, equations 18-26.
    """
    from scipy.optimize import minimize

    z = checked_matrix(surprises, name="surprises", min_rows=MIN_ROWS_FOR_DCC)
    if z.shape[1] < 2:
        raise ShapeError(f"surprises: found shape {z.shape}, expected two names or more")
    target = sample_correlation(z)
    lowest = float(np.linalg.eigvalsh(target)[0])
    if lowest < 1e-8:
        raise SampleError(
            f"surprises: their correlation has the eigenvalue {lowest:.1e}, expected all above 1e-8",
            remedy="Drop a duplicate name, or give more days than names.",
        )

    def cost(at: FloatArray) -> float:
        return -_dcc_log_likelihood(z, target, at[0] * at[1], at[0] * (1.0 - at[1])) / len(z)

    bounds = ((0.0, _MAX_PERSISTENCE), (0.0, 1.0))
    fits = [minimize(cost, start, method="L-BFGS-B", bounds=bounds) for start in _DCC_STARTS]
    best = min(fits, key=lambda fit: float(fit.fun))
    if not math.isfinite(float(best.fun)):
        raise SolverError("dcc: no finite likelihood was found", remedy="Check the surprises for outliers.")
    persistence, share = (float(value) for value in best.x)
    return Dcc(persistence * share, persistence * (1.0 - share), target, -float(best.fun) * len(z))


def dcc_path(model: Dcc, surprises: FloatArray) -> FloatArray:
    """Correlations of each day and of the day after the last, (n_days + 1, n_names, n_names), causal.

    Raises
    ------
    ShapeError : another number of names than the model's
    SampleError : a NaN or an infinity
    """
    z = checked_matrix(surprises, name="surprises")
    if z.shape[1] != len(model.target):
        raise ShapeError(f"surprises: found {z.shape[1]} names, expected the model's {len(model.target)}")
    return _correlations(z, model.target, model.a, model.b)


def average_correlation(correlations: FloatArray) -> FloatArray:
    """Mean correlation over all pairs of names, (n_days,), of matrices (n_days, n_names, n_names) as ``dcc_path`` has.

    Raises
    ------
    ShapeError : not square matrices of two names or more
    """
    path = np.asarray(correlations, dtype=np.float64)
    if path.ndim != 3 or path.shape[1] != path.shape[2] or path.shape[1] < 2:
        raise ShapeError(
            f"correlations: found shape {path.shape}, expected (n_days, n_names, n_names), 2 names or more"
        )
    n_names = path.shape[1]
    return (path.sum(axis=(1, 2)) - np.trace(path, axis1=1, axis2=2)) / (n_names * (n_names - 1))


def _scaled_values(start: Garch, size: float, asymmetric: bool) -> FloatArray:
    """An earlier fit in units of the sample, moved off the edges, where arch refuses to start."""
    values = [start.mean / size, max(start.omega / size**2, 1e-4), max(start.alpha, 1e-3)]
    values += [max(start.gamma, 1e-3)] if asymmetric else []
    values += [max(min(start.beta, 0.995 - values[2] - 0.5 * (values[3] if asymmetric else 0.0)), 1e-3)]
    values += [min(max(start.dof, 2.2), 200.0)] if start.dof is not None else []
    return np.array(values)


def _correlations(z: FloatArray, target: FloatArray, a: float, b: float) -> FloatArray:
    base = (1.0 - a - b) * target
    arrivals = a * z[:, :, None] * z[:, None, :] + base
    path = np.empty((len(z) + 1, *target.shape))
    path[0] = target
    for day in range(len(z)):
        np.multiply(path[day], b, out=path[day + 1])
        path[day + 1] += arrivals[day]
    root = np.sqrt(np.diagonal(path, axis1=1, axis2=2))
    path /= root[:, :, None]
    path /= root[:, None, :]
    return path


def _dcc_log_likelihood(z: FloatArray, target: FloatArray, a: float, b: float) -> float:
    correlations = _correlations(z, target, a, b)[:-1]
    factor = np.linalg.cholesky(correlations)
    log_det = 2.0 * float(np.log(np.diagonal(factor, axis1=1, axis2=2)).sum())
    whitened = np.linalg.solve(correlations, z[:, :, None])[:, :, 0]
    return -0.5 * (log_det + float((whitened * z).sum()) - float((z * z).sum()))
