"""What dated crises and round shocks would do to a book, through its market beta and its covariance."""

from collections.abc import Mapping

import numpy as np

from ..quant.stress import historical_scenarios, reverse_stress, shocked_cov, stress_table
from ..quant.var import beta, normal_var
from .ledger import Ledger, figure
from .scene import Scene

MARKET = "market_frac"
SHOCKS = {"market -10 %": -0.10, "market -20 %": -0.20, "market -35 %": -0.35, "market +10 %": 0.10}
REVERSE_LOSS_FRAC = 0.10
CRISIS_CORRELATION = 0.9


def stress_book(ledger: Ledger, scene: Scene, weights: Mapping[str, float]) -> tuple[str, list[dict[str, object]]]:
    """The book under every dated scenario, worst first, as far as its market beta carries it.

    Only the market's part is mapped: the data sets carry no size, value or rate factor, so a book that leans on
    those will do worse or better than this says.
    """
    exposure = float(beta((scene.returns @ scene.vector(weights))[:, None], scene.market_returns)[0])
    dated = [item for item in historical_scenarios() if MARKET in item.moves]
    spans = {item.name: item for item in dated}
    rows: list[dict[str, object]] = [
        {
            "scenario": result.scenario,
            "title": spans[result.scenario].title,
            "first_day": spans[result.scenario].first_day.isoformat(),
            "last_day": spans[result.scenario].last_day.isoformat(),
            "market": figure(spans[result.scenario].moves[MARKET]),
            "return": figure(result.return_frac),
        }
        for result in stress_table({MARKET: exposure}, dated)
    ]
    output = {"beta": figure(exposure), "rows": rows}
    return ledger.record("stress_table", 1, "fraction of equity", {"weights": dict(weights)}, output).id, rows


def shock_book(ledger: Ledger, scene: Scene, weights: Mapping[str, float]) -> tuple[str, dict[str, float]]:
    """Round shocks: the market's move through beta, and one-day 99 % normal VaR in a worse covariance.

    Also reverse stress: how many standard deviations the least unlikely loss of 10 % is away over a month.
    """
    vector = scene.vector(weights)
    exposure = float(beta((scene.returns @ vector)[:, None], scene.market_returns)[0])
    cov = scene.covariance
    found = {name: figure(exposure * move) for name, move in SHOCKS.items()}
    worse = {
        "VaR 99 % now": cov,
        "VaR 99 %, volatility doubled": shocked_cov(cov, vol_multiple=2.0),
    }
    if len(cov) > 1:
        worse["VaR 99 %, correlation 0.9"] = shocked_cov(cov, correlation=CRISIS_CORRELATION)
    for name, matrix in worse.items():
        found[name] = figure(normal_var(0.0, float(np.sqrt(max(vector @ matrix @ vector, 0.0))), 0.99))
    if vector.any():
        reverse = reverse_stress(vector, 21.0 * cov, REVERSE_LOSS_FRAC)
        found["standard deviations to a 10 % loss in a month"] = figure(reverse.distance)
    return ledger.record("shocks", 1, "fraction of equity", {"weights": dict(weights)}, found).id, found
