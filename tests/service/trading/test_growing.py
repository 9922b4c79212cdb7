"""A desk whose file of bars gains its sessions while it trades: begun before each bar, worked once it is there."""

import asyncio
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from parley.agents.llm.rules import RulesModel
from parley.desk.book import Book, open_log
from parley.desk.desk import build_desk, run_started
from parley.desk.errors import RunChanged, RunUnknown, SettingsInvalid
from parley.desk.operator import book_post
from parley.desk.settings import load_settings
from parley.domain.control_events import TradingStateChanged
from parley.domain.events import DecisionMade, OrderFilled, PortfolioMarked
from parley.domain.step_events import StepHeld
from parley.evals.days import RecordedDays
from parley.market.datasets import load_data
from parley.service.preparing import RunRequest
from parley.service.resuming import begun_last, request_as_begun
from parley.service.trading import desks, growing
from parley.service.trading.desks import TradeRequest, all_terms, renewed, take_folder
from parley.service.trading.errors import DesksInvalid, NoLiveData
from parley.service.trading.growing import GrowingFile
from parley.service.trading.summary import summarize
from parley.service.trading.worker import Start, trade_desk
from parley.storage.flag import FlagNote

from .conftest import LIMITS, Killed, Period

FAST = 200_000.0
SESSIONS = 4


class Source:
    """A file of bars and whoever adds to it, from a recorded one."""

    def __init__(self, folder: Path, recorded: Path) -> None:
        self.path = folder / "live.csv"
        self.rows = pd.read_csv(recorded)
        days = sorted(self.rows["date"].unique())
        self._days = days[-SESSIONS - 1 :]
        self._known = 0
        self.write()

    def write(self, rows: pd.DataFrame | None = None) -> None:
        known = self.rows[self.rows["date"] <= self._days[self._known]] if rows is None else rows
        known.to_csv(self.path, index=False)

    def add_a_session(self) -> date:
        self._known += 1
        self.write()
        return self.last

    @property
    def last(self) -> date:
        return date.fromisoformat(str(self._days[self._known])[:10])


@pytest.fixture(autouse=True)
def no_settling(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files of a test are written whole."""
    monkeypatch.setattr(growing, "SETTLED_S", 0.0)
    monkeypatch.setattr(growing, "LOOK_EVERY_S", 0.0)


@pytest.fixture
def source(tmp_path: Path, six_names: Path) -> Source:
    return Source(tmp_path, six_names)


def begin(folder: Path, source: Source, more: str = "") -> Period:
    """A desk that begins with the last session there is."""
    (folder / "limits.toml").write_text(LIMITS)
    config = folder / "desk.toml"
    config.write_text(f'limits_file = "{folder}/limits.toml"\n[policy]\nband = 0.0\n[alerts]\nwatch = "off"\n{more}')
    request = RunRequest(str(source.path), config=config)
    asked = TradeRequest((folder / "book",), request, str(FAST), "health=every 30m in session", growing=True)
    (terms,) = all_terms(asked)
    take_folder(terms)
    return Period(terms)


def live(period: Period) -> str:
    """One process of it, on a clock that goes on where the one before was."""
    return trade_desk(period.terms, Start(FAST, period.terms.span[0], has_grown=period.lives > 0))


def grow(period: Period, source: Source, sessions: int = 1) -> Period:
    for _ in range(sessions):
        source.add_a_session()
        assert live(period) == "grown"
        period = Period(renewed(period.terms), lives=period.lives + 1)
    return period


def run_at_once(period: Period, folder: Path) -> str:
    """The head of the log that a plain run over the same sessions makes."""
    prepared = period.terms.prepared
    with open_log(Book(folder).create(prepared.run_id)) as (log, _):
        desk = build_desk(prepared.settings, prepared.limits, prepared.data, prepared.plan, log, RulesModel(), None)
        started = run_started(prepared.settings, prepared.limits, prepared.data, prepared.plan)
        days = RecordedDays(desk, prepared.plan.sessions, prepared.plan.seed, started, post=book_post(folder))
        assert asyncio.run(days.run()) is None
        return log.head()[1]


def end_waiting(period: Period, at: datetime | None = None) -> None:
    """A process that is killed as soon as it has nothing more to do than wait for a bar."""

    def killed(file: GrowingFile) -> bool:
        raise Killed

    with pytest.MonkeyPatch.context() as patch, pytest.raises(Killed):
        patch.setattr(GrowingFile, "has_grown", killed)
        trade_desk(period.terms, Start(FAST, at or period.terms.span[0]))


def test_sessions_that_come_one_by_one_are_traded_as_if_they_had_all_been_there(tmp_path: Path, source: Source) -> None:
    period = grow(begin(tmp_path, source), source, SESSIONS)
    # The last session's bar came to a process that ended for it: one more works and decides it, and is killed waiting.
    end_waiting(period)

    with open_log(period.terms.folder, readonly=True) as (log, _):
        head = log.head()[1]
    assert head == run_at_once(period, tmp_path / "plain")
    assert len(period.payloads(PortfolioMarked)) == len(period.payloads(DecisionMade)) == SESSIONS + 1
    assert period.payloads(OrderFilled)
    assert period.is_sound()
    assert period.terms.folder.run_id == begin(tmp_path, source).terms.folder.run_id, "the book's run is gone on with"
    summary = summarize(period.terms)
    assert (summary.uptime.frac, summary.restarts, summary.missed) == (1.0, (), ())


def test_a_log_of_fewer_sessions_than_the_file_has_by_now_replays(tmp_path: Path, source: Source) -> None:
    period = grow(begin(tmp_path, source), source, 2)
    source.add_a_session()

    assert period.is_sound()


def test_a_halt_before_the_bar_is_there_keeps_the_session_untraded(tmp_path: Path, source: Source) -> None:
    period = grow(begin(tmp_path, source), source)
    book_post(period.book).flag.hoist(FlagNote(by="ada", reason="a look first", at=""))
    halted = grow(period, source)
    end_waiting(halted)

    marked = halted.payloads(PortfolioMarked)
    assert halted.payloads(TradingStateChanged)[0].reason.endswith("a look first")
    assert not halted.payloads(OrderFilled)
    assert len(marked) == 3
    assert halted.is_sound()


def test_a_bar_that_nobody_was_there_to_wait_for_is_a_missed_session(tmp_path: Path, source: Source) -> None:
    period = grow(begin(tmp_path, source), source)
    source.add_a_session()
    away = Period(renewed(period.terms))
    start = away.terms.prepared.data.history().close_time(source.last) + timedelta(hours=1)
    end_waiting(away, start)

    held = away.payloads(StepHeld)
    assert ("trade", source.last, "missed") in {(item.step, item.session, item.cause) for item in held}
    assert away.is_sound()


def test_what_was_decided_on_may_not_be_changed(tmp_path: Path, source: Source) -> None:
    period = grow(begin(tmp_path, source), source)
    end_waiting(period)
    source.rows.loc[source.rows["date"] == source.rows["date"].min(), "close"] *= 1.01
    source.write()

    with pytest.raises(RunChanged, match="changed behind the desk"):
        renewed(period.terms)


def test_a_file_whose_past_changed_is_told_and_nothing_is_taken_from_it(tmp_path: Path, source: Source) -> None:
    file, told = waiting(source)
    source.rows.loc[source.rows["date"] == source.rows["date"].min(), "close"] *= 1.01
    source.add_a_session()

    assert not file.has_grown()
    assert [code for code, _ in told] == ["data_changed"]


def test_half_a_file_is_told_once_and_taken_when_it_is_whole(source: Source) -> None:
    file, told = waiting(source)
    source.add_a_session()
    whole = source.path.read_text()
    source.path.write_text(whole.rsplit(",", 2)[0])

    assert not file.has_grown()
    assert not file.has_grown()
    assert [code for code, _ in told] == ["data_refused"]
    source.path.write_text(whole)
    assert file.has_grown()


def test_names_that_lack_their_row_are_waited_for(source: Source, monkeypatch: pytest.MonkeyPatch) -> None:
    file, told = waiting(source)
    session = source.add_a_session()
    gone = "N3"
    source.write(source.rows.query(f"date <= '{session}' and not (symbol == '{gone}' and date == '{session}')"))

    assert not file.has_grown()
    assert [code for code, _ in told] == ["data_incomplete"]
    assert gone in told[0][1]
    monkeypatch.setattr(growing, "INCOMPLETE_S", 0.0)
    assert file.has_grown()


def test_a_bar_of_a_session_that_is_not_over_is_left_alone(source: Source) -> None:
    before = load_data(str(source.path)).history()
    file, told = waiting(source, before.close_time(before.next_session(source.last)) - timedelta(minutes=1))
    source.add_a_session()

    assert not file.has_grown()
    assert not told


def test_a_file_that_was_just_written_to_may_still_be(source: Source, monkeypatch: pytest.MonkeyPatch) -> None:
    file, _ = waiting(source)
    source.add_a_session()
    monkeypatch.setattr(growing, "SETTLED_S", 60.0)
    assert not file.has_grown()
    monkeypatch.setattr(growing, "SETTLED_S", 0.0)
    assert file.has_grown()
    assert file.has_grown(), "once it is there, it stays"


@pytest.mark.parametrize(
    ("change", "error", "text"),
    [
        ({"run": RunRequest("us20")}, NoLiveData, "us20 is no file"),
        ({"faults": "default"}, DesksInvalid, "--faults"),
        ({"accelerate": "max"}, DesksInvalid, "--accelerate max"),
    ],
)
def test_what_can_not_grow_is_refused(
    tmp_path: Path, source: Source, change: dict[str, Any], error: type[Exception], text: str
) -> None:
    asked = TradeRequest((tmp_path / "book",), RunRequest(str(source.path)), str(FAST), growing=True)
    with pytest.raises(error, match=text):
        all_terms(replace(asked, **change))
    with pytest.raises(DesksInvalid, match="--end"):
        all_terms(replace(asked, run=RunRequest(str(source.path), end="2030-01-02")))


@pytest.mark.parametrize(
    ("hours", "text"), [(-1, "a session that is not over"), (24 * 7, "more than one has closed since")]
)
def test_live_the_file_must_be_up_to_the_wall(
    tmp_path: Path, source: Source, monkeypatch: pytest.MonkeyPatch, hours: int, text: str
) -> None:
    now = load_data(str(source.path)).history().close_time(source.last)
    asked = TradeRequest((tmp_path / "book",), RunRequest(str(source.path)))
    monkeypatch.setattr(desks, "wall_now", lambda: now + timedelta(hours=hours))
    with pytest.raises(NoLiveData, match=text):
        all_terms(asked)
    monkeypatch.setattr(desks, "wall_now", lambda: now + timedelta(hours=2))
    (terms,) = all_terms(asked)
    assert terms.asked.is_live
    assert terms.attended == terms.sessions[1:]


def test_settings_do_not_make_data_grow(tmp_path: Path) -> None:
    config = tmp_path / "desk.toml"
    config.write_text("growing = true\n")
    with pytest.raises(SettingsInvalid, match="growing"):
        load_settings(config, {})


def test_a_run_that_grows_is_not_finished_by_run_resume(tmp_path: Path, source: Source) -> None:
    period = grow(begin(tmp_path, source), source)
    with pytest.raises(RunUnknown, match="no last session"):
        request_as_begun(RunRequest(book=period.book), begun_last(Book(period.book)))


def waiting(source: Source, now: datetime | None = None) -> tuple[GrowingFile, list[tuple[str, str]]]:
    """Who waits for the session after the last one there is, and what was said."""
    history = load_data(str(source.path)).history()
    awaited, told = history.next_session(history.last_session), list[tuple[str, str]]()
    at = now or datetime(2100, 1, 1, tzinfo=UTC)
    file = GrowingFile(
        source.path,
        lambda: load_data(str(source.path)),
        history,
        awaited,
        lambda: at,
        lambda code, text: told.append((code, text)),
    )
    return file, told
