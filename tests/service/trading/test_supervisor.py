"""Real processes of `parley trade`, killed at seeded points: the desk goes on, and every step is taken once."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from parley.desk.book import Book, open_log
from parley.desk.job_book import open_job_book
from parley.domain.events import DecisionMade, PortfolioMarked, RunFinished
from parley.evals.replay import replay_run
from parley.memory.verify import verify_log
from parley.service.trading.status_file import read_status

START = "2016-01-08"
WAIT_S = 120


class Trading:
    """The command in a process of its own, and the worker below it."""

    def __init__(self, folder: Path, data: Path) -> None:
        self.book = folder / "book"
        config = folder / "desk.toml"
        config.write_text('[policy]\nband = 0.0\n[alerts]\nwatch = "off"\n')
        faults = folder / "faults.toml"
        faults.write_text("operator_minutes = 5\n")
        self._command = [sys.executable, "-m", "parley", "trade", "--json", "--data", str(data), "--start", START]
        self._command += ["--accelerate", "max", "--book", str(self.book), "--config", str(config)]
        self._command += ["--faults", str(faults), "--jobs", "health=every 30m in session"]

    def begin(self) -> "subprocess.Popen[str]":
        environ = {name: value for name, value in os.environ.items() if not name.startswith("PARLEY_")}
        return subprocess.Popen(self._command, stdout=subprocess.PIPE, env=environ, text=True)

    def worker(self, process: "subprocess.Popen[str]", unlike: int = 0) -> int | None:
        """The pid of the desk's process once it works; None when all is over before."""
        while process.poll() is None:
            status = read_status(self.book)
            if status is not None and status["pid"] not in (unlike, 0) and _lives(status["pid"]):
                return int(status["pid"])
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

    out, _ = process.communicate(timeout=WAIT_S)

    document = json.loads(out)
    assert process.returncode == 0, document
    assert killed > 0
    assert len(document["desks"][0]["restarts"]) == killed
    check(trading, document)


def test_command_and_worker_killed_together_are_gone_on_with_by_the_same_command(trading: Trading) -> None:
    process = trading.begin()
    worker = trading.worker(process)
    assert worker is not None
    process.kill()
    os.kill(worker, signal.SIGKILL)
    process.communicate()

    again = trading.begin()
    out, _ = again.communicate(timeout=WAIT_S)

    assert again.returncode == 0, out
    check(trading, json.loads(out))


def test_a_second_desk_on_the_book_is_refused_and_asked_to_end_the_first_does(trading: Trading) -> None:
    process = trading.begin()
    assert trading.worker(process) is not None

    second = trading.begin()
    out, _ = second.communicate(timeout=WAIT_S)
    process.terminate()
    process.communicate(timeout=WAIT_S)

    is_over = process.returncode == 0
    assert is_over or json.loads(out)["error"]["code"] == "store_locked"
    assert process.returncode in (0, 1)
