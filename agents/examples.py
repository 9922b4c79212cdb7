"""Questions with their examples: one for every answer there is, in an order that varies with the facts.

A model leans toward the last example it reads, so no answer may always be the last; the facts decide the order,
so that the same question is the same bytes.
"""

from collections.abc import Mapping
from random import Random
from typing import TypeVar

from pydantic import BaseModel

from ..domain.canonical import content_hash
from ..prompts.loader import Prompt, load_prompt
from .ask import Question

Reply = TypeVar("Reply", bound=BaseModel)


def question(node: str, prompt: str | Prompt, facts: Mapping[str, object], reply_type: type[Reply]) -> Question[Reply]:
    """The question with its prompt's examples before the facts: what changes from call to call stands last."""
    text = load_prompt(prompt) if isinstance(prompt, str) else prompt
    return Question(node, text, with_examples(text, facts), reply_type)


def with_examples(prompt: Prompt, facts: Mapping[str, object]) -> dict[str, object]:
    if not prompt.examples:
        return dict(facts)
    examples = list(prompt.examples)
    Random(content_hash([prompt.hash, dict(facts)])).shuffle(examples)
    return {"examples": examples, **facts}
