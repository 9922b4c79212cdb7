"""Ways to build a book from the same window, side by side: what each would hold and what it would risk."""

from collections.abc import Callable, Mapping

import numpy as np

from ..quant.errors import QuantError
from ..quant.frontier import max_sharpe, min_variance
from ..quant.hierarchical import hierarchical_weights
from ..quant.policy import reference_book
from ..quant.risk_parity import risk_budget_weights, risk_shares
from ..quant.tail_optimizer import min_expected_shortfall
from ..quant.var import annual_volatility, portfolio_var
from .ledger import Ledger, figure, figures
from .scene import FloatArray, Scene

MAX_NAME_FRAC = 0.15
DAYS_PER_YEAR = 252.0


def build_books(ledger: Ledger, scene: Scene) -> tuple[str, dict[str, dict[str, object]]]:
    """Fully invested long-only books over the tradable names by each method; one that cannot says why.

    Figures are in the sample the weights were built on, so they flatter the methods that fit it hardest:
    minimum variance its volatility, maximum Sharpe its return.
    """
    n_names = len(scene.symbols)
    upper = min(1.0, max(MAX_NAME_FRAC, 2.0 / n_names))
    cov, returns = scene.covariance, scene.returns
    classes = [item.asset_class.value for item in scene.instruments]
    methods: dict[str, Callable[[], FloatArray]] = {
        "reference book": lambda: reference_book(returns, classes),
        "equal weight": lambda: np.full(n_names, 1.0 / n_names),
        "minimum variance": lambda: min_variance(cov, upper=upper),
        "maximum sharpe": lambda: max_sharpe(returns.mean(axis=0), cov, upper=upper),
        "equal risk": lambda: risk_budget_weights(cov),
        "hierarchical": lambda: hierarchical_weights(cov),
        "minimum shortfall": lambda: min_expected_shortfall(returns, 0.95, upper=upper).weights,
    }
    found = {name: _described(scene, method) for name, method in methods.items()}
    inputs = {"days": len(returns), "max_name_frac": upper, "names": list(scene.symbols)}
    return ledger.record("build_books", 1, "fraction of equity", inputs, found).id, found


def _described(scene: Scene, method: Callable[[], FloatArray]) -> dict[str, object]:
    try:
        weights = method()
    except QuantError as error:
        return {"refused": error.message}
    history = scene.returns @ weights
    tail = portfolio_var(weights, scene.returns, 0.99)
    shares = risk_shares(weights, scene.covariance)
    return {
        "weights": figures(scene.symbols, weights.tolist()),
        "volatility_annual": figure(annual_volatility(history)),
        "return_annual": figure(float(history.mean()) * DAYS_PER_YEAR),
        "var_99": figure(tail.historical_var),
        "largest_weight": figure(float(weights.max())),
        "largest_risk_share": figure(float(shares.max())),
        "effective_names": figure(1.0 / float(np.square(weights).sum())),
    }


def weights_of(books: Mapping[str, Mapping[str, object]], method: str) -> dict[str, float] | None:
    """The weights of one method; None when it refused or is unknown."""
    weights = books.get(method, {}).get("weights")
    return dict(weights) if isinstance(weights, dict) else None
