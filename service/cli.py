"""The `parley` command: thin functions that parse options, call the desk, and print."""

import os
import sys
from pathlib import Path
from typing import Annotated

import typer
from typer.exceptions import TyperException

from .. import ParleyError, __version__
from .console import Console, show_error, show_failure, show_interruption

app = typer.Typer(
    name="parley",
    help="A trading desk of agents that argue in words, take every number from tools, and answer to a risk gate.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # rich costs a quarter of a second, which `--help` does not have
)
data_app = typer.Typer(help="Data sets: list, check, import.", no_args_is_help=True, rich_markup_mode=None)
app.add_typer(data_app, name="data")

FAILED, MISUSED, INTERRUPTED = 1, 2, 130

BookOption = Annotated[Path, typer.Option("--book", envvar="PARLEY_BOOK", help="Where runs are kept.")]
JsonOption = Annotated[bool, typer.Option("--json", help="One JSON document on stdout, nothing else.")]
ConfigOption = Annotated[Path | None, typer.Option("--config", help="Settings file; default parley.toml here.")]
DataOption = Annotated[str | None, typer.Option("--data", help="A data set's name, or a Parquet or CSV file.")]
ModelOption = Annotated[str | None, typer.Option("--model", help="`rules`, or a model of the configured endpoint.")]
SeedOption = Annotated[int | None, typer.Option("--seed", min=0, help="Seed of the synthetic intraday paths.")]
StartOption = Annotated[str | None, typer.Option("--start", help="First session, YYYY-MM-DD.")]
EndOption = Annotated[str | None, typer.Option("--end", help="Last session, YYYY-MM-DD.")]


@app.command()
def run(
    data: DataOption = None,
    start: StartOption = None,
    end: EndOption = None,
    model: ModelOption = None,
    seed: SeedOption = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with a run that was cut off.")] = False,
    reports: Annotated[str, typer.Option(help="Pages to write: traded, all, or none.")] = "traded",
    book: BookOption = Path("book"),
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Replay recorded days through the whole desk."""
    from .preparing import RunRequest
    from .running import perform_run

    request = RunRequest(data, start, end, model, seed, resume, reports, book, config)
    perform_run(request, Console(as_json))


@app.command()
def decide(
    as_of: Annotated[str, typer.Option("--as-of", help="The close to decide at: YYYY-MM-DD, or a time in UTC.")],
    data: DataOption = None,
    model: ModelOption = None,
    book: BookOption = Path("book"),
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Make one decision with an empty book and print it with its reasons."""
    from .deciding import perform_decide

    if not perform_decide(as_of, data, model, book, config, Console(as_json)):
        raise typer.Exit(FAILED)


@app.command()
def explain(
    ident: Annotated[str, typer.Argument(metavar="ID", help="A decision or order id, or `run`.")],
    out: Annotated[Path | None, typer.Option("--out", help="HTML file to write; the JSON twin goes beside it.")] = None,
    run_name: Annotated[str | None, typer.Option("--run", help="Run to look in; default the latest.")] = None,
    book: BookOption = Path("book"),
    as_json: JsonOption = False,
) -> None:
    """Write the report of a trade, a decision or a no-trade decision."""
    from .explaining import perform_explain

    perform_explain(ident, out, run_name, book, Console(as_json))


@app.command()
def replay(
    run_name: Annotated[str | None, typer.Argument(metavar="RUN", help="Run id; default the latest.")] = None,
    book: BookOption = Path("book"),
    as_json: JsonOption = False,
) -> None:
    """Make every decision of a run again from its log, with no model call, and compare bytes."""
    from .checking import perform_replay

    if not perform_replay(run_name, book, Console(as_json)):
        raise typer.Exit(FAILED)


@app.command()
def verify(
    run_name: Annotated[str | None, typer.Argument(metavar="RUN", help="Run id; default the latest.")] = None,
    book: BookOption = Path("book"),
    as_json: JsonOption = False,
) -> None:
    """Walk a run's hash chain, rebuild its read models, and compare."""
    from .checking import perform_verify

    if not perform_verify(run_name, book, Console(as_json)):
        raise typer.Exit(FAILED)


@app.command()
def risk(
    data: DataOption = None,
    weights: Annotated[Path | None, typer.Option("--weights", help="CSV of symbol,weight.")] = None,
    as_of: Annotated[str | None, typer.Option("--as-of", help="The close to measure at; default the last.")] = None,
    run_name: Annotated[str | None, typer.Option("--run", help="Run whose book is meant; default the latest.")] = None,
    level: Annotated[float, typer.Option("--level", help="Confidence of VaR and ES.")] = 0.99,
    out: Annotated[Path | None, typer.Option("--out", help="HTML file to write.")] = None,
    book: BookOption = Path("book"),
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Tail risk by every method, its parts, stress, exits and hedges, of a run's book or of any weights."""
    from .risking import RiskRequest, perform_risk

    perform_risk(RiskRequest(data, weights, as_of, run_name, level, out, book, config), Console(as_json))


@app.command()
def portfolio(
    data: DataOption = None,
    as_of: Annotated[str | None, typer.Option("--as-of", help="The close to build at; default the last.")] = None,
    method: Annotated[str | None, typer.Option("--method", help="Write this method's weights with --weights.")] = None,
    weights: Annotated[Path | None, typer.Option("--weights", help="CSV of symbol,weight to write.")] = None,
    out: Annotated[Path | None, typer.Option("--out", help="HTML file to write.")] = None,
    book: BookOption = Path("book"),
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Books by every construction method side by side, with the efficient frontier."""
    from .allocating import PortfolioRequest, perform_portfolio

    perform_portfolio(PortfolioRequest(data, as_of, method, weights, out, book, config), Console(as_json))


@app.command()
def price(
    kind: Annotated[str | None, typer.Argument(help="call or put; leave it out with --chain.")] = None,
    spot: Annotated[float | None, typer.Option("--spot", help="Price of the underlying.")] = None,
    strike: Annotated[float | None, typer.Option("--strike")] = None,
    years: Annotated[float | None, typer.Option("--years", help="To expiry.")] = None,
    rate: Annotated[float, typer.Option("--rate", help="Continuous, as a fraction a year.")] = 0.0,
    vol: Annotated[float | None, typer.Option("--vol", help="Annual, as a fraction.")] = None,
    dividend_yield: Annotated[float, typer.Option("--dividend-yield", help="Continuous, a fraction a year.")] = 0.0,
    market: Annotated[
        float | None, typer.Option("--market", help="Quoted price: gives the implied volatility.")
    ] = None,
    american: Annotated[bool, typer.Option("--american", help="May be exercised early: a binomial tree.")] = False,
    chain: Annotated[Path | None, typer.Option("--chain", help="Parquet or CSV of an option chain.")] = None,
    as_of: Annotated[str | None, typer.Option("--as-of", help="Day of the chain; default its last.")] = None,
    out: Annotated[Path | None, typer.Option("--out", help="HTML file to write for a chain.")] = None,
    book: BookOption = Path("book"),
    as_json: JsonOption = False,
) -> None:
    """Price an option with its Greeks, find an implied volatility, or read a whole chain."""
    from .pricing import PriceRequest, perform_price

    request = PriceRequest(
        kind, spot, strike, years, rate, vol, dividend_yield, market, american, chain, as_of, out, book
    )
    perform_price(request, Console(as_json))


@app.command("risk-models")
def risk_models(
    data: DataOption = None,
    start: StartOption = None,
    end: EndOption = None,
    out: Annotated[Path | None, typer.Option("--out", help="Markdown file to write the table to.")] = None,
    book: BookOption = Path("book"),
    as_json: JsonOption = False,
) -> None:
    """Backtest every VaR and ES model on an equal-weighted book, day by day, out of sample."""
    from .validating import perform_risk_models

    perform_risk_models(data, start, end, out, book, Console(as_json))


@data_app.command("list")
def data_list(book: BookOption = Path("book"), as_json: JsonOption = False) -> None:
    """The data sets that come with the installation, and those imported into the book."""
    from .data_sets import perform_data_list

    perform_data_list(book, Console(as_json))


@data_app.command("import")
def data_import(
    path: Annotated[Path, typer.Argument(help="A Parquet or CSV file; docs/data.md has its columns.")],
    name: Annotated[str, typer.Option("--name", help="What to call it from now on.")],
    sort: Annotated[bool, typer.Option("--sort", help="Sort rows and drop exact repeats.")] = False,
    book: BookOption = Path("book"),
    as_json: JsonOption = False,
) -> None:
    """Check a file and keep it in the book under a name."""
    from .data_sets import perform_data_import

    perform_data_import(path, name, sort, book, Console(as_json))


@data_app.command("check")
def data_check(
    name: Annotated[str, typer.Argument(help="A data set's name, or a Parquet or CSV file.")],
    book: BookOption = Path("book"),
    as_json: JsonOption = False,
) -> None:
    """Report gaps, duplicates, absurd prices, stale runs, splits and ragged names."""
    from .data_sets import perform_data_check

    perform_data_check(name, book, Console(as_json))


@app.command()
def doctor(book: BookOption = Path("book"), config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """What is configured, what can be reached, what is missing."""
    from .doctor import perform_doctor

    if not perform_doctor(book, config, Console(as_json)):
        raise typer.Exit(FAILED)


@app.command()
def bench(
    what: Annotated[str | None, typer.Argument(help="`decision` or `fast-path`; default both.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Time the desk on this machine and print the figures beside their goals."""
    from .benching import perform_bench

    if not perform_bench(what, Console(as_json)):
        raise typer.Exit(FAILED)


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
