"""Bugs that are planted to be found: each stands in one part's place, and a suite that misses one is worth nothing."""

from collections.abc import Mapping
from dataclasses import dataclass

from .books_probe import books_probe
from .clock_probe import publication_probe
from .failure_probe import failure_probe
from .finding import Probe
from .future_probe import future_probe, warmed_probe
from .futures import FUTURES
from .memory_probe import memory_probe
from .order_probe import order_probe
from .planted_parts import (
    HoldsOnFailure,
    RecallWithoutAClock,
    bars_by_their_day,
    estimators_without_a_clock,
    first_column_favoured,
    oracle_view,
    texts_by_their_week,
    venue_without_fees,
    whole_sample_view,
)
from .playing import AS_IT_IS, Rig
from .refit_probe import REFITS, full_sample_scores, refit_probe, unlagged_scores

PROBES: Mapping[str, Probe] = {
    **{f"future-{kind}": future_probe(kind) for kind in FUTURES},
    "publication": publication_probe,
    "memory": memory_probe,
    "estimators": warmed_probe,
    **{f"refit-{name}": refit_probe(path) for name, path in REFITS.items()},
    "order": order_probe,
    "books": books_probe,
    "failures": failure_probe,
}
"""What is tried on the desk as it is, at every cut."""


@dataclass(frozen=True)
class Plant:
    """A bug, and the probe that has to find it."""

    text: str
    caught_by: str
    rig: Rig = AS_IT_IS
    probe: Probe | None = None
    """Where the bug is in what is probed, and not in the desk."""

    @property
    def search(self) -> Probe:
        return self.probe or PROBES[self.caught_by]


PLANTS: Mapping[str, Plant] = {
    "oracle": Plant("a feature that is tomorrow's return", "future-permuted", Rig(views_of=oracle_view)),
    "oracle-truncated": Plant("the same, by cutting the data off", "future-truncated", Rig(views_of=oracle_view)),
    "normaliser": Plant("a feature scaled by the whole sample", "future-scaled", Rig(views_of=whole_sample_view)),
    "normaliser-path": Plant("a z-score over the whole sample", "refit", probe=refit_probe(full_sample_scores)),
    "calibration-lag": Plant("outcomes counted before they are in", "refit", probe=refit_probe(unlagged_scores)),
    "text-lag": Plant("texts joined by their week", "publication", Rig(data_of=texts_by_their_week)),
    "text-lag-run": Plant("the same, in a whole run", "future-drawn", Rig(data_of=texts_by_their_week)),
    "bar-lag": Plant("bars joined by their day", "publication", Rig(data_of=bars_by_their_day)),
    "memory": Plant("lessons recalled before their outcome", "memory", Rig(recall_of=RecallWithoutAClock)),
    "estimator": Plant("an estimate kept whatever the day", "estimators", Rig(ports_of=estimators_without_a_clock)),
    "first-column": Plant("the first column is favoured", "order", Rig(data_of=first_column_favoured)),
    "fees-off": Plant("a venue that charges no fees", "books", Rig(venue_of=venue_without_fees)),
    "silent-failure": Plant("failed calls answered with HOLD", "failures", Rig(around=HoldsOnFailure)),
}
