"""What the fills of a run rest on: how many at which tier of data, on recorded or on drawn paths, in words."""

from collections.abc import Collection, Iterable, Mapping

from ..domain.orders import Fill
from ..tools.attributed import TIERS, counted, made_by

ALONE = ("paper", "exchange")
"""Venues of a run without a router."""


def fill_fidelity(fills: Iterable[Fill]) -> dict[str, int]:
    """Fills by tier and kind of path, such as `T0 synthetic`."""
    return counted(made_by(fill.tier, fill.synthetic) for fill in fills)


def fills_by_venue(fills: Iterable[Fill]) -> dict[str, int]:
    """Fills by the venue that made them."""
    return counted(fill.venue for fill in fills)


def venue_text(counts: Mapping[str, int], *, is_recorded: bool) -> str:
    """`a paper venue`, or what else the fills were simulated on; of several exchanges each with its fills."""
    if len(counts) > 1:
        each = ", ".join(f"{name} {count:,}" for name, count in counts.items())
        return f"{len(counts)} {venue_kind(counts, is_recorded=is_recorded)} ({each})"
    if only := next((name for name in counts if name not in ALONE), None):
        return f"the exchange {only} behind a router"
    return venue_kind(counts, is_recorded=is_recorded)


def venue_kind(venues: Collection[str], *, is_recorded: bool) -> str:
    """The kind of venue behind fills of venues of these names, without names and figures."""
    if len(venues) > 1:
        return "exchanges behind a router"
    only = next(iter(venues), "exchange" if is_recorded else "paper")
    if only not in ALONE:
        return "an exchange behind a router"
    if only == "paper":
        return "a paper venue"
    return "an exchange that plays what was recorded" if is_recorded else "an exchange that matches by price and time"


def fidelity_text(counts: Mapping[str, int]) -> str:
    """`636 at T0 (bars) on synthetic paths`; a word for none."""
    parts: list[str] = []
    for name, count in counts.items():
        tier, kind = name.split()
        parts.append(f"{count:,} at {tier} ({TIERS[tier]}) on {kind} paths")
    return ", ".join(parts) or "none"
