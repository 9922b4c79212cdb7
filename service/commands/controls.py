"""Commands that restrict a desk, give it free again, and say where it stands."""

from pathlib import Path
from typing import Annotated

import typer

from ..console import Console
from .options import FAILED, BookOption, ConfigOption, JsonOption, group

controls = group()

ReasonOption = Annotated[str, typer.Option("--reason", help="Why; it goes into the log.")]
UserOption = Annotated[str | None, typer.Option("--user", help="Who asks; default your login name.")]
ScopeOption = Annotated[str | None, typer.Option("--scope", help="account, instrument:NAME, venue:NAME.")]


@controls.command()
def halt(
    reason: ReasonOption,
    scope: ScopeOption = None,
    user: UserOption = None,
    book: BookOption = Path("book"),
    as_json: JsonOption = False,
) -> None:
    """Stop trading: nothing new is sent, open orders are taken back. Works when nothing else does."""
    from ..controlling import Request, perform_halt

    perform_halt(Request("halt", book, reason, user, scope), Console(as_json))


@controls.command()
def reduce(
    reason: ReasonOption,
    scope: ScopeOption = None,
    user: UserOption = None,
    book: BookOption = Path("book"),
    as_json: JsonOption = False,
) -> None:
    """Only take risk off from now on."""
    from ..controlling import Request, perform_request

    if not perform_request(Request("reduce", book, reason, user, scope), Console(as_json)):
        raise typer.Exit(FAILED)


@controls.command()
def resume(
    reason: ReasonOption,
    scope: ScopeOption = None,
    anyway: Annotated[bool, typer.Option("--anyway", help="Although its figure is still outside its band.")] = False,
    user: UserOption = None,
    book: BookOption = Path("book"),
    as_json: JsonOption = False,
) -> None:
    """Give free what a breaker or a person restricted."""
    from ..controlling import Request, flag_shown, perform_resume

    detail = {"anyway": True} if anyway else {}
    request = Request("resume", book, reason, user, scope, {**detail})
    if not perform_resume(request, Console(as_json), flag_shown(book)):
        raise typer.Exit(FAILED)


@controls.command()
def flatten(
    reason: ReasonOption,
    symbols: Annotated[str | None, typer.Option(help="Names to sell, with commas; default all.")] = None,
    user: UserOption = None,
    book: BookOption = Path("book"),
    as_json: JsonOption = False,
) -> None:
    """Sell what is held, in steps and through the gate, in the session at hand or the next one."""
    from ..controlling import Request, perform_request, symbols_detail

    if not perform_request(Request("flatten", book, reason, user, None, symbols_detail(symbols)), Console(as_json)):
        raise typer.Exit(FAILED)


@controls.command()
def cancel(
    reason: ReasonOption,
    order: Annotated[str | None, typer.Argument(metavar="ORDER", help="Id of a parent order.")] = None,
    every: Annotated[bool, typer.Option("--all", help="Every order of the plan that is worked.")] = False,
    user: UserOption = None,
    book: BookOption = Path("book"),
    as_json: JsonOption = False,
) -> None:
    """Take an order back for the rest of its session, or all of them."""
    from ..controlling import Request, orders_detail, perform_request

    if (order is None) is not every:
        raise typer.BadParameter("Name one order, or give --all.")
    if not perform_request(Request("cancel", book, reason, user, None, orders_detail(order)), Console(as_json)):
        raise typer.Exit(FAILED)


@controls.command()
def ack(
    ident: Annotated[str, typer.Argument(metavar="ID", help="The notification, the beginning of its id, or `all`.")],
    reason: ReasonOption,
    user: UserOption = None,
    book: BookOption = Path("book"),
    as_json: JsonOption = False,
) -> None:
    """Say that you have seen a critical notification; until then no session opens."""
    from ..controlling import Request, perform_acknowledge

    if not perform_acknowledge(ident, Request("acknowledge", book, reason, user), Console(as_json)):
        raise typer.Exit(FAILED)


@controls.command()
def status(book: BookOption = Path("book"), as_json: JsonOption = False) -> None:
    """What the desk may do, why, and what waits for a person."""
    from ..controlling import perform_status

    if not perform_status(book, Console(as_json)):
        raise typer.Exit(FAILED)


@controls.command()
def watchdog(
    max_age_s: Annotated[float, typer.Option("--max-age-s", min=1.5, help="How old a heartbeat may be.")] = 10.0,
    once: Annotated[bool, typer.Option("--once", help="Look once and end.")] = False,
    book: BookOption = Path("book"),
    as_json: JsonOption = False,
) -> None:
    """Stand beside a running desk and halt it when its heartbeat goes cold. Run it as a process of its own."""
    from ..drilling import perform_watchdog

    if not perform_watchdog(book, max_age_s, once, Console(as_json)):
        raise typer.Exit(FAILED)


@controls.command()
def drill(
    name: Annotated[str | None, typer.Argument(metavar="NAME", help="A drill; `list` names them.")] = None,
    every: Annotated[bool, typer.Option("--all", help="Every drill, one after the other.")] = False,
    book: BookOption = Path("book"),
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Provoke an emergency on a copy of a book's last days, and print what happened."""
    from ..drilling import perform_drill

    if not perform_drill(name, every, book, config, Console(as_json)):
        raise typer.Exit(FAILED)
