"""What the fills of a run rest on: how many at which tier of data, on recorded or on drawn paths, in words."""

from collections import Counter
from collections.abc import Iterable, Mapping

from ..domain.orders import Fill

MADE_BY = {"T0": "bars", "T1": "quotes and trades", "T2": "depth"}


def fill_fidelity(fills: Iterable[Fill]) -> dict[str, int]:
    """Fills by tier and kind of path, such as `T0 synthetic`."""
    counts = Counter(f"{fill.tier} {'synthetic' if fill.synthetic else 'recorded'}" for fill in fills)
    return dict(sorted(counts.items()))


def fills_by_venue(fills: Iterable[Fill]) -> dict[str, int]:
    """Fills by the venue that made them."""
    return dict(sorted(Counter(fill.venue for fill in fills).items()))


def venue_text(counts: Mapping[str, int], *, is_recorded: bool) -> str:
    """`a paper venue`, or what else the fills were simulated on; of several exchanges each with its fills."""
    exchange = (
        "an exchange that plays what was recorded" if is_recorded else "an exchange that matches by price and time"
    )
    known = {"paper": "a paper venue", "exchange": exchange}
    if len(counts) > 1:
        each = ", ".join(f"{name} {count:,}" for name, count in counts.items())
        return f"{len(counts)} exchanges behind a router ({each})"
    only = next(iter(counts), "exchange" if is_recorded else "paper")
    return known.get(only, f"the exchange {only} behind a router")


def fidelity_text(counts: Mapping[str, int]) -> str:
    """`636 at T0 (bars) on synthetic paths`; a word for none."""
    parts: list[str] = []
    for name, count in counts.items():
        tier, kind = name.split()
        parts.append(f"{count:,} at {tier} ({MADE_BY[tier]}) on {kind} paths")
    return ", ".join(parts) or "none"
