"""The scoreboard's figures, in the order a sceptic asks for them, and what they do not say."""

import numpy as np

from ...quant.arrays import DAYS_PER_YEAR
from ...quant.bootstrap import BLOCK_DAYS, Interval
from ...quant.performance import MIN_DAYS_TO_JUDGE, is_distinguishable_from_luck
from ..harness.task import Figure
from .board import DESK, Board
from .judged import TOO_SHORT, break_even_bps, choice_overfit, luck_sentences, mean_gap, sharpe_gap
from .random_agents import percentile_of

MIN_BLOCKS = 10
"""Of days drawn together: resampling fewer has too little to draw from."""
COMPARED = ("equal_weight", "sixty_forty", "index", "rules")


def figures(board: Board) -> tuple[Figure, ...]:
    """The desk's own, in the order a sceptic asks for them."""
    found = [*_returns(board), *_ratio(board), *_risk(board), *_trading(board), *_luck(board)]
    return tuple(found)


def _returns(board: Board) -> list[Figure]:
    mine = board.judged[DESK]
    before_costs = board.desk.gross_returns
    gross = float(np.expm1(np.log1p(before_costs).sum() * DAYS_PER_YEAR / mine.n_days))
    return [
        Figure("annual_return_net", mine.annual_return, "frac", n=mine.n_days, note="cash earns nothing"),
        Figure("annual_return_gross", gross, "frac", n=mine.n_days, note="had trading cost nothing"),
        Figure("total_return_net", mine.total_return, "frac", n=mine.n_days),
        Figure("annual_volatility", mine.annual_volatility, "frac", n=mine.n_days),
    ]


def _ratio(board: Board) -> list[Figure]:
    mine = board.judged[DESK]
    if mine.ratio is None:
        return [Figure("sharpe", None, "ratio", n=mine.n_days, note=TOO_SHORT)]
    ratio, n = mine.ratio, mine.n_days
    student = ratio.studentized
    t_low, t_high = (None, None) if student is None else (student.low, student.high)
    return [
        Figure("sharpe", ratio.value, "ratio", ratio.percentile.low, ratio.percentile.high, n, "95 %, percentiles"),
        Figure("sharpe_studentized", ratio.value, "ratio", t_low, t_high, n, "95 %, bootstrap-t"),
        *_over_bills(board),
        Figure("psr", ratio.psr, "frac", n=n, note="probability that the true Sharpe ratio is above zero"),
        Figure("trials", board.trials.count, "count", note="configurations looked at, this one included"),
        Figure("expected_best_of_trials", ratio.expected_best, "ratio", note="Sharpe ratio, without skill"),
        Figure("deflated_sharpe", ratio.dsr, "frac", n=n, note="probability that the true ratio beats the luckiest's"),
        Figure("days_needed", ratio.days_needed, "count", note="for a ratio above zero at 95 %, at this one's shape"),
        Figure("sortino", mine.sortino, "ratio", n=n),
    ]


def _over_bills(board: Board) -> list[Figure]:
    ratio, n = board.over_bills.get(DESK), board.judged[DESK].n_days
    if ratio is None:
        return [Figure("sharpe_over_bills", None, "ratio", n=n, note="no file of bill returns at hand")]
    low, high = ratio.percentile.low, ratio.percentile.high
    return [
        Figure("sharpe_over_bills", ratio.value, "ratio", low, high, n, "had cash earned the bills' rate"),
        Figure("deflated_sharpe_over_bills", ratio.dsr, "frac", n=n, note="the same ratio against the luckiest's"),
    ]


def _risk(board: Board) -> list[Figure]:
    mine = board.judged[DESK]
    rows = board.desk.gross[board.rows]
    found = [
        Figure("max_drawdown", mine.max_drawdown, "frac", n=mine.n_days, note="since inception, at closes"),
        Figure("longest_under_water_days", mine.longest_under_water_days, "count"),
        Figure("under_water", mine.under_water_frac, "frac", note="share of days below an earlier peak"),
        Figure("gross_exposure", float(rows.mean()), "frac", note="mean of the closes"),
        Figure("gross_exposure_max", float(rows.max()), "frac"),
        Figure("net_exposure", float(board.desk.net[board.rows].mean()), "frac", note="mean of the closes"),
    ]
    for kind, held in board.desk.classes.items():
        found.append(Figure(f"exposure_{kind}", float(held[board.rows].mean()), "frac", note="mean of the closes"))
    return found


def _trading(board: Board) -> list[Figure]:
    path, mine = board.desk, board.judged[DESK]
    turnover = path.traded[1:] / path.equity[:-1]
    traded, costs = float(path.traded.sum()), float(path.costs.sum())
    yearly = float(turnover.sum()) * DAYS_PER_YEAR / mine.n_days
    even = break_even_bps(path.gross_returns, turnover)
    return [
        Figure("turnover", yearly, "multiple", note="bought plus sold a year, over equity"),
        Figure("cost", 1e4 * costs / traded if traded else None, "bps", note="fees, spread and impact"),
        Figure("break_even_cost", even, "bps", note="of a unit traded, at which the mean return would be zero"),
        *(Figure(name, path.counts.get(name, 0), "count") for name in ("decisions", "orders", "fills", "vetoes")),
        Figure("abstentions", path.counts.get("abstentions", 0), "count", note="of all voices; never counted as HOLD"),
        Figure("failed_answers", path.counts.get("failed_answers", 0), "count", note="the model's fault, among them"),
    ]


def _luck(board: Board) -> list[Figure]:
    found = list[Figure]()
    mine = board.judged[DESK]
    for name in COMPARED:
        gap = sharpe_gap(board.returns[DESK], board.returns[name]) if name in board.paths else None
        if gap is not None:
            found.append(_paired(f"sharpe_minus_{name}", gap, "ratio", mine.n_days))
            mine_over, other_over = board.excess(DESK), board.excess(name)
            over = None if mine_over is None or other_over is None else sharpe_gap(mine_over, other_over)
            if over is not None:
                found.append(_paired(f"sharpe_over_bills_minus_{name}", over, "ratio", mine.n_days))
            change = mean_gap(board.returns[DESK], board.returns[name])
            found.append(_paired(f"return_minus_{name}", change, "frac", mine.n_days))
    choices = [line for name, line in board.returns.items() if name not in ("cash", "oracle")]
    overfit = choice_overfit(np.column_stack(choices))
    if overfit is not None:
        note = "probability that the best of these on half the days is below their middle on the rest (CSCV)"
        found.append(Figure("pbo_of_choice", overfit, "frac", n=len(choices), note=note))
    if board.randoms is not None:
        ratios, yearly = board.random_ratios, board.random_yearly("net")
        n = len(yearly)
        if mine.ratio is not None:
            place = percentile_of(mine.ratio.value, ratios)
            found.append(Figure("sharpe_percentile_of_random", place, "frac", n=n, note="same exposure and turnover"))
        place = percentile_of(mine.annual_return, yearly)
        found.append(Figure("return_percentile_of_random", place, "frac", n=n, note="same exposure and turnover"))
    return found


def _paired(name: str, gap: tuple[float, Interval], unit: str, n_days: int) -> Figure:
    value, interval = gap
    return Figure(name, value, unit, interval.low, interval.high, n_days, "a year, the same days drawn for both")


def notes(board: Board, survivorship: str) -> tuple[str, ...]:
    """What the figures do not say, the worst first."""
    mine, found = board.judged[DESK], list[str]()
    failed = board.desk.counts.get("failed_answers", 0)
    if failed:
        found.append(f"The model failed {failed:,} times. That is no opinion: each is an abstention, none is a HOLD.")
    if not is_distinguishable_from_luck(mine.n_days):
        found.append(f"Fewer than {MIN_DAYS_TO_JUDGE} days: no figure here is evidence of skill or of its absence.")
    if mine.n_days < MIN_BLOCKS * BLOCK_DAYS:
        found.append(
            f"{mine.n_days} days are fewer than {MIN_BLOCKS} blocks of {BLOCK_DAYS}: every interval here is too narrow."
        )
    found += luck_sentences(mine.n_days, None if mine.ratio is None else mine.ratio.value)
    found.append(f"Survivorship: {survivorship}.")
    oracle, rest = board.judged.get("oracle"), [item for name, item in board.judged.items() if name != "oracle"]
    if oracle is not None and any(item.total_return >= oracle.total_return for item in rest):
        found.append("ENGINE FAULT: somebody beat the oracle, who knows tomorrow. Do not believe this page.")
    if "sixty_forty" not in board.paths:
        found.append("No bond is in this data set, so there is no 60/40 to compare with.")
    known = "is in" if board.is_registered else "is not in"
    found.append(f"Configuration {board.trial} {known} the register of trials (evals/trials.jsonl).")
    return tuple(found)
