"""Commands for plans that wait for a person."""

from pathlib import Path
from typing import Annotated

import typer

from ..console import Console
from .controls import ReasonOption, UserOption
from .options import FAILED, BookOption, JsonOption, group

approvals_group = group()

IdArgument = Annotated[str, typer.Argument(metavar="ID", help="The decision whose plan waits, or the id's beginning.")]


@approvals_group.command()
def approvals(
    run: Annotated[str | None, typer.Argument(metavar="RUN", help="A run; default the desk's own.")] = None,
    book: BookOption = Path("book"),
    as_json: JsonOption = False,
) -> None:
    """Plans that wait for a person's yes, and what was answered before."""
    from ..approving import perform_approvals

    perform_approvals(run, book, Console(as_json))


@approvals_group.command()
def approve(
    ident: IdArgument,
    reason: ReasonOption,
    user: UserOption = None,
    book: BookOption = Path("book"),
    as_json: JsonOption = False,
) -> None:
    """Say yes to the plan that waits; the gate still reviews it, and each of its orders, again."""
    from ..approving import perform_answer

    if not perform_answer("approve", ident, book, reason, user, Console(as_json)):
        raise typer.Exit(FAILED)


@approvals_group.command()
def reject(
    ident: IdArgument,
    reason: ReasonOption,
    user: UserOption = None,
    book: BookOption = Path("book"),
    as_json: JsonOption = False,
) -> None:
    """Say no to the plan that waits: none of its orders is sent."""
    from ..approving import perform_answer

    if not perform_answer("reject", ident, book, reason, user, Console(as_json)):
        raise typer.Exit(FAILED)
