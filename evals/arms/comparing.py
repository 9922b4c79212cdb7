"""How two arms' decisions differ: legs that flipped, and how far signals follow a change of what was put in.

The three measures of input are those of the counterfactual test in "Profit Mirage" (Li and others 2025, arXiv
2510.07920), which the paper gives in words: here they are shares of signals, by instrument and day. Under a mask that
changes names and dates alone a desk that reads its evidence has a consistency of one; where the texts are another
time's, one that reads them has not.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .transcript import SILENT, ArmPath


@dataclass(frozen=True, slots=True)
class Flips:
    """Of the legs that either arm traded, those that went another way or were traded by one alone."""

    legs: int
    flipped: int

    @property
    def rate(self) -> float:
        return self.flipped / self.legs if self.legs else 0.0


@dataclass(frozen=True, slots=True)
class InputMeasures:
    """Over the signals that both arms gave; `spoken_by_one` are those that only one did."""

    signals: int
    spoken_by_one: int
    prediction_consistency: float
    """Share with the same side."""
    confidence_invariance: float
    """One less the mean distance of the confidences, as fractions."""
    input_dependency: float
    """Share in which side or confidence moved."""


def flips(one: ArmPath, other: ArmPath) -> Flips:
    """Session by session; the two books may have grown apart, and then legs differ for that too."""
    legs = flipped = 0
    for mine, theirs in zip(one.legs, other.legs, strict=True):
        for symbol in {*mine, *theirs}:
            legs += 1
            flipped += np.sign(mine.get(symbol, 0)) != np.sign(theirs.get(symbol, 0))
    return Flips(legs, int(flipped))


def input_measures(one: Sequence[ArmPath], other: Sequence[ArmPath]) -> InputMeasures | None:
    """Two arms' signals, window by window; None where they have none in common."""
    pairs = [
        (mine, theirs)
        for first, second in zip(one, other, strict=True)
        for row, changed in zip(first.signals, second.signals, strict=True)
        for mine, theirs in zip(row, changed, strict=True)
    ]
    both = [(mine, theirs) for mine, theirs in pairs if SILENT not in (mine, theirs)]
    if not both:
        return None
    distances = [abs(int(mine[1:]) - int(theirs[1:])) / 100 for mine, theirs in both]
    return InputMeasures(
        signals=len(both),
        spoken_by_one=sum((mine == SILENT) != (theirs == SILENT) for mine, theirs in pairs),
        prediction_consistency=sum(mine[0] == theirs[0] for mine, theirs in both) / len(both),
        confidence_invariance=1.0 - sum(distances) / len(both),
        input_dependency=sum(mine != theirs for mine, theirs in both) / len(both),
    )
