"""The operator's commands against a desk in another process: stuck in a model call, blocked, or with a broken log."""

import json
import os
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, cast

import pytest
from parley.desk.book import Book
from parley.desk.operator import book_post
from parley.desk.watchman import HALTED_EXIT
from parley.evals.book_at_rest import standing_of
from parley.memory.verify import verify_log

OPTIONS = ("--start", "2016-01-08", "--end", "2016-01-15", "--reports", "none", "--json")
COMMAND = "import sys; from parley.service.cli import main; main(sys.argv[1:])"
BLOCKED = """
import sys, threading, time
from parley.agents.llm.rules import RulesModel
asked = []
async def block(self, request):
    open(sys.argv[1] + "/stuck", "w").close()
    {}
RulesModel.complete = block
from parley.service.cli import main
main(sys.argv[2:])
"""
SLEEPS = "time.sleep(60)"
DEAF = "import signal; signal.signal(signal.SIGUSR1, signal.SIG_IGN); time.sleep(60)"

pytestmark = pytest.mark.slow


class Silent(ThreadingHTTPServer):
    """An endpoint that takes questions and never answers."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Silence)
        self.asked, self.stop = threading.Event(), threading.Event()


class _Silence(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        endpoint = cast(Silent, self.server)
        self.rfile.read(int(self.headers["Content-Length"]))
        endpoint.asked.set()
        endpoint.stop.wait(60)

    def log_message(self, format: str, *arguments: Any) -> None:
        return None


@pytest.fixture
def silent() -> Iterator[Silent]:
    endpoint = Silent()
    threading.Thread(target=endpoint.serve_forever, daemon=True).start()
    yield endpoint
    endpoint.stop.set()
    endpoint.shutdown()
    endpoint.server_close()


class Running:
    """A `parley` process and how long it takes to end."""

    def __init__(self, code: str, *arguments: str, **variables: str) -> None:
        environment = {name: value for name, value in os.environ.items() if not name.startswith(("PARLEY_", "OPENAI_"))}
        self.process = subprocess.Popen(
            [sys.executable, "-c", code, *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment | variables | {"no_proxy": "*", "OMP_NUM_THREADS": "1"},
        )

    def said_s(self) -> float:
        """Seconds from now to when it says that it has stopped; what follows is Python tidying up."""
        began = time.monotonic()
        assert self.process.stdout is not None
        select.select([self.process.stdout], [], [], 20)
        return time.monotonic() - began

    def end_s(self) -> float:
        """Seconds from now to its end."""
        began = time.monotonic()
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(20)
            return time.monotonic() - began
        self.process.kill()
        return 20.0

    def document(self) -> dict[str, Any]:
        return json.loads(self.process.communicate()[0])


def stuck(silent: Silent, book: Path, market: Path) -> Running:
    """A run that waits for its first model call."""
    url = f"http://127.0.0.1:{silent.server_address[1]}/v1"
    arguments = ("run", "--data", str(market), *OPTIONS, "--model", "tiny", "--book", str(book))
    variables = {"PARLEY_LLM_BASE_URL": url, "PARLEY_LLM_API_KEY": "x", "PARLEY_LLM__TIMEOUT_S": "60"}
    running = Running(COMMAND, *arguments, **variables)
    assert silent.asked.wait(40), running.process.communicate()
    return running


def halt(book: Path) -> None:
    from parley.service.console import Console
    from parley.service.controlling import Request, perform_halt

    perform_halt(Request("halt", book, "smoke", "ann"), Console(as_json=False))


def test_halt_takes_hold_within_a_second_while_a_model_call_hangs(
    silent: Silent, tmp_path: Path, six_names: Path
) -> None:
    book = tmp_path / "book"
    running = stuck(silent, book, six_names)

    halt(book)

    assert running.said_s() < 1.0
    assert running.end_s() < 10.0
    assert running.process.returncode == 1
    assert running.document()["stopped"] == "halted"
    folder = Book(book).latest()
    assert standing_of(folder).waits_for is not None
    assert verify_log(folder.log_path).ok


def test_halt_takes_hold_within_a_second_when_the_log_is_garbage(
    silent: Silent, tmp_path: Path, six_names: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    book = tmp_path / "book"
    running = stuck(silent, book, six_names)
    log = Book(book).latest().log_path
    for path in log.parent.glob("log.db*"):
        path.write_bytes(b"garbage" * 1000)

    halt(book)

    assert running.said_s() < 1.0
    assert running.end_s() < 10.0
    assert running.process.returncode in (1, 2)
    assert book_post(book).flag.is_raised
    from parley.service.console import Console
    from parley.service.controlling import perform_status

    capsys.readouterr()
    assert not perform_status(book, Console(as_json=True))
    document = json.loads(capsys.readouterr().out)
    assert document["state"] == "HALTED"
    assert document["problem"]


@pytest.mark.parametrize(("work", "codes"), [(SLEEPS, {1}), (DEAF, {HALTED_EXIT})], ids=["blocked", "deaf"])
def test_halt_breaks_into_a_desk_whose_loop_is_blocked(
    tmp_path: Path, six_names: Path, work: str, codes: set[int]
) -> None:
    book = tmp_path / "book"
    code = BLOCKED.format(work)
    running = Running(code, str(tmp_path), "run", "--data", str(six_names), *OPTIONS, "--book", str(book))
    began = time.monotonic()
    while not (tmp_path / "stuck").exists() and time.monotonic() - began < 40:
        time.sleep(0.02)

    halt(book)

    assert running.said_s() < 1.0
    assert running.end_s() < 10.0
    assert running.process.returncode in codes
    assert verify_log(Book(book).latest().log_path).ok
    # A second start on this book is HALTED before it asks anybody anything.
    again = Running(COMMAND, "run", "--resume", "--reports", "none", "--json", "--book", str(book))
    assert again.document()["stopped"] == "halted"
    assert again.process.wait() == 1


def test_a_second_instance_on_one_book_is_refused(silent: Silent, tmp_path: Path, six_names: Path) -> None:
    book = tmp_path / "book"
    running = stuck(silent, book, six_names)

    second = Running(
        COMMAND, "run", "--resume", "--json", "--book", str(book), PARLEY_LLM_BASE_URL="http://127.0.0.1:1"
    )

    assert second.document()["error"]["code"] == "store_locked"
    assert second.process.wait() == 2
    running.process.send_signal(signal.SIGTERM)
    assert running.end_s() < 10.0


def test_sigterm_ends_a_run_in_good_order_and_it_goes_on_to_the_same_bytes(tmp_path: Path, six_names: Path) -> None:
    arguments = ("run", "--data", str(six_names), "--start", "2015-12-28", "--end", "2016-01-15", *OPTIONS[4:])
    whole = Running(COMMAND, *arguments, "--book", str(tmp_path / "whole")).document()
    book = tmp_path / "book"
    log_lock = book / "heartbeat"
    running = Running(COMMAND, *arguments, "--book", str(book))
    began = time.monotonic()
    while not log_lock.exists() and time.monotonic() - began < 40:
        time.sleep(0.005)

    running.process.send_signal(signal.SIGTERM)

    assert running.end_s() < 10.0
    assert running.process.returncode == 0
    assert running.document()["stopped"] == "ended"
    assert not log_lock.exists(), "nobody has to miss a desk that ended in order"
    resumed = Running(COMMAND, "run", "--resume", "--reports", "none", "--json", "--book", str(book)).document()
    assert resumed["head_hash"] == whole["head_hash"]
