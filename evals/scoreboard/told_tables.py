"""The scoreboard's tables: everybody on the same days, regimes, years, crises, VaR and random agents."""

import numpy as np

from ...quant.arrays import DAYS_PER_YEAR, FloatArray
from ..harness.task import Table
from .board import DESK, Board
from .judged import Ratio, sharpe_gap
from .rivals import RULES
from .spells import Spell, by_regime, crises, years
from .var_record import var_record

SHOWN = (DESK, "index", "equal_weight", "sixty_forty")
"""Whose years and crises are told."""

Cells = tuple[str | float | int | None, ...]
SAME_DAYS = {
    "who": "",
    "net a year": "frac",
    "volatility": "frac",
    "Sharpe": "ratio",
    "low": "ratio",
    "high": "ratio",
    "deflated": "frac",
    "largest fall": "frac",
    "days under water": "count",
}
DIFFERENCES = {
    "who": "",
    "ours less theirs": "ratio",
    "low": "ratio",
    "high": "ratio",
    "over bills": "ratio",
    "over bills low": "ratio",
    "over bills high": "ratio",
}
REGIMES = {
    "regime": "",
    "days": "count",
    "share": "frac",
    "mean a year": "frac",
    "volatility": "frac",
    "exposure": "frac",
    "index a year": "frac",
}


def tables(board: Board) -> tuple[Table, ...]:
    found = [
        _same_days(board),
        _differences(board),
        _by_regime(board),
        _years(board),
        _crises(board),
        _var(board),
        _random(board),
    ]
    return tuple(table for table in found if table is not None and table.rows)


def _same_days(board: Board) -> Table:
    rows: list[Cells] = []
    for name, item in board.judged.items():
        deflated = None if item.ratio is None else item.ratio.dsr
        path = (deflated, item.max_drawdown, item.longest_under_water_days)
        rows.append((name, item.annual_return, item.annual_volatility, *_ends(item.ratio), *path))
    rules = "; ".join(f"{name}: {RULES[name]}" for name in board.judged if name in RULES)
    note = f"Net of costs. Sharpe ratios with intervals of 95 %, the same draws for all. {rules}."
    return Table("On the same days", tuple(SAME_DAYS), tuple(SAME_DAYS.values()), tuple(rows), note)


def _differences(board: Board) -> Table:
    rows: list[Cells] = []
    for name in board.judged:
        gap = None if name == DESK else sharpe_gap(board.returns[DESK], board.returns[name])
        difference = (None, None, None) if gap is None else (gap[0], gap[1].low, gap[1].high)
        over = _ends(board.over_bills.get(name))
        if any(cell is not None for cell in (*difference, *over)):
            rows.append((name, *difference, *over))
    note = (
        "Differences of Sharpe ratios and, on the right, each one's own ratio over one-month bills. Intervals of 95 %, "
        "stationary blocks of 21 days on average, days drawn in pairs."
    )
    return Table("Against ours, and over bills", tuple(DIFFERENCES), tuple(DIFFERENCES.values()), tuple(rows), note)


def _ends(ratio: Ratio | None) -> tuple[float | None, float | None, float | None]:
    return (None, None, None) if ratio is None else (ratio.value, ratio.percentile.low, ratio.percentile.high)


def _by_regime(board: Board) -> Table | None:
    if not board.is_daily:
        return None
    rows = by_regime(board.desk.regimes[:-1], board.returns[DESK], board.exposure)
    index = board.returns.get("index", board.returns.get("equal_weight"))
    known = np.array(board.desk.regimes[:-1])
    cells: list[Cells] = []
    for row in rows:
        market = None if index is None else float(index[known == row.regime].mean()) * DAYS_PER_YEAR
        share = row.n_days / len(known)
        cells.append((row.regime, row.n_days, share, row.mean_return, row.volatility, row.mean_exposure, market))
    note = "As the desk's causal filter saw the market at the close before; 1/N stands for an index that is missing."
    return Table("By regime", tuple(REGIMES), tuple(REGIMES.values()), tuple(cells), note)


def _years(board: Board) -> Table:
    names = [name for name in SHOWN if name in board.paths]
    spells = {name: years(board.days, board.paths[name]) for name in names}
    rows = [
        (mine.name, mine.n_days, *(spells[name][place].total_return for name in names), mine.max_drawdown)
        for place, mine in enumerate(spells[DESK])
    ]
    header = ("year", "days", *names, "desk's largest fall")
    return Table("By year", header, ("", "count", *("frac",) * (len(names) + 1)), tuple(rows), "Net of costs.")


def _crises(board: Board) -> Table:
    names = [name for name in SHOWN if name in board.paths]
    spells = {name: crises(board.days, board.paths[name]) for name in names}
    rows = [
        (mine.name, mine.n_days, *(cell for name in names for cell in _cells(spells[name][place])))
        for place, mine in enumerate(spells[DESK])
    ]
    header = ("crisis", "days", *(text for name in names for text in (name, f"{name}: fall")))
    note = "Return, and largest fall inside, from the index's peak to its trough; 2022 is the year."
    return Table("By crisis", header, ("", "count", *("frac",) * (2 * len(names))), tuple(rows), note)


def _cells(spell: Spell) -> tuple[float, float]:
    return spell.total_return, spell.max_drawdown


def _var(board: Board) -> Table | None:
    found = var_record(board.returns[DESK], board.desk.var_99[:-1]) if board.is_daily else None
    if found is None:
        return None
    rows: tuple[Cells, ...] = (
        ("days tested", found.n_days, None),
        (f"exceptions, {found.expected:.1f} expected", found.n_exceptions, found.kupiec_p),
        (f"exceptions of the last 250 days: {found.last_year_zone.value}", found.last_year_exceptions, None),
        ("exceptions of the worst 250 days", found.worst_year_exceptions, None),
        ("independence of one another (Christoffersen)", None, found.independence_p),
        ("number and independence together", None, found.coverage_p),
    )
    note = "The risk agent's 99 % one-day VaR of the book held at each close against the day after."
    return Table("Value at risk", ("what", "days", "p-value"), ("", "count", "num"), rows, note)


def _random(board: Board) -> Table | None:
    if board.randoms is None:
        return None
    net, gross = board.random_yearly("net"), board.random_yearly("gross")
    paid = float(board.randoms.costs.sum()) * DAYS_PER_YEAR / (len(board.rows) - 1)
    ratios, exposure = board.random_ratios, board.randoms.exposure[board.rows]
    rows: list[Cells] = [
        ("gross, a year", *_quantiles(gross)),
        ("net, a year", *_quantiles(net)),
        ("costs, a year", paid, None, None, None),
        ("exposure", float(exposure.mean()), None, None, None),
    ]
    spread = f" Sharpe ratios: mean {ratios.mean():.2f}, from {ratios.min():.2f} to {ratios.max():.2f}."
    note = (
        f"{len(net)} agents without skill that buy and sell random names on the desk's days, in the desk's size, at "
        "its costs: they share its exposure, turnover and timing, not its choice of names."
        + ("" if board.judged[DESK].ratio is None else spread)
    )
    header = ("random agents", "mean", "2.5 % of them below", "half below", "97.5 % below")
    return Table("Random agents", header, ("", "frac", "frac", "frac", "frac"), tuple(rows), note)


def _quantiles(values: FloatArray) -> tuple[float, ...]:
    return float(values.mean()), *(float(item) for item in np.quantile(values, [0.025, 0.5, 0.975]))
