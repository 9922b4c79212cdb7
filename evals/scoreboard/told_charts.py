"""The scoreboard's charts: growth, falls, ratios with their intervals, and where random agents came out."""

import numpy as np

from ..harness.task import Chart
from .board import DESK, Board
from .told_tables import SHOWN

MAX_POINTS = 400
BINS = 24


def charts(board: Board) -> tuple[Chart, ...]:
    kept = np.unique(np.linspace(0, len(board.days) - 1, min(len(board.days), MAX_POINTS)).round().astype(int)).tolist()
    days = tuple(board.days[row] for row in kept)
    names = [name for name in SHOWN if name in board.paths]
    growth = {name: tuple((board.paths[name][kept] / board.paths[name][0]).tolist()) for name in names}
    falls = {
        name: tuple((path / np.maximum.accumulate(path) - 1.0)[kept].tolist())
        for name, path in board.paths.items()
        if name in names
    }
    found = [
        Chart("Worth of one unit, net", "lines", "num", days, growth),
        Chart("Fall from the peak", "lines", "frac", days, falls),
    ]
    ratios = {name: item.ratio for name, item in board.judged.items() if item.ratio is not None and name != "oracle"}
    if ratios:
        found.append(
            Chart(
                "Sharpe ratio, cash at zero, with 95 %",
                "bars",
                "ratio",
                tuple(ratios),
                {"sharpe": tuple(item.value for item in ratios.values())},
                tuple(item.percentile.low for item in ratios.values()),
                tuple(item.percentile.high for item in ratios.values()),
            )
        )
    if board.randoms is not None and DESK in ratios:
        counts, edges = np.histogram(board.random_ratios, bins=BINS)
        bars = {"random agents": tuple(float(item) for item in counts)}
        found.append(
            Chart(
                "Sharpe ratios of random agents, and ours",
                "histogram",
                "ratio",
                tuple(edges.tolist()),
                bars,
                mark=ratios[DESK].value,
            )
        )
    return tuple(found)
