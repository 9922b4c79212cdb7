"""Commands about what a desk remembers."""

from pathlib import Path
from typing import Annotated

import typer

from ..console import Console
from .options import BookOption, JsonOption, group

memory = group("memory", "Lessons of a run: list, search, and make their index again.")

RunOption = Annotated[str | None, typer.Option("--run", help="Run to look at; default the latest.")]
AsOfOption = Annotated[
    str | None, typer.Option("--as-of", help="Only what was known by then: YYYY-MM-DD, or a moment with its zone.")
]


@memory.command("list")
def memory_list(
    run_name: RunOption = None, as_of: AsOfOption = None, book: BookOption = Path("book"), as_json: JsonOption = False
) -> None:
    """The lessons that a run's log holds, the newest last."""
    from ..remembering import perform_memory_list

    perform_memory_list(run_name, as_of, book, Console(as_json))


@memory.command("search")
def memory_search(
    text: Annotated[str, typer.Argument(help="Words of setups and outcomes, and symbols: calm up BUY wrong KO.")],
    run_name: RunOption = None,
    as_of: AsOfOption = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=1000, help="How many at most.")] = 10,
    book: BookOption = Path("book"),
    as_json: JsonOption = False,
) -> None:
    """The lessons with most of these words."""
    from ..remembering import perform_memory_search

    perform_memory_search(text, run_name, as_of, limit, book, Console(as_json))


@memory.command("rebuild")
def memory_rebuild(run_name: RunOption = None, book: BookOption = Path("book"), as_json: JsonOption = False) -> None:
    """Make the index of lessons again from the log, whatever is there."""
    from ..remembering import perform_memory_rebuild

    perform_memory_rebuild(run_name, book, Console(as_json))
