"""Every construction method built again each month on the year before, and held until the next: one loop for all."""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from ..evals.baselines import Baseline, rebalanced
from ..market.history import History
from ..quant.errors import QuantError
from ..tools.construction import METHODS
from ..tools.errors import NotEnoughData
from ..tools.estimators import Estimators
from ..tools.ledger import Ledger
from ..tools.scene import WINDOW_DAYS, FloatArray, Scene
from ..tools.window import AskedLimits, Window, window_of

TRIAL_DAYS = 756
"""Three years of sessions."""


@dataclass(frozen=True, slots=True, eq=False)
class TrialSpan:
    """The sessions of a trial, its names, and what was known before each day on which weights are asked for."""

    days: npt.NDArray[np.datetime64]
    """(n_days,) from the close before the first purchase."""
    symbols: tuple[str, ...]
    closes: FloatArray
    """(n_days, n_names)."""
    windows: dict[int, Window]
    """By the row of a trading day, what was known at the close before it."""


@dataclass(frozen=True, slots=True, eq=False)
class MonthlyBook:
    """How one method's books did, and in how many months it had none to give."""

    path: Baseline
    months_refused: int


def trial_span(scene: Scene, history: History, estimators: Estimators, asked: AskedLimits) -> TrialSpan:
    """As much of the three years up to the scene as has a year before it, over the names that every window has.

    Raises NotEnoughData where less than a year is left, or where a window cannot be made.
    """
    view = scene.view
    first = max(len(view.close) - 1 - TRIAL_DAYS, WINDOW_DAYS)
    days = view.sessions[first:]
    if len(days) <= WINDOW_DAYS:
        raise NotEnoughData(
            f"{len(days)} sessions are left after the first year, a trial needs {WINDOW_DAYS + 1}",
            remedy="Use a data set with a longer history.",
        )
    places = _trading_places(days)
    moments = [history.close_time(days[place - 1].item()) for place in places]
    scenes = [replace(scene, view=history.as_of(moment), memo={}) for moment in moments]
    whole = np.flatnonzero(np.isfinite(view.close[first:]).all(axis=0)).tolist()
    shared = {view.symbols[column] for column in whole}.intersection(*(past.symbols for past in scenes))
    symbols = tuple(symbol for symbol in scene.symbols if symbol in shared)
    windows = {
        place: window_of(Ledger(past.view.as_of, past.view.fingerprint), past, estimators, symbols, asked)
        for place, past in zip(places, scenes, strict=True)
    }
    closes = view.close[first:, [view.symbols.index(symbol) for symbol in symbols]]
    return TrialSpan(days, symbols, closes, windows)


def monthly_books(span: TrialSpan, cost_frac: float) -> dict[str, MonthlyBook]:
    """Every method over the span from an equity of 1, traded at a close on what the close before it knew.

    A method that refuses in a month keeps the book it has, which at the start is equal weight. `cost_frac` is paid
    on every unit of value traded.
    """
    return {name: _held(name, span, cost_frac) for name in METHODS}


def _trading_places(days: npt.NDArray[np.datetime64]) -> list[int]:
    """Where `rebalanced` asks for weights: its second day, and the first day of each later month."""
    months = days.astype("datetime64[M]")
    return [1, *(place for place in range(2, len(days)) if months[place] != months[place - 1])]


def _held(method: str, span: TrialSpan, cost_frac: float) -> MonthlyBook:
    books: dict[int, FloatArray] = {}
    held = np.full(len(span.symbols), 1.0 / len(span.symbols))
    refused = 0
    for place, window in span.windows.items():
        try:
            held = METHODS[method](window)
        except (QuantError, NotEnoughData):
            refused += 1
        books[place] = held
    return MonthlyBook(rebalanced(span.closes, span.days, 1.0, cost_frac, books.__getitem__), refused)
