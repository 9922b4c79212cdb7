"""The server as a process: what a person sees who ends it the way one ends things in a terminal."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import httpx2
import pytest
from parley.desk.errors import RunUnknown
from parley.service.access.store import AccessStore
from parley.service.api.settings import ServeSettings
from parley.service.console import Console
from parley.service.preparing import RunRequest
from parley.service.running import perform_run
from parley.service.serving import perform_serve

MOST_S = 3.0
"""Until the process is gone: a second, and what a busy machine needs besides."""
PASSWORD = "correct horse battery staple"


def test_a_run_that_is_not_there_is_refused_before_anything_is_served(tmp_path: Path) -> None:
    with pytest.raises(RunUnknown, match="'run-nope' names 0 runs"):
        perform_serve(ServeSettings(tmp_path / "book", run="run-nope", port=0), Console(as_json=True))


@pytest.mark.slow
def test_ctrl_c_ends_the_server_without_complaint_also_while_a_page_is_open(tmp_path: Path, six_names: Path) -> None:
    request = RunRequest(str(six_names), "2016-01-12", "2016-01-14", reports="none", book=tmp_path / "book")
    perform_run(request, Console(as_json=True))
    store = AccessStore(tmp_path / "book")
    store.add_user("vic", "viewer", PASSWORD)
    store.close()
    command = [sys.executable, "-m", "parley", "serve", "--port", "0", "--book", str(tmp_path / "book"), "--json"]
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PARLEY_")}
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=tmp_path, env=kept
    ) as process:
        try:
            assert process.stdout is not None and process.stderr is not None
            url = json.loads("".join(iter(process.stdout.readline, "}\n")) + "}")["url"]
            with httpx2.Client(base_url=url, headers={"Origin": url}, timeout=60) as page:
                page.post("/sign-in", data={"user": "vic", "password": PASSWORD})
                with page.stream("GET", "/live") as stream:
                    lines = stream.iter_lines()  # kept: a page that lets go of its lines is closed
                    assert any(line.startswith("id: ") for line in lines), "the log has a place"
                    process.send_signal(signal.SIGINT)
                    code = process.wait(MOST_S)
            said, complaint = process.stdout.read(), process.stderr.read()
        finally:
            process.kill()

    assert (code, said, complaint) == (0, "", "")
