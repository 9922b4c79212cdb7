"""What a decision taught: the setup it was made in, what was done, and what was measured once its horizon had passed.

Not one field holds free text. Ids, a symbol, moments, measured numbers and words of closed lists are all there is, so
that nothing anybody wrote (a headline, a model, an operator) can stand in a lesson; its sentence is made of them anew.
"""

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from .canonical import short_id
from .model import Model, Symbol, UtcTime
from .orders import Side
from .views import Regime, Stance

ID_PREFIX = "les"
LessonId = Annotated[str, Field(pattern=r"^les-[0-9a-f]{16}$")]
DecisionId = Annotated[str, Field(pattern=r"^dec-[0-9a-f]{1,16}$")]
PERCENT = 100.0


class Trend(StrEnum):
    UP = "UP"
    FLAT = "FLAT"
    DOWN = "DOWN"
    UNKNOWN = "UNKNOWN"


class Outlook(StrEnum):
    GAIN = "GAIN"
    NONE = "NONE"
    LOSS = "LOSS"


class Oscillator(StrEnum):
    HIGH = "HIGH"
    MIDDLE = "MIDDLE"
    LOW = "LOW"
    UNKNOWN = "UNKNOWN"


class Level(StrEnum):
    """The composite score, in five steps: a whole and half a standard score on either side."""

    STRONG = "STRONG"
    FIRM = "FIRM"
    EVEN = "EVEN"
    SOFT = "SOFT"
    WEAK = "WEAK"


class Reading(StrEnum):
    """What a source said of an instrument; SILENT where it had nothing to say."""

    GOOD = "GOOD"
    MIXED = "MIXED"
    BAD = "BAD"
    SILENT = "SILENT"


class Result(StrEnum):
    RIGHT = "RIGHT"
    WRONG = "WRONG"


class Setup(Model):
    """How an instrument stood when it was decided on: what the analyst's facts begin with, and nothing else."""

    regime: Regime
    trend: Trend
    outlook: Outlook
    oscillator: Oscillator
    level: Level
    sentiment: Reading
    flow: Reading
    macro: Reading


class Recollection(Model):
    """What a decision had of its memory: the lessons it saw by instrument, and the setups of what it traded."""

    setups: dict[Symbol, Setup]
    shown: dict[Symbol, tuple[LessonId, ...]]


class Reflection(Model):
    """One lesson: a leg that was traded, and how its instrument did from the close after it to the horizon."""

    reflection_id: LessonId
    decision_id: DecisionId
    symbol: Symbol
    decided_at: UtcTime
    available_at: UtcTime
    """When the last price that it was measured by became known: before that nobody may read it."""
    horizon_bars: int = Field(ge=1)
    setup: Setup
    action: Side
    said: Stance | None
    """The analyst's side; None where it had no view of the instrument."""
    return_frac: float
    relative_return: float
    """The return beyond that of the average name with both prices, whatever was done."""
    cost_bps: float
    """Price and fees against arrival, over what was filled; positive when it cost money."""

    @property
    def result(self) -> Result:
        """Right when the side that was taken gained on the average name."""
        return Result.RIGHT if self.action.sign * self.relative_return > 0 else Result.WRONG

    @property
    def text(self) -> str:
        """The lesson as a sentence, filled from the fields above."""
        setup, said = self.setup, self.said.value if self.said else "nothing"
        return (
            f"{self.symbol} in a {setup.regime.value} market, trend {setup.trend.value}, "
            f"outlook {setup.outlook.value}, oscillator {setup.oscillator.value}, score {setup.level.value}, "
            f"texts {setup.sentiment.value}, flow {setup.flow.value}, weather {setup.macro.value}, "
            f"analyst said {said}: {self.action.value} was {self.result.value}, {PERCENT * self.return_frac:+.2f} % in "
            f"{self.horizon_bars} bars, {PERCENT * self.relative_return:+.2f} % beside the average name, "
            f"at {self.cost_bps:.1f} basis points of cost"
        )


def lesson_id(decision_id: str, symbol: str) -> str:
    """A leg has one lesson, whenever and however often it is made."""
    return short_id(ID_PREFIX, decision_id, symbol)
