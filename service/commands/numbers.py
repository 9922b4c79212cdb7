"""Commands that measure and build books and price options."""

from pathlib import Path
from typing import Annotated

import typer

from ..console import Console
from .options import BookOption, ConfigOption, DataOption, EndOption, JsonOption, StartOption, group

numbers = group()


@numbers.command()
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
    from ..risking import RiskRequest, perform_risk

    perform_risk(RiskRequest(data, weights, as_of, run_name, level, out, book, config), Console(as_json))


@numbers.command()
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
    from ..allocating import PortfolioRequest, perform_portfolio

    perform_portfolio(PortfolioRequest(data, as_of, method, weights, out, book, config), Console(as_json))


@numbers.command()
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
    from ..pricing import PriceRequest, perform_price

    request = PriceRequest(
        kind, spot, strike, years, rate, vol, dividend_yield, market, american, chain, as_of, out, book
    )
    perform_price(request, Console(as_json))


@numbers.command("risk-models")
def risk_models(
    data: DataOption = None,
    start: StartOption = None,
    end: EndOption = None,
    out: Annotated[Path | None, typer.Option("--out", help="Markdown file to write the table to.")] = None,
    book: BookOption = Path("book"),
    as_json: JsonOption = False,
) -> None:
    """Backtest every VaR and ES model on an equal-weighted book, day by day, out of sample."""
    from ..validating import perform_risk_models

    perform_risk_models(data, start, end, out, book, Console(as_json))
