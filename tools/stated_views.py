"""An operator's own views on names, blended with what the reference book implies, and the books they lead to."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass

import numpy as np

from ..quant.arrays import DAYS_PER_YEAR
from ..quant.black_litterman import Posterior, equilibrium, omega_from_confidence, posterior
from ..quant.errors import QuantError
from ..quant.frontier import max_sharpe, min_variance
from ..quant.policy import reference_book
from .construction import asked_inputs
from .errors import NotEnoughData
from .ledger import Ledger, figure, figures
from .portfolio import RISK_AVERSION, VIEW_UNCERTAINTY
from .scene import FloatArray
from .window import Window

CONVENTION = (
    "Returns are above cash, a fraction a year of 252 days. The prior is what makes the reference book the best one; "
    "a confidence moves the weights by that share of what certainty would (Idzorek 2005)."
)


@dataclass(frozen=True, slots=True)
class StatedView:
    """What somebody expects of one name, and how sure they are of it."""

    symbol: str
    return_annual: float
    """Above cash, a fraction a year."""
    confidence: float
    """Strictly between 0, no view, and 1, certainty."""


def stated_views(ledger: Ledger, window: Window, views: Sequence[StatedView]) -> tuple[str, dict[str, object]]:
    """Prior and posterior returns of every name, and how far the views tilt the two books that need no more.

    Raises NotEnoughData for a name without a history over the window, ParameterError for a confidence that is none.
    """
    unknown = [view.symbol for view in views if view.symbol not in window.symbols]
    if unknown:
        raise NotEnoughData(
            f"{', '.join(unknown)}: not among the {len(window.symbols)} names with a year of closes",
            remedy=f"State views on {', '.join(window.symbols)}.",
        )
    prior = equilibrium(window.cov, reference_book(window.returns, window.classes), RISK_AVERSION)
    P = np.eye(len(window.symbols))[[window.symbols.index(view.symbol) for view in views]]
    q = np.array([view.return_annual for view in views]) / DAYS_PER_YEAR
    omega = omega_from_confidence(P, window.cov, VIEW_UNCERTAINTY, np.array([view.confidence for view in views]))
    blended = posterior(prior, window.cov, VIEW_UNCERTAINTY, P, q, omega)
    output: dict[str, object] = {
        "views": [asdict(view) for view in views],
        "prior_annual": figures(window.symbols, (prior * DAYS_PER_YEAR).tolist()),
        "posterior_annual": figures(window.symbols, (blended.mean * DAYS_PER_YEAR).tolist()),
        "books": {name: _tilted(window, build, prior, blended) for name, build in BOOKS.items()},
        "risk_aversion": RISK_AVERSION,
        "tau": VIEW_UNCERTAINTY,
        "convention": CONVENTION,
    }
    inputs = {
        "views": [asdict(view) for view in views],
        "symbols": list(window.symbols),
        "days": len(window.returns),
        "max_name_frac": window.max_name_frac,
        "asked": asked_inputs(window),
    }
    return ledger.record("stated_views", 1, "fraction", inputs, output).id, output


def _highest_sharpe(window: Window, mean: FloatArray, cov: FloatArray) -> FloatArray:
    return max_sharpe(mean, cov, upper=window.max_name_frac, groups=window.sectors, factors=window.tilts)


def _least_variance(window: Window, mean: FloatArray, cov: FloatArray) -> FloatArray:
    """Views move it only through what they leave unsure."""
    return min_variance(cov, upper=window.max_name_frac, groups=window.sectors, factors=window.tilts)


BOOKS: Mapping[str, Callable[[Window, FloatArray, FloatArray], FloatArray]] = {
    "maximum sharpe": _highest_sharpe,
    "minimum variance": _least_variance,
}
"""Long-only and fully invested, each from expected returns and a covariance."""


def _tilted(
    window: Window, build: Callable[[Window, FloatArray, FloatArray], FloatArray], prior: FloatArray, blended: Posterior
) -> dict[str, object]:
    """The book without the views and with them; returns that allow none are a finding."""
    try:
        before, after = build(window, prior, window.cov), build(window, blended.mean, blended.cov)
    except QuantError as error:
        return {"refused": error.message}
    return {
        "before": figures(window.symbols, before.tolist()),
        "after": figures(window.symbols, after.tolist()),
        "tilt": figures(window.symbols, (after - before).tolist()),
        "moved": figure(float(np.abs(after - before).sum())),
    }
