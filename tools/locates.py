"""Shares that can be borrowed for short sales, as the gate is told and a book is built by."""

import numpy as np

from ..gate.state import Borrow
from .scene import FloatArray, Scene

LOCATED_FRAC = 0.01
"""Assumed: a hundredth of a day's volume can be borrowed at once, a careful part for large stocks."""


def located(scene: Scene, rate_frac: float) -> dict[str, Borrow]:
    """What may be borrowed of each name: a part of its usual volume; where none is recorded, nobody can say."""
    volumes = scene.daily_volume
    return {name: Borrow(int(LOCATED_FRAC * volume), rate_frac) for name, volume in volumes.items() if volume == volume}


def most_short(scene: Scene) -> FloatArray:
    """(n_names,) the largest short weight of each tradable name that located shares allow; zero where none are."""
    shares = located(scene, 0.0)
    values = [shares[name].shortable * scene.prices[name] if name in shares else 0 for name in scene.symbols]
    return np.array([float(value / scene.equity) for value in values])
