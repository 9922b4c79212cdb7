"""What the command line prints: one JSON document for machines, or short text for people; never both."""

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from .. import ParleyError

PLAIN_WIDTH = 120
"""Columns of a table that goes to a file or a pipe."""


class Console:
    """Output of one command. With `as_json`, only `result` and `failure` write, once, to stdout; `line` often."""

    def __init__(self, as_json: bool) -> None:
        self.as_json = as_json

    def result(self, document: Mapping[str, Any]) -> None:
        """The one JSON document of the command; nothing in text mode."""
        if self.as_json:
            sys.stdout.write(json.dumps(document, indent=2, allow_nan=False) + "\n")

    def line(self, document: Mapping[str, Any]) -> None:
        """One of many documents of a command that goes on: each in a line of its own, and out at once."""
        if self.as_json:
            sys.stdout.write(json.dumps(document, allow_nan=False) + "\n")
            sys.stdout.flush()

    def say(self, text: str = "") -> None:
        """A line for people."""
        if not self.as_json:
            sys.stdout.write(text + "\n")

    def table(self, title: str, header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        """A table for people: first column to the left, the rest to the right."""
        if self.as_json:
            return
        from rich import box
        from rich.console import Console as Rich
        from rich.table import Table

        table = Table(title=title, box=box.SIMPLE_HEAD, title_justify="left", title_style="bold")
        for place, name in enumerate(header):
            table.add_column(name, justify="left" if place == 0 else "right")
        for row in rows:
            table.add_row(*row)
        width = None if sys.stdout.isatty() else PLAIN_WIDTH
        Rich(highlight=False, width=width).print(table)

    @contextmanager
    def progress(self, what: str) -> Iterator[Any]:
        """A progress bar on stderr; the value is a function of (done, total)."""
        if self.as_json or not sys.stderr.isatty():
            yield lambda done, total: None
            return
        from rich.console import Console as Rich
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        with Progress(*columns, console=Rich(stderr=True), transient=True) as bar:
            task = bar.add_task(what, total=None)
            yield lambda done, total: bar.update(task, completed=done, total=total)


def show_failure(as_json: bool, code: str, message: str, remedy: str) -> None:
    """An error, with what to do next."""
    if as_json:
        error = {"code": code, "message": message, "remedy": remedy}
        sys.stdout.write(json.dumps({"error": error}, indent=2) + "\n")
        return
    sys.stderr.write(f"error: {message}\n")
    if remedy:
        sys.stderr.write(f"  try: {remedy}\n")


def show_interruption(as_json: bool) -> None:
    """Ctrl-C is no error: one line, and where to go on."""
    remedy = "a run goes on where it stopped with `parley run --resume`"
    if as_json:
        show_failure(True, "interrupted", "interrupted", remedy)
    else:
        sys.stderr.write(f"interrupted; {remedy}\n")


def show_error(as_json: bool, error: ParleyError) -> None:
    show_failure(as_json, error.code, error.message, error.remedy)
