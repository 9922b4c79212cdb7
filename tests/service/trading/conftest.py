"""A trading period that a test lives through in its own process: killed, refused by its disk, and started again."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from parley.desk.alert_settings import AlertSettings
from parley.desk.book import open_log
from parley.desk.job_book import JobRow, open_job_book
from parley.domain.events import ChildSubmitted, Event, Payload
from parley.evals.replay import replay_run
from parley.gate import limits as limits_module
from parley.memory.verify import verify_log
from parley.service.preparing import RunRequest
from parley.service.trading.desks import DeskTerms, TradeRequest, all_terms, take_folder
from parley.service.trading.drill import RESTART_MINUTES, Drill, DrillFault
from parley.service.trading.errors import DeskUnable
from parley.service.trading.worker import Start, trade_desk

DAYS = 6
LIMITS = Path(limits_module.__file__).with_name("default_limits.toml").read_text()
MOST_LIVES = 40


class Killed(BaseException):
    """The process is gone: nothing on its way may catch this."""


def kill(fault: DrillFault) -> None:
    raise Killed


@dataclass
class Period:
    """One trading period in a book of its own, begun and gone on with in this process."""

    terms: DeskTerms
    lives: int = 0
    unable: list[DeskUnable] = field(default_factory=list[DeskUnable])
    """The ends of processes that could write nothing."""
    on_unable: Callable[[], None] = lambda: None

    def trade(self, strike: Callable[[DrillFault], None] = kill) -> None:
        """Until the last session, started again as often as it dies."""
        take_folder(self.terms)
        start = Start(None, self.terms.span[0])
        while self.lives < MOST_LIVES:
            self.lives += 1
            try:
                assert trade_desk(self.terms, start, strike) == "finished"
                return
            except Killed:
                start = Start(None, start.market, 0.0)
            except DeskUnable as error:
                self.unable.append(error)
                self.on_unable()
                start = Start(None, error.market, 0.0, 1 if error.was_able else start.refused + 1)
        raise AssertionError("it never came to its end")

    def with_faults(self, *faults: DrillFault, operator: int | None = 10, away: int = RESTART_MINUTES) -> "Period":
        return Period(replace(self.terms, drill=Drill(faults, operator, away)))

    def watched(self) -> "Period":
        """With a watch over its alerts."""
        settings = self.terms.prepared.settings.model_copy(update={"alerts": AlertSettings()})
        return Period(replace(self.terms, prepared=replace(self.terms.prepared, settings=settings)))

    @property
    def book(self) -> Path:
        return self.terms.folder.book.path

    @property
    def sessions(self) -> Sequence[date]:
        return self.terms.sessions

    def rows(self, job: str) -> list[JobRow]:
        with open_job_book(self.book, self.terms.folder.run_id, readonly=True) as jobs:
            return list(jobs.rows(job=job))

    def events(self, *kinds: type[Payload]) -> list[Event]:
        with open_log(self.terms.folder, readonly=True) as (log, _):
            return list(log.read(types=kinds))

    def payloads(self, *kinds: type[Payload]) -> list[Any]:
        return [event.decoded() for event in self.events(*kinds)]

    def children_in(self, session: date) -> list[Any]:
        return [child for child in self.children() if child.created_at.date() == session]

    def children(self) -> list[Any]:
        """All that was sent."""
        return [item.child for item in self.payloads(ChildSubmitted)]

    def is_sound(self) -> bool:
        """The log verifies, and a replay, which knows no schedule and no drill, makes every event again."""
        replayed = replay_run(self.terms.folder)
        assert replayed.identical, replayed.first_difference
        return verify_log(self.terms.folder.log_path).ok


@pytest.fixture
def period(tmp_path: Path, six_names: Path) -> Period:
    return new_period(tmp_path, six_names)


def new_period(folder: Path, data: Path, more: str = "", model: str = "rules", days: int = DAYS) -> Period:
    """Some days of six made-up names, of which nothing is traded yet; `more` is added to its settings."""
    limits = folder / "limits.toml"
    limits.write_text(LIMITS)
    config = folder / "desk.toml"
    config.write_text(f'limits_file = "{limits}"\n[policy]\nband = 0.0\n[alerts]\nwatch = "off"\n{more}')
    request = RunRequest(str(data), "2016-01-05", model=model, config=config)
    (terms,) = all_terms(TradeRequest((folder / "book",), request, "max", "health=every 15m in session"))
    return Period(replace(terms, prepared=_last(terms, days)))


def _last(terms: DeskTerms, count: int) -> Any:
    plan = terms.prepared.plan
    return replace(terms.prepared, plan=replace(plan, sessions=plan.sessions[-count:]))
