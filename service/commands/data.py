"""Commands about data sets."""

from pathlib import Path
from typing import Annotated

import typer

from ..console import Console
from .options import FAILED, BookOption, JsonOption, group

data = group("data", "Data sets: list, check, import.")


@data.command("list")
def data_list(book: BookOption = Path("book"), as_json: JsonOption = False) -> None:
    """The data sets that come with the installation, and those imported into the book."""
    from ..data_sets import perform_data_list

    perform_data_list(book, Console(as_json))


@data.command("import")
def data_import(
    path: Annotated[Path, typer.Argument(help="A Parquet or CSV file; docs/data.md has its columns.")],
    name: Annotated[str, typer.Option("--name", help="What to call it from now on.")],
    sort: Annotated[bool, typer.Option("--sort", help="Sort rows and drop exact repeats.")] = False,
    book: BookOption = Path("book"),
    as_json: JsonOption = False,
) -> None:
    """Check a file and keep it in the book under a name."""
    from ..data_sets import perform_data_import

    perform_data_import(path, name, sort, book, Console(as_json))


@data.command("check")
def data_check(
    name: Annotated[str, typer.Argument(help="A data set's name, or a Parquet or CSV file.")],
    book: BookOption = Path("book"),
    as_json: JsonOption = False,
) -> None:
    """Report gaps, duplicates, absurd prices, stale runs, splits and ragged names; exit 1 where it can't be loaded."""
    from ..data_sets import perform_data_check

    if not perform_data_check(name, book, Console(as_json)):
        raise typer.Exit(FAILED)
