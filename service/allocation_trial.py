"""The construction methods out of sample, as a ledger entry: what a reader of the frontier must see next."""

from dataclasses import asdict
from typing import Any

from ..evals.baselines import Baseline
from ..evals.metrics import path_intervals
from ..quant.bootstrap import N_DRAWS, Interval
from ..quant.performance import annual_return, max_drawdown, sharpe
from ..quant.sharpe_bootstrap import NoInterval
from ..quant.var import annual_volatility
from ..tools.book_costs import linear_cost_frac
from ..tools.ledger import Ledger, figure
from ..tools.scene import Scene
from ..tools.track_record import INTERVAL_SEED, interval_of
from ..tools.window import AskedLimits
from .monthly_books import TRIAL_DAYS, TrialSpan, monthly_books


def out_of_sample(ledger: Ledger, scene: Scene, asked: AskedLimits, span: TrialSpan | str) -> dict[str, Any]:
    """Every method built again each month on the year before, net of costs, over the three years up to the scene.

    A reason instead of a span is what the entry then says.
    """
    cost_frac = linear_cost_frac(scene)
    inputs = {"days": TRIAL_DAYS, "costs": cost_frac, "limits": scene.limits.hash(), "asked": asdict(asked)}
    inputs |= {"seed": INTERVAL_SEED, "draws": N_DRAWS}
    output: dict[str, Any] = {"refused": span}
    if isinstance(span, TrialSpan):
        books = monthly_books(span, cost_frac)
        intervals = path_intervals({name: book.path.equity for name, book in books.items()})
        output = {
            "first_day": str(span.days[0]),
            "last_day": str(span.days[-1]),
            "months": len(span.windows),
            "names": list(span.symbols),
            "cost_frac": figure(cost_frac),
            "methods": {
                name: _performance(book.path, intervals[name]) | {"months_refused": book.months_refused}
                for name, book in books.items()
            },
        }
    ledger.record("out_of_sample", 1, "fraction of equity", inputs, output)
    return output


def _performance(path: Baseline, interval: Interval | NoInterval) -> dict[str, Any]:
    returns = path.equity[1:] / path.equity[:-1] - 1.0
    return {
        "return_annual": figure(annual_return(path.equity)),
        "volatility_annual": figure(annual_volatility(returns)),
        "sharpe": figure(sharpe(returns)),
        **interval_of("sharpe", interval if isinstance(interval, Interval) else None),
        "max_drawdown": figure(max_drawdown(path.equity)),
        "traded": figure(path.traded),
        "costs": figure(path.costs),
    }
