"""Real processes of `parley trade`, killed at seeded points or kept from writing: the desk goes on, each step once."""

import importlib
import json
import os
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from select import select
from threading import Event
from typing import Any

import numpy as np
import pytest
from parley.desk.book import Book, open_log
from parley.desk.job_book import open_job_book
from parley.domain.events import DecisionMade, PortfolioMarked, RunFinished
from parley.evals.replay import replay_run
from parley.memory.verify import verify_log
from parley.quant.regimes import warm_up
from parley.service.cli import main
from parley.service.trading import supervisor
from parley.service.trading.desks import DeskTerms
from parley.service.trading.errors import ClockLeapt, DeskUnable
from parley.service.trading.status_file import read_status
from parley.service.trading.supervisor import MOST_QUICK_DEATHS, Supervisor, pause_after
from parley.service.trading.unable import Refusal
from parley.service.trading.worker import Ending, Start

from .conftest import Period

START = "2016-01-08"
OPEN = datetime(2016, 1, 8, 14, 30, tzinfo=UTC)
WAIT_S = 120


class Command:
    """The command in a process of its own: a fork of this one, in which all is loaded already."""

    def __init__(self, arguments: list[str], out: Path) -> None:
        self._out = out
        self._code: int | None = None
        sys.stdout.flush()
        self._pipe, writing = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            os.close(self._pipe)
            _live(arguments, out)
        os.close(writing)

    def is_alive(self) -> bool:
        if self._code is None and (found := os.waitpid(self.pid, os.WNOHANG))[0]:
            self._code = os.waitstatus_to_exitcode(found[1])
        return self._code is None

    def look_again(self) -> None:
        """A moment later, or as soon as it and all below it are gone."""
        select([self._pipe], [], [], 0.005)

    def end(self) -> tuple[int | None, Any]:
        """How it ended, and what it said."""
        gone, _, _ = select([self._pipe], [], [], WAIT_S)  # closed by the last process that has it open
        assert gone, f"it has not ended within {WAIT_S} s"
        os.close(self._pipe)
        while self.is_alive():
            pass
        said = self._out.read_text()
        return self._code, json.loads(said) if said else None


def _live(arguments: list[str], out: Path) -> None:
    """The fork's whole life; the pipe's other end is open for as long."""
    code = 70
    try:
        for name in [name for name in os.environ if name.startswith("PARLEY_")]:
            del os.environ[name]
        sys.stdout = out.open("w")
        main(arguments)
    except SystemExit as ended:
        code = int(ended.code or 0)
    finally:
        sys.stdout.flush()
        os._exit(code)


class Trading:
    """The command, and the worker below it."""

    def __init__(self, folder: Path, data: Path) -> None:
        self.book, self.pace, self._folder, self._count = folder / "book", "max", folder, 0
        config = folder / "desk.toml"
        config.write_text('[policy]\nband = 0.0\n[alerts]\nwatch = "off"\n')
        faults = folder / "faults.toml"
        faults.write_text("operator_minutes = 5\n")
        self._command = ["trade", "--json", "--data", str(data), "--start", START]
        self._command += ["--book", str(self.book), "--config", str(config)]
        self._command += ["--faults", str(faults), "--jobs", "health=every 30m in session"]

    def begin(self) -> Command:
        self._count += 1
        return Command([*self._command, "--accelerate", self.pace], self._folder / f"said-{self._count}.json")

    def worker(self, process: Command, unlike: int = 0) -> int | None:
        """The pid of the desk's process once it works; None when all is over before."""
        while process.is_alive():
            status = read_status(self.book)
            if status is not None and status["pid"] not in (unlike, 0) and _lives(status["pid"]):
                return int(status["pid"])
            process.look_again()
        return None

    def rows(self) -> list[Any]:
        with open_job_book(self.book, Book(self.book).latest().run_id, readonly=True) as jobs:
            return list(jobs.rows())


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.fixture(scope="module", autouse=True)
def loaded() -> None:
    """What every process needs, once: they are forks of this one."""
    importlib.import_module("parley.service.trading.performing")
    warm_up()


@pytest.fixture
def trading(tmp_path: Path, six_names: Path) -> Trading:
    return Trading(tmp_path, six_names)


def check(trading: Trading, document: Any) -> None:
    """Whatever was killed: each step once, in a sound log that a replay makes again."""
    folder = Book(trading.book).latest()
    with open_log(folder, readonly=True) as (log, _):
        marks = [PortfolioMarked.model_validate(event.payload).session for event in log.read(types=(PortfolioMarked,))]
        decided = sum(1 for _ in log.read(types=(DecisionMade,)))
        assert log.last(RunFinished) is not None
    assert marks == sorted(set(marks))
    assert decided == len(marks)
    for job in ("trade", "decide"):
        states = [row.state for row in trading.rows() if row.job == job]
        assert len(states) == len(marks)
        assert set(states) <= {"done", "late"}
    assert verify_log(folder.log_path).ok
    assert replay_run(folder).identical
    assert document["finished"] is True
    assert document["desks"][0]["state"] == "TRADING"


def test_a_desk_whose_process_is_killed_again_and_again_is_started_again(trading: Trading) -> None:
    rng, process, pid, killed = np.random.default_rng(4), trading.begin(), 0, 0
    for _ in range(3):
        found = trading.worker(process, pid)
        if found is None:
            break
        for _ in range(int(rng.integers(1, 60))):
            read_status(trading.book)  # a seeded while
        os.kill(found, signal.SIGKILL)
        pid, killed = found, killed + 1

    code, document = process.end()

    assert code == 0, document
    assert killed > 0
    assert len(document["desks"][0]["restarts"]) == killed
    check(trading, document)


def test_command_and_worker_killed_together_are_gone_on_with_by_the_same_command(trading: Trading) -> None:
    process = trading.begin()
    worker = trading.worker(process)
    assert worker is not None
    os.kill(process.pid, signal.SIGKILL)
    os.kill(worker, signal.SIGKILL)
    assert process.end()[0] == -signal.SIGKILL

    code, document = trading.begin().end()

    assert code == 0, document
    check(trading, document)


@pytest.mark.parametrize("asked", [signal.SIGTERM, signal.SIGINT])
def test_a_second_desk_on_the_book_is_refused_and_asked_to_end_the_first_does(
    trading: Trading, asked: signal.Signals
) -> None:
    trading.pace = "1000"  # hours away from its end
    process = trading.begin()
    assert trading.worker(process) is not None

    code, refused = trading.begin().end()
    os.kill(process.pid, asked)
    ended, document = process.end()

    assert (code, refused["error"]["code"]) == (2, "store_locked")
    assert ended == 1
    assert document["finished"] is False


@dataclass
class Lives:
    """What becomes of each start of a desk's process, by a script; what it was started with is kept in a file."""

    kept: Path
    ends: list[Exception | None]

    def __call__(self, terms: DeskTerms, start: Start) -> Ending:
        begun = self.starts()
        self.kept.write_text(json.dumps([*begun, [start.market.isoformat(), start.refused, start.died_at_s]]))
        end = self.ends[len(begun)]
        if end is not None:
            raise end
        return "finished"

    def starts(self) -> list[Any]:
        return json.loads(self.kept.read_text()) if self.kept.exists() else []


def unable(minute: int, *, was_able: bool = False) -> DeskUnable:
    return DeskUnable("no room", market=OPEN + timedelta(minutes=minute), was_able=was_able)


@pytest.fixture
def supervised(period: Period, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., Any]:
    monkeypatch.setattr(supervisor, "BACKOFF_S", 0.001)

    def run(*ends: Exception | None) -> Any:
        lives, refusals = Lives(tmp_path / "starts.json", list(ends)), list[Refusal]()
        monkeypatch.setattr(supervisor, "trade_desk", lives)
        watch = Supervisor((period.terms,), None, (OPEN,), on_refused=lambda terms, refusal: refusals.append(refusal))
        assert watch.run(Event().wait) == ("finished",)
        return lives.starts(), refusals

    return run


def test_a_desk_that_cannot_write_is_started_again_however_long_it_lasts_and_ever_more_slowly(supervised: Any) -> None:
    count = MOST_QUICK_DEATHS + 2

    starts, refusals = supervised(*(unable(number) for number in range(count)), None)

    assert [refused for _, refused, _ in starts] == list(range(count + 1))
    assert [refusal.count for refusal in refusals] == list(range(1, count + 1))
    pauses = [refusal.pause_s for refusal in refusals]
    assert pauses[:4] == [0.0, 0.001, 0.002, 0.004]
    assert pauses == sorted(pauses)
    stood = [OPEN + timedelta(minutes=number) for number in range(count)]
    assert [refusal.market for refusal in refusals] == stood
    assert [market for market, _, _ in starts[1:]] == [at.isoformat() for at in stood]


@pytest.mark.parametrize(("deaths", "seconds"), [(0, 0), (1, 0), (2, 0.5), (3, 1), (7, 16), (8, 30), (9_999, 30)])
def test_the_pause_before_a_start_doubles_up_to_half_a_minute(deaths: int, seconds: float) -> None:
    assert pause_after(deaths) == seconds


def test_one_that_worked_in_between_is_started_at_once(supervised: Any) -> None:
    starts, refusals = supervised(unable(1), unable(2), unable(90, was_able=True), None)

    assert [refusal.count for refusal in refusals] == [1, 2, 1]
    assert [refused for _, refused, _ in starts] == [0, 1, 2, 1]


def test_a_machine_that_slept_is_gone_on_from_where_its_clock_is_now(supervised: Any) -> None:
    woken = OPEN + timedelta(hours=3)

    starts, refusals = supervised(ClockLeapt("it slept", market=woken), None)

    assert [(market, refused) for market, refused, _ in starts] == [(OPEN.isoformat(), 0), (woken.isoformat(), 0)]
    assert starts[1][2] is not None, "it is a restart, and told as one"
    assert not refusals
