"""The suite `days`: the desk over recorded market days, against everybody who could have been there."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, cast

import numpy as np
from pydantic import JsonValue

from ...agents.llm.rules import RulesModel
from ...desk.settings import Settings
from ...domain.sessions import day_of, session_of, session_text
from ...gate.limits import Limits
from ...market.cards import DataSet
from ...market.datasets import load_to_decide
from ...market.shared_sets import bill_returns
from ...market.store import book_store
from ..arms.models import model_label, model_named
from ..arms.recording import RECORDED, recording_of
from ..errors import TrialsInvalid
from ..harness.options import SuiteOptions
from ..harness.task import DatasetCard, Outcome, Sample, Scored, Summary
from ..kept_returns import KeptReturns, keep_returns
from ..leakage.model_window import model_window
from ..scoreboard.audit import cost_faults, silent_failures
from ..scoreboard.board import DESK, Board, RivalPath
from ..scoreboard.day_path import DayPath, day_rows, path_from_plain
from ..scoreboard.random_agents import RandomPaths, flows_of, random_agents
from ..scoreboard.replay import decidable, played
from ..scoreboard.rivals import RULES, ground_of, rivals
from ..scoreboard.told import figures, notes
from ..scoreboard.told_charts import charts
from ..scoreboard.told_tables import tables
from ..trials import Trial, counted, read_register, trial_id, trial_line

RIVALS, RULES_ARM = "rivals", "rules"
USUAL_WHY = "looked at with parley eval run days"
NO_MODEL = "no language model took part, so nothing could have been memorised"


@dataclass(frozen=True)
class DaysTask:
    """One configuration on one span of one data set. The desk's whole path is one sample, from its first day on.

    Cutting the span into windows would be faster and would forget the peak of equity, from which the policy's throttle
    and the drawdown are counted; so it is not cut.
    """

    data: str
    start: date | None
    end: date | None
    model: str
    seed: int
    agents: int
    settings: Settings
    limits: Limits
    book: Path

    @property
    def name(self) -> str:
        return "days"

    def samples(self) -> Sequence[Sample]:
        asked: dict[str, JsonValue] = {
            "data": self.data,
            "start": None if self.start is None else session_text(self.start),
            "end": None if self.end is None else session_text(self.end),
            "settings": self.settings.hash(),
            "limits": self.limits.hash(),
        }
        mine = Sample(DESK, asked | {"model": self.model, "seed": self.seed})
        found = [mine, Sample(RIVALS, asked)]
        if self.model != RulesModel.name:
            found.insert(1, Sample(RULES_ARM, asked | {"model": RulesModel.name, "seed": self.seed}))
        return found

    def run(self, sample: Sample, epoch: int) -> Outcome:
        name, data = self._loaded()
        sessions = decidable(data, self.start, self.end)
        if sample.id == RIVALS:
            return self._rivals(data, sessions)
        model = str(sample.input["model"])
        path = played(name, data, sessions, model, self.seed + epoch, self.settings, self.limits)
        return outcome_of(path, self._stated_fee_bps(data))

    def summarize(self, scored: Sequence[Scored]) -> Summary:
        _, data = self._loaded()
        by_id = _by_id(scored)
        if DESK not in by_id or RIVALS not in by_id:
            missing = ", ".join(name for name in (DESK, RIVALS) if name not in by_id)
            lines = (f"Nothing to compare: {missing} did not come to an end.",)
            return Summary((), notes=lines, cards=(self._card(data),))
        board = self._board(data, by_id)
        lines = notes(board, data.card.survivorship)
        if not board.is_registered:
            lines = (
                *lines,
                f"Add it with `parley eval register days`, or this line: {trial_line(self._trial(board, USUAL_WHY))}",
            )
        return Summary(figures(board), tables(board), charts(board), lines, (self._card(data),))

    def keep(self, scored: Sequence[Scored]) -> None:
        """The desk's daily returns, under the trial's id; nothing of half an evaluation."""
        by_id = _by_id(scored)
        if {DESK, RIVALS} <= by_id.keys():
            name, series = self._loaded()[1].card.name, by_id[DESK]["series"]
            days = np.array(series["days"], dtype="datetime64[D]")
            keep_returns(self.book, KeptReturns(self._trial_id(by_id), name, days, np.array(series["returns"])))

    def fingerprints(self) -> Mapping[str, str]:
        name, data = self._loaded()
        found = {name: data.panel.fingerprint()}
        return found | {"replies": recording_of(self.model).hash()} if self.model.startswith(RECORDED) else found

    def trial_in(self, scored: Sequence[Scored], why: str) -> Trial:
        """This configuration, with what its outcomes came to, as the register keeps it."""
        transcripts = _by_id(scored)
        if not {DESK, RIVALS} <= transcripts.keys():
            raise TrialsInvalid(
                "the evaluation did not come to its end", remedy="Go on with `parley eval run --resume`."
            )
        return self._trial(self._board(self._loaded()[1], transcripts), why)

    def _trial(self, board: Board, why: str) -> Trial:
        ratio = board.judged[DESK].ratio
        return Trial(
            id=board.trial,
            data=board.name,
            first=board.days[0],
            last=board.days[-1],
            model=model_label(self.model),
            sharpe=None if ratio is None else round(ratio.value, 4),
            why=why,
        )

    def _loaded(self) -> tuple[str, DataSet]:
        return load_to_decide(self.data, None, book_store(self.book))

    def _stated_fee_bps(self, data: DataSet) -> float | None:
        """What the paper venue charges on traded value; None at venues that have a schedule of their own."""
        is_paper = self.settings.venue.kind == "paper" or (
            self.settings.venue.kind == "usual" and data.recordings is None
        )
        return self.settings.costs.fee_bps if is_paper else None

    def _rivals(self, data: DataSet, sessions: Sequence[date]) -> Outcome:
        costs = self.settings.costs
        cost_frac = (costs.half_spread_bps + costs.fee_bps) / 1e4
        found = rivals(data, sessions, float(self.settings.cash), cost_frac)
        days = [session_text(session) for session in sessions]
        kept: dict[str, JsonValue] = {
            name: {"equity": item.equity.tolist(), "traded": item.traded, "costs": item.costs}
            for name, item in found.items()
        }
        first = found["equal_weight"].equity if "equal_weight" in found else found["cash"].equity
        scores = {name: float(item.equity[-1] / item.equity[0] - 1.0) for name, item in found.items()}
        return Outcome(scores, transcript={"series": _series(days, first), "rivals": kept})

    def _board(self, data: DataSet, by_id: Mapping[str, Mapping[str, Any]]) -> Board:
        desk = path_from_plain(by_id[DESK]["path"])
        others = {
            name: RivalPath(np.array(item["equity"]), item["traded"], item["costs"])
            for name in RULES
            if (item := by_id[RIVALS]["rivals"].get(name)) is not None
        }
        if RULES_ARM in by_id:
            rules = path_from_plain(by_id[RULES_ARM]["path"])
            others[RULES_ARM] = RivalPath(rules.equity, float(rules.traded.sum()), float(rules.costs.sum()))
        register = read_register()
        ends = [desk.days[row][:10] for row in day_rows(desk.days)]
        trial = self._trial_id(by_id)
        is_registered = any(item.id == trial for item in register.trials)
        return Board(
            name=data.card.name,
            model=model_label(self.model),
            desk=desk,
            others=others,
            randoms=self._randoms(data, desk),
            bills=bill_returns(np.array(ends[1:], dtype="datetime64[D]")),
            trials=counted(register, 0 if is_registered else 1),
            trial=trial,
            is_registered=is_registered,
        )

    def _trial_id(self, by_id: Mapping[str, Mapping[str, Any]]) -> str:
        days = [day[:10] for day in by_id[DESK]["path"]["days"]]
        model, name = model_label(self.model), self._loaded()[1].card.name
        return trial_id(self.settings.hash(), self.limits.hash(), model, name, days[0], days[-1])

    def _randoms(self, data: DataSet, desk: DayPath) -> RandomPaths | None:
        sessions = decidable(data, self.start, self.end)
        closes = ground_of(data, sessions).closes
        if closes.shape[1] < 2 or not desk.traded.any():
            return None
        return random_agents(closes, flows_of(desk), np.random.default_rng(self.seed), self.agents)

    def _card(self, data: DataSet) -> DatasetCard:
        card = data.card
        days = decidable(data, self.start, self.end)
        return DatasetCard(
            name=card.name,
            source=card.source,
            licence=card.license,
            first=card.first_session.isoformat(),
            last=card.last_session.isoformat(),
            fingerprint=data.panel.fingerprint(),
            model_window=NO_MODEL
            if self.model == RulesModel.name
            else model_window(model_label(self.model), day_of(days[0]), day_of(days[-1])),
            notes=(card.survivorship, *card.notes),
        )


def _by_id(scored: Sequence[Scored]) -> dict[str, Mapping[str, Any]]:
    """The transcripts of the first epoch: further ones are the same configuration once more."""
    return {item.sample.id: cast("Mapping[str, Any]", item.outcome.transcript) for item in scored if item.epoch == 0}


def build(options: SuiteOptions) -> DaysTask:
    """The task of these options; an unknown data set, an empty span and an unpriced model are refused here.

    A recording brings its own data, days and seed, and is only asked what it was asked.
    """
    parameters = options.parameters
    model = options.model or options.settings.llm.model or RulesModel.name
    data, start, end, seed = str(parameters["data"]), None, None, int(str(parameters["seed"]))
    if model.startswith(RECORDED):
        recording = recording_of(model)
        recording.require(options.settings, options.limits)
        data, start, end, seed = recording.data, recording.first, recording.last, recording.seed
    model_named(model, options.settings.llm, seed)
    task = DaysTask(
        data=options.data or data,
        start=start if options.start is None else session_of(options.start),
        end=end if options.end is None else session_of(options.end),
        model=model,
        seed=seed if options.seed is None else options.seed,
        agents=options.count("agents"),
        settings=options.settings,
        limits=options.limits,
        book=options.book,
    )
    decidable(task._loaded()[1], task.start, task.end)
    return task


def outcome_of(path: DayPath, stated_fee_bps: float | None) -> Outcome:
    """What a played path comes to; it does not pass where its costs or its model's answers cannot be right."""
    rows = day_rows(path.days)
    equity, counts = path.equity[rows], path.counts
    faults = [*silent_failures(counts), *cost_faults(path, stated_fee_bps)]
    return Outcome(
        scores={
            "total_return": float(equity[-1] / equity[0] - 1.0),
            "decisions": counts.get("decisions", 0),
            "fills": counts.get("fills", 0),
            "failed_answers": counts.get("failed_answers", 0),
        },
        passed=not faults,
        reason="; ".join(faults),
        transcript={"series": _series([path.days[row][:10] for row in rows], equity), "path": path.plain()},
        calls=counts.get("llm_calls", 0),
        tokens=counts.get("prompt_tokens", 0),
    )


def _series(days: Sequence[str], equity: Any) -> dict[str, JsonValue]:
    """Simple daily returns with the day of each, as comparisons of two evaluations pair them."""
    return {"days": list(days[1:]), "returns": (equity[1:] / equity[:-1] - 1.0).tolist()}
