"""What was said of instruments, and what came of it: signals by their side's return against the average name's.

A signal is judged as votes are (`agents/track_record.py`): from the close after its decision, when it could first be
traded, over HORIZON_DAYS closes. It came true when its side gained on the mean of all names with both prices.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np

from ...agents.track_record import Judge, Prices
from ...domain.decisions import Decision
from ...domain.views import Agent, Signal, Stance
from ...market.cards import DataSet
from ...memory.agent_scores import CastVote
from ...quant.arrays import FloatArray
from ...quant.calibration import HORIZON_DAYS

ANALYST_SIGNALS = "analyst's signals"
SIGNS = {Stance.BUY: 1.0, Stance.SELL: -1.0}


@dataclass(frozen=True, slots=True)
class Call:
    """One stated probability and what came of it."""

    day: date
    who: str
    source: str
    """Whose score moved a signal most; empty for votes."""
    regime: str
    said: float
    came_true: bool
    gain: float
    """Return beyond the average name's, on the side that was taken."""


@dataclass(frozen=True, slots=True)
class VarDay:
    """What the book held at a close lost to the next, and what its value at risk was said to be, by three models.

    Fractions of equity; a gain is a loss below zero. `filtered` is None where the desk does not know it.
    """

    day: date
    loss: float
    historical: float
    filtered: float | None
    parametric: float


def var_days(decisions: Sequence[Decision], data: DataSet) -> Iterator[VarDay]:
    """Every day with a book at its close and a price of all it held at the next decision's."""
    close = data.panel.close
    rows = data.history().rows_of([decision.snapshot.session for decision in decisions]).tolist()
    columns = {symbol: place for place, symbol in enumerate(data.panel.symbols)}
    for decision, row, following in zip(decisions, rows, rows[1:], strict=False):
        targets, assessment = decision.targets, decision.assessment
        held = {} if targets is None else {symbol: weight for symbol, weight in targets.held.items() if weight}
        places = [columns[symbol] for symbol in held]
        moves = close[following, places] / close[row, places] - 1.0
        if assessment is not None and held and np.isfinite(moves).all():
            said, loss = assessment.metrics, -float(np.array(list(held.values())) @ moves)
            yield VarDay(
                decision.snapshot.session, loss, said.var_99_historical, said.var_99_filtered, said.var_99_parametric
            )


def moves_beyond(close: FloatArray, rows: Sequence[int], span: int) -> FloatArray:
    """(n_rows, n_names) return from the close after each row over `span` closes, beyond the mean name with both prices.

    NaN where a price is missing or the span has not passed.
    """
    found = np.full((len(rows), close.shape[1]), np.nan)
    first = np.asarray(rows, dtype=np.int64) + 1
    known = first + span < len(close)
    moves = close[first[known] + span] / close[first[known]] - 1.0
    counts = np.isfinite(moves).sum(axis=1, keepdims=True)
    means = np.nansum(moves, axis=1, keepdims=True) / np.maximum(counts, 1)
    found[known] = moves - means
    return found


def judged_signals(decisions: Sequence[Decision], data: DataSet) -> Iterator[Call]:
    """Every signal with a side whose horizon the data set still reaches."""
    rows = data.history().rows_of([decision.snapshot.session for decision in decisions]).tolist()
    beyond = moves_beyond(data.panel.close, rows, HORIZON_DAYS)
    columns = {symbol: place for place, symbol in enumerate(data.panel.symbols)}
    for decision, moves in zip(decisions, beyond, strict=True):
        for signal in decision.signals:
            sign, move = SIGNS.get(signal.side), float(moves[columns[signal.symbol]])
            if sign is not None and np.isfinite(move):
                yield Call(
                    day=decision.snapshot.session,
                    who=ANALYST_SIGNALS,
                    source=_leading(signal),
                    regime=signal.regime.value,
                    said=signal.confidence / 100,
                    came_true=sign * move > 0.0,
                    gain=sign * move,
                )


def judged_votes(decisions: Sequence[Decision], votes: Sequence[CastVote], data: DataSet) -> Iterator[Call]:
    """Every vote with an opinion; `said` is the probability that it gave the leg to be right."""
    history, panel = data.history(), data.panel
    judge = Judge(lambda moment: len(history.as_of(moment).close) - 1)
    known = {item.decision_id: item for item in decisions}
    for decided in judge.judged(votes, Prices(panel.symbols, panel.close, panel.close_times)):
        decision = known[decided.decision_id]
        for vote in decided.votes:
            agent = Agent(vote.cast.vote.agent).value
            session, regime = decision.snapshot.session, decision.regime.value
            gain = vote.gain * (vote.cast.vote.value or 0)
            yield Call(session, agent, "", regime, vote.probability, vote.leg_was_right, gain)


def source_calls(decisions: Sequence[Decision], data: DataSet) -> Mapping[str, tuple[int, int]]:
    """By source, how many of its scores had a sign and an outcome, and how many signs came true."""
    rows = data.history().rows_of([decision.snapshot.session for decision in decisions]).tolist()
    beyond = moves_beyond(data.panel.close, rows, HORIZON_DAYS)
    columns = {symbol: place for place, symbol in enumerate(data.panel.symbols)}
    counts: dict[str, tuple[int, int]] = {}
    for decision, moves in zip(decisions, beyond, strict=True):
        for view in decision.views:
            for symbol, score in view.scores.items():
                move = float(moves[columns[symbol]])
                if score and np.isfinite(move):
                    n, right = counts.get(view.name or view.source.value, (0, 0))
                    counts[view.name or view.source.value] = n + 1, right + (score * move > 0.0)
    return dict(sorted(counts.items()))


def _leading(signal: Signal) -> str:
    """The source with the largest share of the score; of equals, the first by name."""
    shares = sorted(signal.attribution.items(), key=lambda item: (-item[1], item[0].value))
    return shares[0][0].value if shares else "none"
