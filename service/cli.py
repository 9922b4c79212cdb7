"""The `parley` command: its groups of commands, and what every one of them does with an error."""

import os
import sys
from typing import Annotated

import typer
from typer.exceptions import TyperException

from .. import ParleyError, __version__
from .commands.agents import agents
from .commands.alerts import alerts
from .commands.approvals import approvals_group
from .commands.asking import asking
from .commands.audit import audit
from .commands.chat import chats
from .commands.controls import controls
from .commands.data import data
from .commands.desk_reports import desk_reports
from .commands.evals import evals
from .commands.machine import machine
from .commands.markets import markets
from .commands.mcp import mcp
from .commands.memory import memory
from .commands.micro import micro
from .commands.models import models
from .commands.numbers import numbers
from .commands.options import FAILED, INTERRUPTED, MISUSED
from .commands.pairs import spreads
from .commands.runs import runs
from .commands.serving import serving
from .commands.texts import texts
from .commands.trading import trading
from .commands.unattended import unattended
from .commands.users import users
from .commands.venues import venues
from .commands.worth import worth
from .console import show_error, show_failure, show_interruption

app = typer.Typer(
    name="parley",
    help="A trading desk of agents that argue in words, take every number from tools, and answer to a risk gate.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
for commands in (
    runs,
    desk_reports,
    asking,
    evals,
    controls,
    alerts,
    approvals_group,
    numbers,
    trading,
    unattended,
    venues,
    micro,
    data,
    machine,
    models,
    markets,
    worth,
    spreads,
    audit,
    agents,
    texts,
    memory,
    chats,
    users,
    serving,
    mcp,
):
    app.add_typer(commands)


def _version(value: bool) -> None:
    if value:
        typer.echo(__version__)
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Print it.")] = False,
) -> None:
    """Parley."""


def main(arguments: list[str] | None = None) -> None:
    """Run the command; exit 0 when fine, 1 on a business failure, 2 when it could not be done as asked."""
    given = sys.argv[1:] if arguments is None else arguments
    as_json = "--json" in given
    try:
        code = typer.main.get_command(app)(given, prog_name="parley", standalone_mode=False)
        sys.stdout.flush()  # here, where a reader that has left can still be dealt with
        if code == INTERRUPTED:  # what typer makes of a Ctrl-C inside a command
            show_interruption(as_json)
    except ParleyError as error:
        show_error(as_json, error)
        code = MISUSED
    except TyperException as error:
        show_failure(as_json, "bad_use", error.format_message(), "See `parley --help`.")
        code = MISUSED
    except (typer.Abort, KeyboardInterrupt):
        show_interruption(as_json)
        code = INTERRUPTED
    except BrokenPipeError:
        # Whoever read our output has left; Python would complain once more when it flushes at the end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = FAILED
    except Exception as error:
        if os.environ.get("PARLEY_DEBUG"):
            raise
        remedy = "This is a fault of Parley: set PARLEY_DEBUG=1, run it again, and report what it says."
        show_failure(as_json, "internal_error", f"{type(error).__name__}: {error}", remedy)
        code = FAILED
    sys.exit(code if isinstance(code, int) else 0)
