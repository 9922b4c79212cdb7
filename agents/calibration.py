"""What an agent's confidence was worth: an isotonic fit of said to come true, from outcomes that were known then.

Only a vote for a leg is recalibrated, and only downward, to no less than 51 %: an objection keeps the confidence it
was given, so that learning can shrink a size and never raise one, and can re-weigh agents but not silence them.
"""

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from ..domain.views import Agent, CalibrationStep, Vote

MIN_OUTCOMES = 200
"""Judged votes of one agent before its confidence is touched: the share of 200 is known to 7 points either way."""
MIN_CONFIDENCE = 51
BINS = 10

Outcome = tuple[float, bool]
"""The probability that a vote gave its leg, and whether the leg came out right."""
Curves = Mapping[Agent, Sequence[CalibrationStep]]


@dataclass(frozen=True, slots=True)
class Reliability:
    """How well stated probabilities fit what happened; both figures are 0 at best."""

    n_outcomes: int
    brier: float
    ece: float
    """Expected calibration error over ten bins of equal width."""


def isotonic(outcomes: Iterable[Outcome]) -> tuple[CalibrationStep, ...]:
    """The non-decreasing step function of said to came true that has the least squared error.

    Source: Ayer and others (1955), Annals of Mathematical Statistics 26 (pool adjacent violators).
    """
    by_said: dict[float, list[int]] = {}
    for said, was_right in sorted(outcomes):
        counts = by_said.setdefault(said, [0, 0])
        counts[0] += was_right
        counts[1] += 1
    blocks: list[tuple[float, int, int]] = []
    for said, (right, n) in by_said.items():
        block = (said, right, n)
        while blocks and blocks[-1][1] * block[2] >= block[1] * blocks[-1][2]:
            _, earlier_right, earlier_n = blocks.pop()
            block = (said, earlier_right + block[1], earlier_n + block[2])
        blocks.append(block)
    return tuple(CalibrationStep(until=round(said, 6), share=round(right / n, 6)) for said, right, n in blocks)


def read_off(curve: Sequence[CalibrationStep], said: float) -> float:
    """What the curve makes of a stated probability; past either end the nearest step stands."""
    place = bisect_left([step.until for step in curve], round(said, 6))
    return curve[min(place, len(curve) - 1)].share


def fitted_curves(outcomes: Mapping[Agent, Sequence[Outcome]]) -> dict[Agent, tuple[CalibrationStep, ...]]:
    """A curve for each agent that has been judged often enough."""
    return {agent: isotonic(found) for agent, found in outcomes.items() if len(found) >= MIN_OUTCOMES}


def recalibrated(votes: Iterable[Vote], curves: Curves) -> tuple[Vote, ...]:
    """The votes as the consensus weighs them; what was said stays on record as it was."""
    return tuple(_lowered(vote, curves[vote.agent]) if vote.agent in curves else vote for vote in votes)


def reliability(outcomes: Sequence[Outcome]) -> Reliability | None:
    """Brier score and calibration error of stated probabilities; None without any."""
    if not outcomes:
        return None
    bins: dict[int, list[Outcome]] = {}
    for outcome in outcomes:
        bins.setdefault(min(int(outcome[0] * BINS), BINS - 1), []).append(outcome)
    gaps = [abs(sum(said - was_right for said, was_right in found)) for found in bins.values()]
    n = len(outcomes)
    return Reliability(n, sum((said - was_right) ** 2 for said, was_right in outcomes) / n, sum(gaps) / n)


def _lowered(vote: Vote, curve: Sequence[CalibrationStep]) -> Vote:
    if vote.value != 1 or vote.confidence <= MIN_CONFIDENCE:
        return vote
    worth = max(MIN_CONFIDENCE, int(100 * read_off(curve, vote.confidence / 100)))
    return vote.model_copy(update={"confidence": min(vote.confidence, worth)})
