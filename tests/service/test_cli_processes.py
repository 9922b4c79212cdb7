"""The command line as its own process: light to start, offline, the same under any hash seed, polite to signals."""

import io
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from parley.memory.log import EventLog
from parley.service.console import Console

OPTIONS = ("--start", "2016-01-08", "--end", "2016-01-13", "--reports", "none", "--json")
HEAVY = ("numpy", "pandas", "langgraph", "langchain_core", "openai", "torch", "rich", "chromadb", "autogen_agentchat")

OFFLINE = """
import json, socket, sys

opened = []


def watch(event, arguments):
    # The event loop wakes itself by a local socket pair, which is none of these. urllib3, which LangGraph brings
    # along, asks once when it is imported whether it may bind port 0 of ::1, and sends nothing.
    if event in ("socket.connect", "socket.bind", "socket.sendto", "socket.sendmsg"):
        if (event, arguments[1]) != ("socket.bind", ("::1", 0)):
            opened.append(f"{event} {arguments[1]!r}")
    elif event in ("socket.getaddrinfo", "socket.gethostbyname", "urllib.Request", "http.client.connect"):
        opened.append(event)


sys.addaudithook(watch)
from parley.service.cli import main

codes = []
for command in json.loads(sys.argv[1]):
    try:
        main(command)
    except SystemExit as ended:
        codes.append(ended.code)
sys.stderr.write(json.dumps({"codes": codes, "opened": opened}))
"""


def run_python(code: str, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PARLEY_", "OPENAI_"))}
    return subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, env=environment | variables
    )


@pytest.mark.slow
def test_no_command_opens_a_socket_to_any_network(parley: Any, six_names: Path) -> None:
    commands = [
        ["run", "--data", str(six_names), *OPTIONS],
        ["decide", "--data", str(six_names), "--as-of", "2016-01-13", "--json", "--book", "other"],
        ["replay", "--json"],
        ["verify", "--json"],
        ["explain", "run", "--json"],
    ]

    done = run_python(OFFLINE, json.dumps(commands), PYTHONHASHSEED="1")

    assert json.loads(done.stderr) == {"codes": [0] * len(commands), "opened": []}
    # Another process, another hash seed, another book: the same run to the byte.
    here = parley("run", "--data", six_names, *OPTIONS, "--book", "here").document
    there = json.JSONDecoder().raw_decode(done.stdout)[0]
    assert there | {"book": "here"} == here


def test_the_watch_for_sockets_sees_one() -> None:
    code = OFFLINE.replace(
        "from parley.service.cli import main",
        "socket.socket(socket.AF_INET).bind(('127.0.0.1', 0)); socket.getaddrinfo('127.0.0.1', 80)",
    )

    done = run_python(code, "[]")

    assert json.loads(done.stderr)["opened"] == ["socket.bind ('127.0.0.1', 0)", "socket.getaddrinfo"]


@pytest.mark.slow
def test_python_m_parley_is_the_command_under_any_hash_seed(parley: Any, six_names: Path) -> None:
    here = parley("run", "--data", six_names, *OPTIONS).document
    arguments = ["run", "--data", str(six_names), *OPTIONS, "--book", "there"]
    code = "import runpy, sys; sys.argv[0] = 'parley'; runpy.run_module('parley', run_name='__main__')"

    done = run_python(code, *arguments, PYTHONHASHSEED="4711")

    assert done.stderr == ""
    assert json.loads(done.stdout)["head_hash"] == here["head_hash"]


CPU = "import sys, time; began = time.process_time(); {}; print(time.process_time() - began, *sys.modules)"


def _cpu_and_modules(work: str) -> tuple[float, set[str]]:
    done = run_python(CPU.format(work))
    cpu_s, *modules = done.stdout.splitlines()[-1].split(" ")
    return float(cpu_s), set(modules)


def test_import_parley_is_nearly_free() -> None:
    cpu_s, modules = min((_cpu_and_modules("import parley") for _ in range(3)), key=lambda item: item[0])

    assert cpu_s < 0.2
    assert modules.isdisjoint({*HEAVY, "pydantic", "typer"})


def test_help_is_light_and_imports_nothing_of_the_desk() -> None:
    work = "from parley.service.cli import main\ntry: main(['--help'])\nexcept SystemExit: pass\n"
    code = f"import sys, time; began = time.process_time()\n{work}print(time.process_time() - began, *sys.modules)"

    tries = [run_python(code).stdout.splitlines()[-1].split(" ") for _ in range(3)]

    assert min(float(words[0]) for words in tries) < 0.5
    assert set(tries[0]).isdisjoint({*HEAVY, "pydantic", "parley.desk.desk"})


def in_a_fork(work: Any) -> tuple[int, str, str]:
    """Exit code, stdout and stderr of work done in a forked process."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        child = os.fork()
        if not child:
            code = 99
            try:
                os.dup2(out.fileno(), 1)
                os.dup2(err.fileno(), 2)
                sys.stdout, sys.stderr = os.fdopen(1, "w", closefd=False), os.fdopen(2, "w", closefd=False)
                work()
            except SystemExit as ended:
                code = int(ended.code or 0)
            finally:
                with suppress(OSError):
                    sys.stderr.flush()
                    sys.stdout.flush()
                os._exit(code)
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        out.seek(0)
        err.seek(0)
        return code, out.read().decode(), err.read().decode()


def _interrupted_at(append: int, arguments: list[str]) -> Any:
    """A run whose user presses Ctrl-C at the n-th append."""

    def work() -> None:
        from parley.service.cli import main

        signal.signal(signal.SIGINT, signal.default_int_handler)
        honest, left = EventLog.append, append

        def counted(*given: Any, **named: Any) -> Any:
            nonlocal left
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGINT)
            return honest(*given, **named)

        EventLog.append = counted
        main(arguments)

    return work


@pytest.mark.parametrize("append", [1, 2, 10, 40])
def test_ctrl_c_says_one_line_and_the_run_can_go_on(parley: Any, six_names: Path, append: int) -> None:
    whole = parley("run", "--data", six_names, *OPTIONS, "--book", "whole").document
    arguments = ["run", "--data", str(six_names), *OPTIONS[:-1]]

    code, out, err = in_a_fork(_interrupted_at(append, arguments))

    assert (code, out) == (130, "")
    assert err == "interrupted; a run goes on where it stopped with `parley run --resume`\n"
    rest = parley(*arguments, "--resume", "--json").document
    assert rest | {"book": "whole"} == whole


def test_ctrl_c_is_one_document_for_machines(parley: Any, six_names: Path) -> None:
    code, out, err = in_a_fork(_interrupted_at(5, ["run", "--data", str(six_names), *OPTIONS]))

    assert (code, err) == (130, "")
    assert json.loads(out)["error"]["code"] == "interrupted"


def test_a_reader_that_leaves_early_is_no_fault(parley: Any) -> None:
    reading, writing = os.pipe()
    os.close(reading)

    def work() -> None:
        from parley.service.cli import main

        os.dup2(writing, 1)
        main(["data", "list"])

    code, _, err = in_a_fork(work)
    os.close(writing)

    assert (code, err) == (1, "")


def test_a_book_without_the_right_to_write_is_refused_and_left_alone(parley: Any, six_names: Path) -> None:
    parley("run", "--data", six_names, *OPTIONS)  # everything imported that the fork will need
    from parley.market.datasets import load_data
    from parley.service import preparing

    data = load_data(str(six_names))
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o555)

    def work() -> None:
        from parley.service.cli import main

        preparing.load_to_decide = lambda name, every, store: (name, data)
        os.chdir("/")
        if os.getuid() == 0:
            os.setuid(65534)
        main(["run", "--data", "six", *OPTIONS, "--book", str(folder / "book")])

    try:
        code, out, err = in_a_fork(work)

        assert (code, err) == (2, "")
        assert json.loads(out)["error"]["code"] == "book_error"
        assert "--book" in json.loads(out)["error"]["remedy"]
        assert list(folder.iterdir()) == []
    finally:
        folder.chmod(0o755)
        shutil.rmtree(folder)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("is_terminal", "as_json", "shows"), [(True, False, True), (False, False, False), (True, True, False)]
)
def test_the_bar_is_for_a_person_at_a_terminal(
    monkeypatch: pytest.MonkeyPatch, is_terminal: bool, as_json: bool, shows: bool
) -> None:
    screen = Terminal() if is_terminal else io.StringIO()
    monkeypatch.setattr(sys, "stderr", screen)
    monkeypatch.setenv("TERM", "xterm")

    with Console(as_json).progress("us20") as bar:
        bar(1, 2)

    assert ("us20" in screen.getvalue()) is shows
