"""What a signal is made of: signed parts by source that add up to its score to the last digit."""

from collections.abc import Sequence

from ..domain.views import Source, SourceView

STEPS = 1_000_000
"""Parts are whole millionths, so that they add up exactly and not but for a last bit."""


def signed_parts(symbol: str, views: Sequence[SourceView]) -> tuple[float | None, dict[Source, float]]:
    """The mean score of the views that spoke of the symbol, and how much of it comes from each source.

    A view from -1 (down) to 1 (up) contributes its score over the number of views that spoke; one that pulls the
    other way has the other sign. None and nothing where all were silent.
    """
    spoke = [view for view in views if symbol in view.scores]
    if not spoke:
        return None, {}
    steps: dict[Source, int] = {}
    for view in spoke:
        # Toward zero, so that no sum of parts leaves -1 to 1.
        steps[view.source] = steps.get(view.source, 0) + int(round(view.scores[symbol] * STEPS) / len(spoke))
    return sum(steps.values()) / STEPS, {source: part / STEPS for source, part in steps.items()}
