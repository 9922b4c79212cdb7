"""`parley run --as-live` killed with SIGKILL in mid-session: the next start is HALTED until a person has looked."""

import json
import signal
import time
from pathlib import Path
from typing import Any

import pytest
from parley.desk.book import Book
from parley.evals.book_at_rest import standing_of
from parley.memory.verify import verify_log

from .test_controlling_processes import COMMAND, Running

STUCK = """
import sys, time
from parley.execution.venues.paper import PaperVenue
submit = PaperVenue.submit
def stuck(self, order):
    told = submit(self, order)
    open(sys.argv[1] + "/sent", "w").close()
    time.sleep(60)
    return told
PaperVenue.submit = stuck
from parley.service.cli import main
main(sys.argv[2:])
"""
"""The venue has taken the first order; the process dies before it hears of it."""

pytestmark = pytest.mark.slow


def parley(*arguments: str) -> tuple[int, dict[str, Any]]:
    done = Running(COMMAND, *arguments, "--json").process
    said = done.communicate(timeout=60)[0]
    return done.returncode, json.loads(said)


def killed_in_mid_session(tmp_path: Path, market: Path, book: Path, *options: str) -> None:
    run = ("run", "--data", str(market), "--start", "2015-12-28", "--end", "2016-01-08", "--reports", "none")
    running = Running(STUCK, str(tmp_path), *run, *options, "--book", str(book))
    began = time.monotonic()
    while not (tmp_path / "sent").exists() and time.monotonic() - began < 60:
        assert running.process.poll() is None, running.process.communicate()
        time.sleep(0.02)
    running.process.send_signal(signal.SIGKILL)
    running.end_s()
    assert running.process.returncode == -signal.SIGKILL


def test_a_live_desk_killed_in_mid_session_restarts_halted_and_a_person_frees_it(
    tmp_path: Path, six_names: Path
) -> None:
    book = tmp_path / "book"
    killed_in_mid_session(tmp_path, six_names, book, "--as-live")

    # Neither option nor settings say again that it is run as live: the log does.
    code, stopped = parley("run", "--resume", "--reports", "none", "--book", str(book))

    assert (code, stopped["stopped"]) == (1, "halted")
    assert "mid-session" in stopped["reason"]
    code, status = parley("status", "--book", str(book))
    assert (code, status["state"], status["restrictions"][0]["cause"]) == (1, "HALTED", "restart")
    assert parley("ack", "all", "--reason", "seen", "--book", str(book))[0] == 0
    assert parley("resume", "--reason", "the venue's book agrees", "--book", str(book))[0] == 0
    code, done = parley("run", "--resume", "--reports", "none", "--book", str(book))
    assert (code, done["orders"] > 0) == (0, True)
    assert verify_log(Book(book).latest().log_path).ok
    assert parley("replay", "--book", str(book))[1]["identical"]


def test_recorded_days_killed_in_mid_session_simply_go_on(tmp_path: Path, six_names: Path) -> None:
    book = tmp_path / "book"
    killed_in_mid_session(tmp_path, six_names, book)

    code, done = parley("run", "--resume", "--reports", "none", "--book", str(book))

    assert (code, done["orders"] > 0) == (0, True)
    assert not standing_of(Book(book).latest()).in_force
