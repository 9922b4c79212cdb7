"""What dated crises and round shocks would do to a book, through its market beta and its covariance."""

from collections.abc import Mapping

import numpy as np

from ..quant.covariance import sample_cov
from ..quant.errors import QuantError
from ..quant.stress import complete_moves, historical_scenarios, reverse_stress, shocked_cov, stress_table
from ..quant.var import beta, normal_var
from .ledger import Ledger, figure
from .scene import FloatArray, Scene

MARKET = "market_frac"
SHOCKS = {"market -10 %": -0.10, "market -20 %": -0.20, "market -35 %": -0.35, "market +10 %": 0.10}
REVERSE_LOSS_FRAC = 0.10
CRISIS_CORRELATION = 0.9
BREAKING_LOSSES_FRAC = (0.05, 0.10, 0.20)
MONTH_DAYS = 21
LEAST_BETA = 0.05
"""Below it no move of the market that could happen explains a loss of the book."""
MOVES_SHOWN = 5
MARKET_FALL_FRAC, NAME_FALL_FRAC = -0.20, -0.40


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


def break_book(ledger: Ledger, scene: Scene, weights: Mapping[str, float]) -> tuple[str, dict[str, object]]:
    """Reverse stress: what would have to happen for the book to lose 5, 10 or 20 % within a month.

    The market's move alone, through beta; the least unlikely joint move of all names, with its distance in standard
    deviations and its normal chance (real tails are fatter); and, turned around, what is to be expected of the rest
    of the book when the market falls by a fifth, or its largest position by two fifths.
    """
    vector = scene.vector(weights)
    exposure = float(beta((scene.returns @ vector)[:, None], scene.market_returns)[0])
    output: dict[str, object]
    try:
        output = {
            "beta": figure(exposure),
            "month_days": MONTH_DAYS,
            "rows": [_breaking(scene, vector, exposure, loss) for loss in BREAKING_LOSSES_FRAC],
            "expected": _expected(scene, vector),
        }
    except QuantError as error:
        output = {"refused": error.message}
    return ledger.record("reverse_stress", 1, "fraction", {"weights": dict(weights)}, output).id, output


def _breaking(scene: Scene, vector: FloatArray, exposure: float, loss: float) -> dict[str, object]:
    found = reverse_stress(vector, MONTH_DAYS * scene.covariance, loss)
    hardest = np.argsort(vector * found.moves, kind="stable")[:MOVES_SHOWN].tolist()
    move = -loss / exposure if abs(exposure) >= LEAST_BETA else None
    return {
        "loss": loss,
        # A rise of any size can happen, a fall of more than everything cannot.
        "market": None if move is None or move <= -1.0 else figure(move),
        "distance": figure(found.distance),
        "normal_probability": figure(found.normal_probability),
        "moves": {scene.symbols[k]: figure(float(found.moves[k])) for k in hardest if vector[k]},
    }


def _expected(scene: Scene, vector: FloatArray) -> list[dict[str, object]]:
    names = [*scene.symbols, MARKET]
    cov = sample_cov(np.column_stack([scene.returns, scene.market_returns]))
    largest = scene.symbols[int(np.argmax(np.abs(vector)))]
    against = NAME_FALL_FRAC if vector[scene.symbols.index(largest)] > 0.0 else -NAME_FALL_FRAC
    rows: list[dict[str, object]] = []
    for title, given in (("the market moves", {MARKET: MARKET_FALL_FRAC}), (f"{largest} moves", {largest: against})):
        moves = complete_moves(given, names, cov)
        parts = vector * np.array([moves[symbol] for symbol in scene.symbols])
        rows.append(
            {
                "given": title,
                "move": next(iter(given.values())),
                "market": figure(moves[MARKET]),
                "book": figure(float(parts.sum())),
                "hardest_hit": scene.symbols[int(np.argmin(parts))],
                "hardest_part": figure(float(parts.min())),
            }
        )
    return rows
