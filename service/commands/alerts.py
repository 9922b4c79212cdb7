"""Commands about alerts: what stands, an answer to it, a test of the channels, and the watch itself."""

from pathlib import Path
from typing import Annotated

import typer

from ..console import Console
from .options import FAILED, BookOption, ConfigOption, JsonOption, group

alerts = group()
alert = group("alerts", "What people are told: drawdown, latency, errors, drift, halts, and who has answered.")
alerts.add_typer(alert)


@alert.command("list")
def list_alerts(
    every: Annotated[bool, typer.Option("--all", help="Those that are over as well.")] = False,
    book: BookOption = Path("book"),
    as_json: JsonOption = False,
) -> None:
    """What stands, the unanswered first; exit 1 while a critical one keeps the desk from opening."""
    from ..alerting.performing import perform_list

    if not perform_list(book, every, Console(as_json)):
        raise typer.Exit(FAILED)


@alert.command()
def ack(
    ident: Annotated[str, typer.Argument(metavar="ID", help="The alert, the beginning of its id, or `all`.")],
    reason: Annotated[str, typer.Option("--reason", help="What is done about it.")],
    user: Annotated[str | None, typer.Option("--user", help="Who answers; default your login name.")] = None,
    book: BookOption = Path("book"),
    as_json: JsonOption = False,
) -> None:
    """Answer an alert: nobody else is told, and a critical one no longer keeps the desk from opening."""
    from ..alerting.performing import perform_answer

    perform_answer(book, ident, reason, user, Console(as_json))


@alert.command()
def test(book: BookOption = Path("book"), config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """Send a test message over every channel that is set."""
    from ..alerting.performing import perform_test

    if not perform_test(book, config, Console(as_json)):
        raise typer.Exit(FAILED)


@alert.command()
def watch(
    once: Annotated[
        bool, typer.Option("--once", help="Walk over a run and list what it would have raised; nobody is told.")
    ] = False,
    run: Annotated[str | None, typer.Option(help="With --once: the run; default the desk's.")] = None,
    from_start: Annotated[
        bool, typer.Option("--from-start", help="Raise what was never watched, and not only what stands now.")
    ] = False,
    book: BookOption = Path("book"),
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Watch a book in this terminal, as `parley serve` and `parley trade` do by themselves."""
    from ..alerting.performing import perform_look_back, perform_watch

    if once:
        perform_look_back(book, run, config, Console(as_json))
        return
    if run is not None:
        raise typer.BadParameter("--run goes with --once.")
    perform_watch(book, config, from_start, Console(as_json))
