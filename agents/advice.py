"""What agents may change beside their vote: each has a remit, and none can make a leg that adds risk larger.

Risk may cap such a leg at a share of its size; the optimizer may leave a small one for another day. The execution
agent chooses among the ways that the tools offer (`opinions.choices`). Whoever takes risk off is not held up.
"""

from collections.abc import Iterable, Mapping

from ..domain.views import Advice, Consensus, Vote
from .opinions import LegFigures

CAPS: Mapping[Advice, float] = {Advice.TRIM: 0.75, Advice.HALVE: 0.5}
RULE = "advice"
"""What a leg's size is settled by where an agent asked for less than the votes left of it."""
MAX_POSTPONED_WEIGHT = 0.02
"""Of equity: a leg that moves more than this is traded when it is due."""


def advised(consensus: Consensus, legs: Iterable[LegFigures], votes: Iterable[Vote]) -> Consensus:
    """The consensus with what was advised of its legs: the smaller of the two sizes holds."""
    asked = [(vote.symbol, vote.advice) for vote in votes if vote.advice is not None]
    sizes = {
        item.leg.symbol: min((_size(item, advice) for name, advice in asked if name == item.leg.symbol), default=1.0)
        for item in legs
    }
    settled = tuple(
        leg.model_copy(update={"size_multiplier": sizes[leg.symbol], "rule": RULE})
        if sizes[leg.symbol] < leg.size_multiplier
        else leg
        for leg in consensus.legs
    )
    return consensus.model_copy(update={"legs": settled})


def _size(figures: LegFigures, advice: Advice) -> float:
    if not figures.adds_risk:
        return 1.0
    if advice is Advice.POSTPONE:
        return 0.0 if abs(figures.weight_after - figures.weight_held) <= MAX_POSTPONED_WEIGHT else 1.0
    return CAPS[advice]
