"""What the analyst remembers at a decision: today's setups, and the lessons of setups like them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ..agents.analyst import Reasoning
from ..agents.lessons import setups_of
from ..domain.reflections import Recollection
from ..domain.views import Agent, Debate, SourceView
from ..tools.ledger import Ledger
from ..tools.lessons import Similar, similar_lessons
from .ports import Ports


@dataclass(frozen=True, slots=True)
class Remembered:
    """What there is to show, and what the decision keeps of it; `kept` is None where the desk has no memory."""

    similar: Mapping[str, Similar] = field(default_factory=dict[str, Similar])
    kept: Recollection | None = None

    def after(self, debate: Debate | None) -> Recollection | None:
        """As it goes into the decision: bull and bear argue from the day's facts, and were shown no lessons."""
        if self.kept is None or debate is None:
            return self.kept
        return self.kept.model_copy(update={"shown": {}})


def remembered(ports: Ports, ledger: Ledger, reasoning: Reasoning, views: Sequence[SourceView]) -> Remembered:
    """Nothing without a memory. Setups are kept of all that has figures; lessons are looked up for who is shown them:
    an analyst that is not switched off, and of the instruments that it is asked about."""
    if ports.recall is None:
        return Remembered()
    setups = setups_of(reasoning.regime, reasoning.scores, reasoning.indicators, views)
    asked = {} if Agent.ANALYST in ports.silent else {symbol: setups[symbol] for symbol in reasoning.scores}
    found = similar_lessons(ledger, ports.recall, reasoning.as_of, asked)
    similar = {} if found is None else found[1]
    shown = {symbol: item.ids for symbol, item in similar.items()}
    return Remembered(similar, Recollection(setups=setups, shown=shown))
