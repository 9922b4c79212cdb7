"""What one decision may ask of its model: six calls, and prompt tokens in proportion to the names it looks at.

Counted from what the log records, so that a replay counts the same. What calls cost in seconds and money is
bounded below the model's port, in `llm/spending.py`, where a replay need not know it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from ..domain.decisions import ModelCall
from .llm.rules import FALLBACK_MODEL

QUESTIONS = 5
"""One each to the reader of texts, the analyst, and the three agents that give an opinion."""

DEBATERS = frozenset({"bull", "bear"})
"""Where they argue, their two questions stand in the place of the analyst's one."""

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
        asked = [call for call in calls if call.model != FALLBACK_MODEL]
        repeats = len(asked) - len({call.node for call in asked})
        spent = sum(call.prompt_tokens for call in asked)
        questions = QUESTIONS + any(call.node in DEBATERS for call in asked)
        return cls(MAX_CALLS - questions - repeats, TOKENS_PER_NAME * max(n_names, LEAST_NAMES) - spent)
