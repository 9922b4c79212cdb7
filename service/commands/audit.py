"""Commands for whoever audits the desk: one order's whole life as a file, and which facts the log keeps."""

from pathlib import Path
from typing import Annotated

import typer

from ..console import Console
from .options import BookOption, JsonOption, group

audit = group()


@audit.command()
def export(
    ident: Annotated[str, typer.Argument(metavar="ORDER", help="A parent order's or a child's id.")],
    out: Annotated[Path | None, typer.Option("--out", help="JSON file to write; default in the run's folder.")] = None,
    run_name: Annotated[str | None, typer.Option("--run", help="Run to look in; default the latest.")] = None,
    book: BookOption = Path("book"),
    as_json: JsonOption = False,
) -> None:
    """Write an order's whole life as JSON, with the piece of the chain that proves it offline."""
    from ..exporting import perform_export

    perform_export(ident, out, run_name, book, Console(as_json))


@audit.command("audit-fields")
def audit_fields(as_json: JsonOption = False) -> None:
    """Which facts an auditor may ask for, where the log keeps each, and what it does not keep."""
    from ..audit_fields import perform_audit_fields

    perform_audit_fields(Console(as_json))
