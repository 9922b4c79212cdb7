"""A desk that serves a book beside this process, for the loads that ask it: where it answers, and what it uses."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Served:
    """A server that answers."""

    url: str
    api: str
    pid: int

    def cpu_s(self) -> float:
        """User and system time of its process so far."""
        fields = Path(f"/proc/{self.pid}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextmanager
def served(book: Path, run: str | None = None) -> Iterator[Served]:
    """Serve the book, or one run of it, on a port that is free; the server ends with the block."""
    chosen = () if run is None else ("--run", run)
    command = [sys.executable, "-m", "parley", "serve", "--port", "0", "--book", str(book), *chosen, "--json"]
    serve = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert serve.stdout is not None
    try:
        said = ""
        while not said.endswith("}\n"):
            line = serve.stdout.readline()
            if not line:
                raise SystemExit(f"the server ended before it could be asked; it said {said!r}")
            said += line
        document = json.loads(said)
        yield Served(document["url"], document["api"], serve.pid)
    finally:
        serve.kill()
        serve.wait()
