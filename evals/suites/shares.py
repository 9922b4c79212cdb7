"""Counts as figures: a share of so many, with the interval that so many allow."""

from ...quant.side_record import wilson_interval
from ..harness.task import Figure


def share(name: str, count: int, of: int, note: str = "") -> Figure:
    """`count` of `of` as a fraction with Wilson's 95 % interval; no value where there was nothing to count."""
    if of == 0:
        return Figure(name, None, "frac", n=0, note=note or "nothing was counted")
    low, high = wilson_interval(count, of)
    return Figure(name, count / of, "frac", low, high, of, note)
