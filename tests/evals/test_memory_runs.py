"""A desk with a memory over recorded days: lessons at their horizon, replays and resumes to the byte, no look ahead."""

import asyncio
import sqlite3
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from parley.agents.llm.rules import RulesModel
from parley.desk.book import Book, RunFolder, open_log
from parley.desk.desk import RunPlan, build_desk, run_started
from parley.desk.reflecting import KeptIndex
from parley.desk.settings import PolicySettings, Settings
from parley.domain.decisions import Decision
from parley.domain.events import DecisionMade, PortfolioMarked, ReflectionWritten
from parley.domain.reflections import Reflection
from parley.evals.days import RecordedDays
from parley.evals.replay import replay_run
from parley.gate.limits import load_limits
from parley.market.cards import DataSet
from parley.market.files import load_file
from parley.market.sessions import utc_moment
from parley.memory.history import written_lessons
from parley.memory.lesson_audit import LessonAudit
from parley.memory.lesson_index import LessonIndex
from parley.memory.verify import verify_log

from .conftest import write_market

DAYS = 30
HORIZON = 21
# No band, so that every session trades: 30 sessions have 8 whose horizon ends within them.
POLICY = PolicySettings(band=0.0)
ON, OFF = Settings(policy=POLICY, memory="on"), Settings(policy=POLICY)

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> DataSet:
    return load_file(write_market(tmp_path_factory.mktemp("market") / "six.csv", days=254 + DAYS))


class Killed(BaseException):
    """The process is gone."""


def play(
    data: DataSet,
    folder: RunFolder,
    settings: Settings = ON,
    *,
    indexed: bool = False,
    on_day: Callable[[int, int], None] = lambda done, total: None,
) -> None:
    """The last sessions of the data set from wherever the folder's log stands."""
    limits = load_limits()
    plan = RunPlan(data.card.name, data.history().sessions_between()[-DAYS:], "rules", 7)
    folder.path.mkdir(parents=True, exist_ok=True)
    with open_log(folder) as (log, _):
        desk = build_desk(settings, limits, data, plan, log, RulesModel(), None)
        keeper = KeptIndex(folder.recall_path, log) if indexed else None
        started = run_started(settings, limits, data, plan)
        days = RecordedDays(desk, plan.sessions, plan.seed, started, keeper=keeper)
        try:
            asyncio.run(days.run(on_day))
        finally:
            if keeper is not None:
                keeper.close()


@pytest.fixture(scope="module")
def whole(data: DataSet, tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    """One run with a memory and its index."""
    folder = Book(tmp_path_factory.mktemp("book")).run_folder("whole")
    play(data, folder, indexed=True)
    return folder


def told(folder: RunFolder) -> tuple[str, tuple[Reflection, ...], list[Decision]]:
    with open_log(folder, readonly=True) as (log, _):
        made = [event.decoded() for event in log.read(types=(DecisionMade,))]
        return log.head()[1], written_lessons(log), [item.decision for item in made if isinstance(item, DecisionMade)]


def test_every_filled_leg_has_its_lesson_at_the_close_that_ends_its_horizon(whole: RunFolder, data: DataSet):
    _, lessons, decisions = told(whole)
    closes = data.panel.close
    rows = {session: row for row, session in enumerate(data.panel.sessions.tolist())}
    by_id = {decision.decision_id: decision for decision in decisions}

    assert {lesson.decision_id for lesson in lessons} == {
        decision.decision_id for decision in decisions[: DAYS - 1 - HORIZON] if decision.plan is not None
    }
    for lesson in lessons:
        row = rows[by_id[lesson.decision_id].snapshot.session]
        first, last = closes[row + 1], closes[row + 1 + HORIZON]
        column = data.panel.symbols.index(lesson.symbol)
        returns = last / first - 1.0
        assert lesson.return_frac == pytest.approx(returns[column], abs=1e-9)
        assert lesson.relative_return == pytest.approx(returns[column] - np.nanmean(returns), abs=1e-9)
        assert lesson.available_at == utc_moment(data.panel.close_times[row + 1 + HORIZON])


def test_decisions_see_only_lessons_that_were_known_and_say_which(whole: RunFolder):
    _, lessons, decisions = told(whole)
    by_id = {lesson.reflection_id: lesson for lesson in lessons}

    seen = [
        (decision.as_of, by_id[ident])
        for decision in decisions
        if decision.memory is not None
        for shown in decision.memory.shown.values()
        for ident in shown
    ]

    assert seen and all(lesson.available_at <= as_of for as_of, lesson in seen)


def test_the_index_kept_along_the_run_is_a_fold_of_its_log_and_the_audit_finds_nothing(whole: RunFolder):
    _, lessons, _ = told(whole)
    index = LessonIndex(whole.recall_path)
    try:
        assert lessons and index.equals(lessons)
    finally:
        index.close()

    audit = LessonAudit()
    report = verify_log(whole.log_path, auditors=(audit,))
    assert report.ok and audit.lessons == len(lessons)


def test_a_run_with_a_memory_is_replayed_to_the_byte(data: DataSet, tmp_path: Path):
    path = write_market(tmp_path / "six.csv", days=254 + DAYS)
    settings, limits = ON, load_limits()
    named = load_file(path)
    plan = RunPlan(str(path), named.history().sessions_between()[-DAYS:], "rules", 7)
    folder = Book(tmp_path / "book").create(plan.run_id(settings, limits))
    with open_log(folder) as (log, _):
        desk = build_desk(settings, limits, named, plan, log, RulesModel(), None)
        started = run_started(settings, limits, named, plan)
        asyncio.run(RecordedDays(desk, plan.sessions, plan.seed, started).run())

    result = replay_run(folder)

    assert result.first_difference is None and result.identical and result.decisions == DAYS


@pytest.mark.parametrize("day", [HORIZON + 2, HORIZON + 5])
def test_a_kill_forgets_nothing(whole: RunFolder, data: DataSet, tmp_path: Path, day: int):
    """Killed as the day begins, after its lessons were written, and between a lesson and its decision."""
    folder = Book(tmp_path).run_folder("killed")

    def die(done: int, total: int) -> None:
        if done == day:
            raise Killed

    with pytest.raises(Killed):
        play(data, folder, on_day=die)
    before = told(folder)[1]
    play(data, folder)

    assert before and told(folder)[1][: len(before)] == before
    assert told(folder)[0] == told(whole)[0]


def test_a_kill_between_the_mark_and_its_lessons_forgets_nothing(
    whole: RunFolder, data: DataSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    folder, reflect = Book(tmp_path).run_folder("killed"), RecordedDays._reflect

    def die(days: RecordedDays, place: int) -> None:
        if place == HORIZON + 3:
            raise Killed
        reflect(days, place)

    monkeypatch.setattr(RecordedDays, "_reflect", die)
    with pytest.raises(Killed):
        play(data, folder)
    monkeypatch.undo()
    play(data, folder)

    assert told(folder)[0] == told(whole)[0]


def test_without_a_memory_nothing_is_written_and_nothing_kept(data: DataSet, tmp_path: Path):
    folder = Book(tmp_path).run_folder("off")
    play(data, folder, OFF)

    _, lessons, decisions = told(folder)
    assert lessons == () and all(decision.memory is None for decision in decisions)
    assert "memory" not in OFF.public() and ON.public()["memory"] == "on"
    with sqlite3.connect(folder.log_path) as database:
        (found,) = database.execute("SELECT count(*) FROM events WHERE payload LIKE '%\"memory\"%'").fetchone()
    assert found == 0


def test_prices_after_a_close_change_no_lesson_and_no_decision_at_or_before_it(
    whole: RunFolder, data: DataSet, tmp_path: Path
):
    cut = DAYS - 4
    last_known = data.history().sessions_between()[-DAYS:][cut]
    row = data.panel.sessions.tolist().index(last_known)
    close = data.panel.close.copy()
    close[row + 1 :] *= np.linspace(0.7, 1.4, close.shape[1])
    garbled = replace(data, panel=replace(data.panel, close=close, open=None, high=None, low=None))
    plain = replace(data, panel=replace(data.panel, open=None, high=None, low=None))
    found: list[list[object]] = []
    for name, market in (("plain", plain), ("garbled", garbled)):
        folder = Book(tmp_path).run_folder(name)
        play(market, folder)
        with open_log(folder, readonly=True) as (log, _):
            marks = [event.seq for event in log.read(types=(PortfolioMarked,))]
            events = log.read(until=marks[cut], types=(ReflectionWritten, DecisionMade))
            found.append([_told_of(event.decoded()) for event in events])

    assert found[0] == found[1]
    assert any(isinstance(item, Reflection) for item in found[0])


def _told_of(payload: object) -> object:
    if isinstance(payload, ReflectionWritten):
        return payload.reflection.model_copy(update={"reflection_id": "", "decision_id": ""})
    assert isinstance(payload, DecisionMade)
    return [(signal.symbol, signal.side, signal.confidence) for signal in payload.decision.signals]
