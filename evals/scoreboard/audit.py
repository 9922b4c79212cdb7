"""Faults that flatter a result without being seen: trading that costs nothing, and a model that does not answer."""

from collections.abc import Mapping

from .day_path import DayPath

FEE_TOLERANCE_FRAC = 0.02
"""Fees are rounded to the cent on each fill."""
CENT = 0.01


def cost_faults(path: DayPath, stated_fee_bps: float | None) -> list[str]:
    """Whether what was paid can be what the settings state; a venue with its own schedule states nothing.

    Spread and impact must have cost something in sum: who buys and sells at the mid all day has found no market.
    """
    traded, fees, costs = (float(item.sum()) for item in (path.traded, path.fees, path.costs))
    if traded == 0.0 or stated_fee_bps is None:
        return []
    found = list[str]()
    stated = stated_fee_bps / 1e4 * traded
    if abs(fees - stated) > FEE_TOLERANCE_FRAC * stated + CENT * path.counts.get("fills", 0):
        paid_bps = 1e4 * fees / traded
        found.append(f"fees of {paid_bps:.2f} bp of traded value were paid, the settings state {stated_fee_bps:.2f}")
    if costs <= fees:
        found.append(f"spread and impact cost {costs - fees:,.2f} in all: fills at the mid or better are no market")
    return found


def silent_failures(counts: Mapping[str, int]) -> list[str]:
    """Whether a model's failures stand among its opinions."""
    failed = counts.get("failed_answers", 0)
    if not failed:
        return []
    return [f"{failed:,} answers of the model failed; each is an abstention, and none a decision to hold"]
