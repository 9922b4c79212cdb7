"""The suite `determinism`: a sample is a session and a model, an epoch asks again; do the legs stay what they were?"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Any

from ...gate.limits import load_limits
from ...market.cards import DataSet
from ..attacks.ground import SETTINGS, stretch
from ..determinism import FlipCount, Legs, epoch_of, flips_of, legs_of
from ..errors import SuiteInvalid
from ..harness.options import SuiteOptions
from ..harness.task import Figure, Outcome, Sample, Scored, Summary, Table
from .shares import share


@dataclass(frozen=True)
class Determinism:
    """Sessions far apart, which have little in common, by each of the models."""

    days: int
    days_apart: int
    most_days: int
    models: tuple[str, ...]
    name: str = "determinism"

    def samples(self) -> Sequence[Sample]:
        ground = _ground(self.most_days * self.days_apart)
        sessions = ground.history().sessions_between()[-self.most_days * self.days_apart :: self.days_apart]
        return [
            Sample(f"{model}.{session}", {"model": model, "session": session.isoformat()})
            for model in self.models
            for session in sessions[: self.days]
        ]

    def run(self, sample: Sample, epoch: int) -> Outcome:
        ground = _ground(self.most_days * self.days_apart)
        model = epoch_of(str(sample.input["model"]), epoch)
        session = date.fromisoformat(str(sample.input["session"]))
        legs = legs_of(ground, session, model, SETTINGS, load_limits())
        shown = {symbol: [side, size] for symbol, (side, size) in sorted(legs.items())}
        return Outcome({"legs": float(len(legs))}, transcript={"legs": dict(shown)})

    def summarize(self, scored: Sequence[Scored]) -> Summary:
        counts = self.counts(scored)
        figures = [share(f"flip_rate_{item.model}", item.flipped, item.legs) for item in counts]
        figures += [Figure(f"other_sizes_{item.model}", item.other_sizes, "count", n=item.legs) for item in counts]
        rows = [(item.model, item.decisions, item.epochs, item.legs, item.flipped, item.other_sizes) for item in counts]
        header = ("model", "decisions", "epochs", "legs", "flipped", "other size")
        note = "A leg flips when its side, or whether it is traded at all, is not the same in every epoch."
        return Summary(tuple(figures), (Table("By model", header, ("", *["count"] * 5), tuple(rows)),), notes=(note,))

    def counts(self, scored: Sequence[Scored]) -> list[FlipCount]:
        """Of each model, over the sessions that were asked in more than one epoch or in one."""
        found: list[FlipCount] = []
        for model in self.models:
            decisions: dict[str, list[Mapping[str, Legs]]] = {}
            for item in scored:
                if item.sample.input["model"] == model:
                    legs: Any = item.outcome.transcript
                    said = {symbol: (leg[0], leg[1]) for symbol, leg in legs["legs"].items()}
                    decisions.setdefault(item.sample.id, []).append(said)
            found.append(flips_of(model, list(decisions.values())))
        return found


def build(options: SuiteOptions) -> Determinism:
    models = options.parameters.get("models")
    if not isinstance(models, list) or not models:
        raise SuiteInvalid("parameter 'models' is no list of models", remedy='Write `models = ["rules"]`.')
    most = options.parameters.get("cases")
    most_days = most if isinstance(most, int) else options.count("cases")
    return Determinism(
        min(options.count("cases"), most_days), options.count("days_apart"), most_days, tuple(map(str, models))
    )


@cache
def _ground(days: int) -> DataSet:
    return stretch(days)
