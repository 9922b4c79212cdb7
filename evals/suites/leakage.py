"""The suite `leakage`: probes of the desk as it is, at several cuts; planted bugs; worlds where nothing is known."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ...desk.settings import Settings
from ...market.cards import DataSet
from ...market.datasets import load_data
from ...market.errors import NoSessions
from ...market.history import History
from ...market.store import book_store
from ...quant.errors import SampleError
from ...tools.errors import NotEnoughData
from ..harness.options import SuiteOptions
from ..harness.task import Outcome, Sample, Scored, Summary

if TYPE_CHECKING:
    from ..leakage.finding import Finding

SPREAD = (0.3, 1.0)
"""Where the cuts lie in what can be cut: from a third of the way to its end."""
LEAST_BEFORE, LEAST_AFTER = 260, 8
"""Sessions that a decision needs behind the days that are played, and that a future needs after the cut."""


@dataclass(frozen=True)
class Leakage:
    """Every probe at each cut of a data set, every plant at the last one, and pairs of random worlds."""

    data: str
    start: str | None
    end: str | None
    cuts: int
    worlds: int
    world_days: int
    seed: int
    model: str = "rules"
    """Whose training window the data set's card is held against; the probes themselves ask the rules."""
    book: Path = Path("book")
    settings: Settings = field(default_factory=Settings)
    name: str = "leakage"

    def samples(self) -> Sequence[Sample]:
        from ..leakage.plants import PLANTS, PROBES

        days = [day.isoformat() for day in cuts_of(self._data().history(), self.start, self.end, self.cuts)]
        tried = [Sample(f"{probe}.{day}", {"probe": probe, "cut": day}) for day in days for probe in PROBES]
        planted = [
            Sample(f"planted.{plant}", {"plant": plant, "cut": days[-1]}, metadata={"text": PLANTS[plant].text})
            for plant in PLANTS
        ]
        worlds = [Sample(f"world.{place:03d}", {"world": self.seed + place}) for place in range(self.worlds)]
        return [*tried, *planted, *worlds]

    def run(self, sample: Sample, epoch: int) -> Outcome:
        if "world" in sample.input:
            return self._walked(int(str(sample.input["world"])) + epoch * self.worlds)
        try:
            return self._probed(sample) if "probe" in sample.input else self._planted(sample)
        except (NotEnoughData, SampleError) as error:
            return Outcome({"looked_at": 0.0}, None, f"not tested: {error.message}")

    def summarize(self, scored: Sequence[Scored]) -> Summary:
        from ..leakage.scoreboard import summary_of

        return summary_of(scored, self._data(), self.model)

    def fingerprints(self) -> Mapping[str, str]:
        return {self.data: self._data().panel.fingerprint()}

    def _probed(self, sample: Sample) -> Outcome:
        from ..leakage.finding import ground
        from ..leakage.plants import PROBES
        from ..leakage.playing import Rig

        here = ground(self._data(), date.fromisoformat(str(sample.input["cut"])))
        found = PROBES[str(sample.input["probe"])](here, Rig(settings=self.settings))
        return _outcome(found, passed=found.is_clean)

    def _planted(self, sample: Sample) -> Outcome:
        from ..leakage.finding import ground
        from ..leakage.plants import PLANTS

        plant = PLANTS[str(sample.input["plant"])]
        here = ground(self._data(), date.fromisoformat(str(sample.input["cut"])))
        # A probe that finds the same fault without the plant has not found the plant.
        honest = plant.search(here, replace(plant.rig, **UNPLANTED)) if plant.probe is None else None
        found = plant.search(here, plant.rig)
        is_caught = not found.is_clean and (honest is None or honest.is_clean)
        return _outcome(found, passed=is_caught, otherwise=f"not caught: {plant.text}")

    def _walked(self, seed: int) -> Outcome:
        from ..leakage.random_walks import walk

        walked = walk(seed, self.world_days)
        return Outcome(
            {
                "return": walked.profit,
                "costs": walked.costs,
                "return_before_costs": walked.before_costs,
                "fills": float(walked.fills),
            }
        )

    def _data(self) -> DataSet:
        return _loaded(self.data, self.book)


UNPLANTED: Mapping[str, None] = dict.fromkeys(("views_of", "data_of", "ports_of", "venue_of", "recall_of", "around"))
"""A rig with nothing planted in it."""


def build(options: SuiteOptions) -> Leakage:
    """The suite's file says how many cuts and worlds where the options leave them open; --seeds are worlds."""
    task = Leakage(
        data=options.data or str(options.parameters["data"]),
        start=options.start,
        end=options.end,
        cuts=options.count("cuts"),
        worlds=options.count("worlds") if options.seeds is None else options.seeds,
        world_days=options.count("world_days"),
        seed=options.seed or 0,
        model=options.model or "rules",
        book=options.book,
        settings=options.settings,
    )
    _loaded(task.data, task.book).history().require_daily("what the desk could not have known")
    return task


def cuts_of(history: History, start: str | None, end: str | None, count: int) -> list[date]:
    """So many closes, evenly spaced over the later two thirds of the span; raises NoSessions where none can be cut."""
    every = history.sessions_between()
    first, last = (None if text is None else date.fromisoformat(text) for text in (start, end))
    asked = history.sessions_between(first, last)
    able = [day for day in asked if LEAST_BEFORE <= every.index(day) < len(every) - LEAST_AFTER]
    if not able:
        raise NoSessions(
            f"{len(asked)} sessions of {history.card.name} were asked for, and none has {LEAST_BEFORE} before it and "
            f"{LEAST_AFTER} after it",
            remedy="Give a longer data set, or leave --start and --end out.",
        )
    low = SPREAD[0] if first is None else 0.0
    places = np.unique(np.linspace(low, SPREAD[1], count) * (len(able) - 1)).astype(int)
    return [able[place] for place in places.tolist()]


def _outcome(found: "Finding", *, passed: bool, otherwise: str = "") -> Outcome:
    reason = "" if passed else otherwise or found.text
    return Outcome({"looked_at": float(found.looked_at)}, passed, reason, transcript={"found": found.text})


@cache
def _loaded(data: str, book: Path) -> DataSet:
    """Once a process: every probe reads the same."""
    return load_data(data, book_store(book))
