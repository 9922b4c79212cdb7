"""What one decision may spend on its model: six calls, and prompt tokens in proportion to the names it looks at."""

from collections.abc import Sequence
from dataclasses import dataclass

from ..domain.decisions import ModelCall

QUESTIONS = 5
"""One each to the reader of texts, the analyst, and the three agents that give an opinion."""

MAX_CALLS = 6
"""So one question of a decision may be put a second time."""

TOKENS_PER_NAME = 800
LEAST_NAMES = 10
"""8,000 prompt tokens cover ten names; a smaller universe has as many texts to read."""


@dataclass(frozen=True, slots=True)
class Budget:
    """What is left: `repairs` second tries, and prompt tokens."""

    repairs: int
    prompt_tokens: int

    @classmethod
    def left(cls, n_names: int, calls: Sequence[ModelCall]) -> "Budget":
        """Counted from the calls already recorded, so that a resumed pass has what the first one had."""
        repeats = len(calls) - len({call.node for call in calls})
        spent = sum(call.prompt_tokens for call in calls)
        return cls(MAX_CALLS - QUESTIONS - repeats, TOKENS_PER_NAME * max(n_names, LEAST_NAMES) - spent)
