"""A further view of the analyst: a tool that scores instruments, and a paragraph on how to read its fact.

It costs no model call: its fact stands in the rows of the one question there is. `docs/extending.md` makes one.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from ..domain.canonical import content_hash
from ..domain.views import Source
from ..prompts.loader import Prompt
from ..tools.ledger import Ledger
from ..tools.scene import Scene

Measure = Callable[[Ledger, Scene], tuple[str, Mapping[str, float]] | None]
"""Scores from -1 (down) to 1 (up) by symbol, with the id of their evidence; None where there is nothing to say."""


@dataclass(frozen=True, slots=True)
class View:
    """One line of the table of further views.

    `name` is its node's in the graph and its fact's in the rows; its share of the attribution is its `source`'s.
    """

    name: str
    source: Source
    prompt: Prompt
    measure: Measure


def with_views(prompt: Prompt, views: Sequence[View]) -> Prompt:
    """The analyst's prompt with a paragraph for each further view: the hash says which ones, the name stays."""
    if not views:
        return prompt
    paragraphs = [f"{view.name}: {view.prompt.system}" for view in views]
    return replace(
        prompt,
        system="\n\n".join([prompt.system, "The rows also have:", *paragraphs]),
        hash=content_hash([prompt.hash, *((view.name, view.prompt.hash) for view in views)]),
    )
