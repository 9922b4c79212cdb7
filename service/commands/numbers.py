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
    section: Annotated[
        list[str] | None, typer.Option("--section", help="Print only this part; may be given more than once.")
    ] = None,
    out: Annotated[Path | None, typer.Option("--out", help="HTML file to write.")] = None,
    book: BookOption = Path("book"),
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Tail risk by every method, its parts, the far tail, stress, exits, hedges and a backtest of any weights."""
    from ..risking import RiskRequest, perform_risk

    request = RiskRequest(data, weights, as_of, run_name, level, out, book, config, tuple(section or ()))
    perform_risk(request, Console(as_json))


@numbers.command()
def portfolio(
    data: DataOption = None,
    as_of: Annotated[str | None, typer.Option("--as-of", help="The close to build at; default the last.")] = None,
    method: Annotated[
        str | None, typer.Option("--method", help="Write this method's weights with --weights, or trade to it.")
    ] = None,
    weights: Annotated[Path | None, typer.Option("--weights", help="CSV of symbol,weight to write.")] = None,
    max_sector: Annotated[float | None, typer.Option("--max-sector", help="Most of a sector, such as 0.25.")] = None,
    beta_between: Annotated[
        tuple[float, float] | None, typer.Option("--beta-between", help="Lowest and highest market beta.")
    ] = None,
    factors: Annotated[
        Path | None, typer.Option("--factors", help="Parquet or CSV of daily factor returns; date and names.")
    ] = None,
    held: Annotated[Path | None, typer.Option("--from", help="CSV of symbol,weight that is held now.")] = None,
    since: Annotated[str | None, typer.Option("--since", help="Day of the weights of --from; they drift.")] = None,
    from_run: Annotated[bool, typer.Option("--from-run", help="Trade from what a run held when it ended.")] = False,
    run_name: Annotated[str | None, typer.Option("--run", help="That run; default the latest.")] = None,
    view: Annotated[
        list[str] | None,
        typer.Option("--view", help="SYMBOL=RETURN@CONFIDENCE, such as AAPL=0.12@0.6; may be given more than once."),
    ] = None,
    out: Annotated[Path | None, typer.Option("--out", help="HTML file to write.")] = None,
    book: BookOption = Path("book"),
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Books by every construction method, what sizes them, what drives them, and the way from a held book to one."""
    from ...tools.window import AskedLimits
    from ..allocating import PortfolioRequest, perform_portfolio

    low, high = beta_between or (None, None)
    asked = AskedLimits(max_sector, low, high)
    request = PortfolioRequest(
        data,
        as_of,
        method,
        weights,
        out,
        book,
        config,
        asked,
        factors,
        held,
        since,
        run_name,
        from_run,
        tuple(view or ()),
    )
    perform_portfolio(request, Console(as_json))


@numbers.command()
def price(
    kind: Annotated[str | None, typer.Argument(help="call or put; leave it out with --chain.")] = None,
    spot: Annotated[float | None, typer.Option("--spot", help="Price of the underlying.")] = None,
    strike: Annotated[float | None, typer.Option("--strike")] = None,
    years: Annotated[float | None, typer.Option("--years", help="To expiry.")] = None,
    rate: Annotated[float, typer.Option("--rate", help="Continuous, as a fraction a year.")] = 0.0,
    vol: Annotated[float | None, typer.Option("--vol", help="Annual, as a fraction.")] = None,
    dividend_yield: Annotated[float, typer.Option("--dividend-yield", help="Continuous; of a future, the rate.")] = 0.0,
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
