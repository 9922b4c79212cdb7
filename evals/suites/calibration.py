"""The suite `calibration`: a sample is a window of recorded days; was what the agents said as likely as they said?"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from pathlib import Path

from pydantic import JsonValue

from ...desk.settings import Settings
from ...gate.limits import Limits, load_limits
from ...market.cards import DataSet
from ...market.datasets import load_data
from ...market.store import book_store
from ..arms.judging import Call, VarDay, judged_signals, judged_votes, source_calls, var_days
from ..arms.models import cost_usd
from ..arms.playing import Ground, Record, record
from ..arms.table import FULL, find_arm
from ..harness.options import SuiteOptions
from ..harness.task import Outcome, Sample, Scored, Summary
from .ablation import windows_of

GAIN_DIGITS = 6


@dataclass(frozen=True)
class Calibration:
    """Everything the desk said of the future over windows of days, each from an all-cash book, and what came."""

    data: str
    start: str | None
    end: str | None
    model: str
    seed: int
    windows: int
    arm: str = FULL
    book: Path = Path("book")
    settings: Settings = field(default_factory=Settings)
    limits: Limits = field(default_factory=load_limits)
    name: str = "calibration"

    def samples(self) -> Sequence[Sample]:
        return [
            Sample(str(first), {"arm": self.arm, "first": first.isoformat(), "last": last.isoformat()})
            for first, last in windows_of(self.dataset(), self.start, self.end, self.windows)
        ]

    def run(self, sample: Sample, epoch: int) -> Outcome:
        data = self.dataset()
        first, last = (date.fromisoformat(str(sample.input[end])) for end in ("first", "last"))
        ground = Ground(data, self.settings, self.limits, self.model, self.seed + epoch)
        found = record(find_arm(self.arm), ground, data.history().sessions_between(first, last))
        calls = [
            *judged_signals(found.decisions, found.data),
            *judged_votes(found.decisions, found.votes, found.data),
        ]
        days = list(var_days(found.decisions, found.data))
        read, wrote = (
            sum(getattr(node, name) for node in found.nodes) for name in ("prompt_tokens", "completion_tokens")
        )
        return Outcome(
            scores={
                "calls": float(len(calls)),
                "brier": sum((call.said - call.came_true) ** 2 for call in calls) / len(calls) if calls else None,
                "hit_rate": sum((call.said > 0.5) == call.came_true for call in calls) / len(calls) if calls else None,
                "var_exceptions": float(sum(day.loss > day.historical for day in days)),
            },
            transcript=_written(found, calls, days),
            calls=sum(node.calls for node in found.nodes),
            tokens=read + wrote,
            cost_usd=cost_usd(self.model, self.settings.llm, read, wrote),
        )

    def summarize(self, scored: Sequence[Scored]) -> Summary:
        # Here, because it brings the bootstrap, which the workers that play have no use for.
        from .calibration_summary import summary_of

        return summary_of(self, scored)

    def fingerprints(self) -> Mapping[str, str]:
        return {self.data: self.dataset().panel.fingerprint()}

    def dataset(self) -> DataSet:
        return _loaded(self.data, self.book)


def build(options: SuiteOptions) -> Calibration:
    """One arm, `full` where none is named; the suite's file says which days where the options leave them open."""
    given = options.parameters
    is_default = options.data in (None, given["data"])
    return Calibration(
        data=options.data or str(given["data"]),
        start=options.start or (str(given["start"]) if is_default else None),
        end=options.end or (str(given["end"]) if is_default else None),
        model=options.model or str(given["model"]),
        seed=options.count("seed"),
        windows=options.count("windows"),
        arm=find_arm(options.arms[0] if options.arms else FULL).name,
        book=options.book,
        settings=options.settings,
        limits=options.limits,
    )


def _written(found: Record, calls: Sequence[Call], days: Sequence[VarDay]) -> JsonValue:
    """Rows of cells: what a reader, and the scores of another day, need of every call."""
    return {
        "sessions": [decision.snapshot.session.isoformat() for decision in found.decisions],
        "calls": [
            [
                call.day.isoformat(),
                call.who,
                call.source,
                call.regime,
                call.said,
                int(call.came_true),
                round(call.gain, GAIN_DIGITS),
            ]
            for call in calls
        ],
        "sources": {name: list(counts) for name, counts in source_calls(found.decisions, found.data).items()},
        "var": [[day.day.isoformat(), day.loss, day.historical, day.filtered, day.parametric] for day in days],
    }


@cache
def _loaded(name: str, book: Path) -> DataSet:
    return load_data(name, book_store(book))
