"""Commands about who may use the desk over the network: users, roles, passwords, tokens."""

from pathlib import Path
from typing import Annotated

import typer

from ..console import Console
from .options import BookOption, JsonOption, group

users = group()
user = group("user", "Who may sign in, and with what role: viewer, operator, risk_officer or admin.")
users.add_typer(user)

NameArgument = Annotated[str, typer.Argument(help="The user's name.")]
RoleOption = Annotated[str, typer.Option(help="viewer, operator, risk_officer or admin.")]


@user.command()
def add(
    name: NameArgument, role: RoleOption = "viewer", book: BookOption = Path("book"), as_json: JsonOption = False
) -> None:
    """Add a user; the password is asked for, or read from standard input."""
    from ..access.managing import perform_add

    perform_add(book, name, role, Console(as_json))


@user.command("list")
def list_users(book: BookOption = Path("book"), as_json: JsonOption = False) -> None:
    """Users and tokens."""
    from ..access.managing import perform_list

    perform_list(book, Console(as_json))


@user.command()
def disable(name: NameArgument, book: BookOption = Path("book"), as_json: JsonOption = False) -> None:
    """Shut a user out, with all sessions and tokens: of a running server within a second."""
    from ..access.managing import perform_disable

    perform_disable(book, name, True, Console(as_json))


@user.command()
def enable(name: NameArgument, book: BookOption = Path("book"), as_json: JsonOption = False) -> None:
    """Let a user in again."""
    from ..access.managing import perform_disable

    perform_disable(book, name, False, Console(as_json))


@user.command()
def role(
    name: NameArgument,
    to: Annotated[str, typer.Argument(help="The new role.")],
    book: BookOption = Path("book"),
    as_json: JsonOption = False,
) -> None:
    """Give a user another role."""
    from ..access.managing import perform_role

    perform_role(book, name, to, Console(as_json))


@user.command()
def password(name: NameArgument, book: BookOption = Path("book"), as_json: JsonOption = False) -> None:
    """Set a new password; it is asked for, or read from standard input."""
    from ..access.managing import perform_password

    perform_password(book, name, Console(as_json))


@user.command()
def token(
    name: NameArgument,
    scope: Annotated[
        list[str] | None, typer.Option(help="read, chat, act or admin; several times for several.")
    ] = None,
    days: Annotated[int, typer.Option(help="How long it lasts.")] = 30,
    label: Annotated[str, typer.Option(help="What it is for.")] = "",
    book: BookOption = Path("book"),
    as_json: JsonOption = False,
) -> None:
    """Make a token for a program; it is shown once. Without --scope it may read and chat."""
    from ..access.managing import perform_token

    perform_token(book, name, scope or ["read", "chat"], days, label, Console(as_json))


@user.command()
def revoke(
    token_id: Annotated[str, typer.Argument(help="The token's id, from `parley user list`.")],
    book: BookOption = Path("book"),
    as_json: JsonOption = False,
) -> None:
    """End a token."""
    from ..access.managing import perform_revoke

    perform_revoke(book, token_id, Console(as_json))


@user.command()
def log(
    last: Annotated[int, typer.Option(min=1, max=10_000, help="How many calls to show.")] = 20,
    book: BookOption = Path("book"),
    as_json: JsonOption = False,
) -> None:
    """The last calls to the desk, and whether the record of them is whole."""
    from ..access.managing import perform_log

    perform_log(book, last, Console(as_json))
