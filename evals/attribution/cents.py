"""Parts of an amount in whole cents that still sum to it: what rounding leaves over goes where it is owed most."""

from collections.abc import Mapping
from decimal import ROUND_FLOOR, Decimal

from .errors import BookDoesNotAdd

CENT = Decimal("0.01")
TOLERANCE = Decimal("0.005")
"""Further than half a cent from the total is no rounding."""


def in_cents(parts: Mapping[str, Decimal | float], total: Decimal) -> dict[str, Decimal]:
    """Each part rounded to a cent, by largest remainder; raises BookDoesNotAdd where they do not come to the total.

    A total of a fraction of a cent is rounded too.
    """
    exact = {name: Decimal(value) for name, value in parts.items()}
    gap = abs(sum(exact.values(), Decimal(0)) - total)
    if gap > TOLERANCE:
        raise BookDoesNotAdd(
            f"the parts {', '.join(parts)} miss the total {total} by {gap:.4f}", remedy="Run `parley verify`."
        )
    down = {name: value.quantize(CENT, rounding=ROUND_FLOOR) for name, value in exact.items()}
    owed = int((total.quantize(CENT) - sum(down.values(), Decimal(0))) / CENT)
    ranked = sorted(exact, key=lambda name: (down[name] - exact[name], name))
    # More than one round only where rounding of the total itself takes it.
    for place in range(abs(owed)):
        name = ranked[place % len(ranked)] if owed > 0 else ranked[-1 - place % len(ranked)]
        down[name] += CENT if owed > 0 else -CENT
    return down
