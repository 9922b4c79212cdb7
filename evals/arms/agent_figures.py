"""What each agent is held to by its own measure: the analyst's accuracy, the risk manager's value at risk, the
optimizer's tracking, the execution agent's shortfall and fills."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ...domain.decisions import Decision
from ...market.cards import DataSet
from ...memory.orders_view import OrderRecord
from ...quant.arrays import FloatArray
from ...quant.benchmark_metrics import tracking_error
from ...quant.performance import sharpe
from ...quant.side_record import wilson_interval
from ...quant.var_backtests import kupiec
from .judging import SIGNS, judged_signals, moves_beyond, var_days

VAR_LEVEL = 0.99
MIN_DAYS = 20
"""Fewer returns make no ratio."""


@dataclass(frozen=True, slots=True)
class AgentFigures:
    """The measures of one run; None where there was too little to measure. Fractions, and basis points as said."""

    signals: int
    """With a side and an outcome."""
    signals_right: int
    signal_low: float | None
    signal_high: float | None
    """Wilson's interval, which counts each decision once: its names fall together."""
    signal_sharpe: float | None
    """Annual, of one unit on every side that was said, from the close after, against the average name; before costs."""
    var_days: int
    var_exceptions: int
    var_p: float | None
    """Kupiec's: whether one day in a hundred is what came."""
    tracking_error: float | None
    """Annual deviation of the book's return from that of the weights last wanted."""
    orders: int
    fill_frac: float | None
    shortfall_bps: float | None
    """Price alone, against arrival, weighted by what was filled."""


def agent_figures(
    decisions: Sequence[Decision], orders: Sequence[OrderRecord], data: DataSet, book: Mapping[int, float]
) -> AgentFigures:
    """`book` has the return of the book up to the close of each row of the data."""
    rows = data.history().rows_of([decision.snapshot.session for decision in decisions]).tolist()
    calls = list(judged_signals(decisions, data))
    days, right = len({call.day for call in calls}), sum(call.came_true for call in calls)
    low, high = wilson_interval(round(days * right / len(calls)), days) if calls else (None, None)
    losses = [item.loss > item.historical for item in var_days(decisions, data)]
    exceptions = sum(losses)
    gaps = _wanted_and_had(decisions, rows, data, book)
    filled = [(order, float(order.filled * order.reference_price)) for order in orders if order.filled]
    weight = sum(amount for order, amount in filled if order.shortfall_bps is not None)
    ordered = sum(float(order.quantity * order.reference_price) for order in orders)
    return AgentFigures(
        signals=len(calls),
        signals_right=right,
        signal_low=low,
        signal_high=high,
        signal_sharpe=_ratio(_signal_returns(decisions, rows, data)),
        var_days=len(losses),
        var_exceptions=exceptions,
        var_p=kupiec(exceptions, len(losses), VAR_LEVEL).p_value if losses else None,
        tracking_error=tracking_error(*gaps) if len(gaps[0]) >= MIN_DAYS else None,
        orders=len(orders),
        fill_frac=sum(amount for _, amount in filled) / ordered if ordered else None,
        shortfall_bps=sum((order.shortfall_bps or 0.0) * amount for order, amount in filled) / weight
        if weight
        else None,
    )


def _signal_returns(decisions: Sequence[Decision], rows: Sequence[int], data: DataSet) -> FloatArray:
    """One day's gain beyond the average name of all sides said, in equal parts; nothing said earns nothing."""
    beyond = moves_beyond(data.panel.close, rows, 1)
    columns = {symbol: place for place, symbol in enumerate(data.panel.symbols)}
    found: list[float] = []
    for decision, moves in zip(decisions, beyond, strict=True):
        gains = [
            SIGNS[signal.side] * float(moves[columns[signal.symbol]])
            for signal in decision.signals
            if signal.side in SIGNS and np.isfinite(moves[columns[signal.symbol]])
        ]
        found.append(sum(gains) / len(gains) if gains else 0.0)
    return np.array(found)


def _ratio(returns: FloatArray) -> float | None:
    return sharpe(returns) if len(returns) >= MIN_DAYS and np.ptp(returns) > 0.0 else None


def _wanted_and_had(
    decisions: Sequence[Decision], rows: Sequence[int], data: DataSet, book: Mapping[int, float]
) -> tuple[FloatArray, FloatArray]:
    """Returns of the weights wanted at a close, from the close after it to the one after that, beside the book's."""
    close = data.panel.close
    wanted, had = list[float](), list[float]()
    for decision, first, last in zip(decisions, rows[1:], rows[2:], strict=False):
        if decision.targets is None:
            continue
        weights = np.array([decision.targets.weights.get(symbol, 0.0) for symbol in data.panel.symbols])
        held = weights != 0.0
        moves = close[last, held] / close[first, held] - 1.0
        if np.isfinite(moves).all() and last in book:
            wanted.append(float(weights[held] @ moves))
            had.append(book[last])
    return np.array(had), np.array(wanted)
