"""The suite `ablation`: a sample is an arm over a window of recorded days; what is each agent and each switch worth?"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from ...desk.settings import Settings
from ...gate.limits import Limits, load_limits
from ...market.cards import DataSet
from ...market.datasets import load_data
from ...market.store import book_store
from ...quant.performance import is_distinguishable_from_luck, summarize
from ..arms.models import cost_usd
from ..arms.playing import Ground, Played, played
from ..arms.table import FULL, NO_LLM, find_arm
from ..arms.transcript import written
from ..harness.options import SuiteOptions
from ..harness.task import Outcome, Sample, Scored, Summary

if TYPE_CHECKING:
    from .ablation_paths import Pricing

DEFAULT_DATA = "us20"


@dataclass(frozen=True)
class Ablation:
    """The same days by every arm, from an all-cash book each, with the same seed, or the epoch's place beyond it."""

    data: str
    start: str | None
    end: str | None
    model: str
    seed: int
    arms: tuple[str, ...]
    windows: int
    prompt_usd: float
    """Stated price of a million prompt tokens: no provider's, and what the calls of any model are valued at."""
    completion_usd: float
    book: Path = Path("book")
    settings: Settings = field(default_factory=Settings)
    limits: Limits = field(default_factory=load_limits)
    name: str = "ablation"

    def samples(self) -> Sequence[Sample]:
        spans = windows_of(self._data(), self.start, self.end, self.windows)
        return [
            Sample(
                id=arm if len(spans) == 1 else f"{arm}.{first}",
                input={"arm": arm, "first": first.isoformat(), "last": last.isoformat()},
                metadata={"changes": find_arm(arm).changes},
            )
            for first, last in spans
            for arm in self.arms
        ]

    def run(self, sample: Sample, epoch: int) -> Outcome:
        data, arm = self._data(), find_arm(str(sample.input["arm"]))
        first, last = (date.fromisoformat(str(sample.input[end])) for end in ("first", "last"))
        ground = Ground(data, self.settings, self.limits, self.model, self.seed + epoch)
        run = played(arm, ground, data.history().sessions_between(first, last))
        return Outcome(
            scores=_scores(run),
            transcript=written(run, data.panel.symbols),
            calls=run.calls,
            tokens=run.prompt_tokens + run.completion_tokens,
            cost_usd=cost_usd(
                NO_LLM if arm.is_no_llm else self.model, self.settings.llm, run.prompt_tokens, run.completion_tokens
            ),
        )

    def summarize(self, scored: Sequence[Scored]) -> Summary:
        # Here, because it brings the bootstrap, which the workers that play have no use for.
        from .ablation_summary import summary_of

        return summary_of(self, scored)

    def fingerprints(self) -> Mapping[str, str]:
        return {self.data: self._data().panel.fingerprint()}

    def pricing(self) -> "Pricing":
        from .ablation_paths import Pricing

        return Pricing(self.prompt_usd, self.completion_usd, float(self.settings.cash))

    def dataset(self) -> DataSet:
        """What the arms were played on."""
        return self._data()

    def _data(self) -> DataSet:
        return _loaded(self.data, self.book)


def build(options: SuiteOptions) -> Ablation:
    """The suite's file says which arms, days and prices where the options leave them open."""
    given = options.parameters
    is_default = options.data in (None, given["data"])
    arms = options.arms or tuple(map(str, _listed(given.get("arms"))))
    names = tuple(dict.fromkeys((FULL, NO_LLM, *(find_arm(arm).name for arm in arms))))
    return Ablation(
        data=options.data or str(given["data"]),
        start=options.start or (str(given["start"]) if is_default else None),
        end=options.end or (str(given["end"]) if is_default else None),
        model=options.model or str(given["model"]),
        seed=options.count("seed"),
        arms=names,
        windows=options.count("windows"),
        prompt_usd=_price(given, "prompt_usd"),
        completion_usd=_price(given, "completion_usd"),
        book=options.book,
        settings=options.settings,
        limits=options.limits,
    )


def windows_of(data: DataSet, start: str | None, end: str | None, windows: int) -> list[tuple[date, date]]:
    """So many stretches of equally many sessions, first and last day of each; the last one has what is left over.

    Earlier prices that only stand in front of the data set's own are history, and no session of it.
    """
    first_day = data.joined_at if start is None else date.fromisoformat(start)
    sessions = data.history().sessions_between(first_day, None if end is None else date.fromisoformat(end))
    size = max(len(sessions) // windows, 1)
    firsts = range(0, size * windows, size)
    ends = [*(first + size - 1 for first in firsts[:-1]), len(sessions) - 1]
    return [(sessions[first], sessions[last]) for first, last in zip(firsts, ends, strict=True)]


def _scores(run: Played) -> Mapping[str, float | None]:
    found = summarize(run.equity)
    return {
        "annual_return": found.annual_return,
        "sharpe": found.sharpe,
        "max_drawdown": found.max_drawdown,
        "traded_over_equity": run.traded / float(run.equity.mean()),
        "costs_bps": 1e4 * run.costs / run.traded if run.traded else 0.0,
        "legs": float(sum(map(len, run.legs))),
        "vetoes": float(run.vetoed),
        "abstentions": float(run.abstentions),
        "decisions_it_could_change": float(run.reached),
        "long_enough": float(is_distinguishable_from_luck(len(run.sessions))),
    }


def _listed(value: object) -> Sequence[object]:
    from ..errors import SuiteInvalid

    if not isinstance(value, list):
        raise SuiteInvalid("parameter 'arms' is no list of arms", remedy='Write `arms = ["full", "rules"]`.')
    return value


def _price(given: Mapping[str, object], name: str) -> float:
    from ..errors import SuiteInvalid

    value = given.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
        raise SuiteInvalid(f"parameter {name!r} is {value!r}, expected a price", remedy=f"Write `{name} = 1.0`.")
    return float(value)


@cache
def _loaded(name: str, book: Path) -> DataSet:
    return load_data(name, book_store(book))
