"""Commands about working orders: how to trade one, and what the trades of a run cost."""

from pathlib import Path
from typing import Annotated

import typer

from ..console import Console
from ..cost_tables import CostsBy
from .options import BookOption, ConfigOption, DataOption, JsonOption, group

trading = group()


@trading.command()
def schedule(
    symbol: Annotated[str, typer.Argument(help="What to trade.")],
    side: Annotated[str, typer.Argument(help="buy or sell.")],
    quantity: Annotated[int, typer.Argument(help="Shares.")],
    data: DataOption = None,
    intraday: Annotated[
        str | None, typer.Option("--intraday", help="Recorded minutes or ticks for the volume curve and the spread.")
    ] = None,
    as_of: Annotated[
        str | None, typer.Option("--as-of", help="The close before the session; default the last.")
    ] = None,
    horizon_minutes: Annotated[int, typer.Option("--horizon-minutes", help="From the open on.")] = 390,
    slices: Annotated[int, typer.Option("--slices", help="Equal parts of the horizon.")] = 13,
    risk_aversion: Annotated[
        float | None, typer.Option("--risk-aversion", help="Per unit of cash; default 1 over the desk's equity.")
    ] = None,
    out: Annotated[Path | None, typer.Option("--out", help="HTML file to write.")] = None,
    book: BookOption = Path("book"),
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Every way to work one order side by side: slices, expected cost, risk, and the one to take."""
    from ..scheduling import ScheduleRequest, perform_schedule

    request = ScheduleRequest(
        symbol, side, quantity, data, intraday, as_of, horizon_minutes, slices, risk_aversion, out, book, config
    )
    perform_schedule(request, Console(as_json))


@trading.command()
def costs(
    run_name: Annotated[str | None, typer.Argument(metavar="RUN", help="Run id; default the latest.")] = None,
    by: Annotated[
        CostsBy | None, typer.Option("--by", help="One table only: each order, algorithm or venue against the market.")
    ] = None,
    out: Annotated[Path | None, typer.Option("--out", help="HTML file to write.")] = None,
    book: BookOption = Path("book"),
    as_json: JsonOption = False,
) -> None:
    """What a run's trading cost and why, against the market and the forecast, by order, algorithm and venue."""
    from ..costing import perform_costs

    perform_costs(run_name, out, book, Console(as_json), by)


@trading.command("execution-study")
def execution_study(
    recordings: Annotated[
        Path | None,
        typer.Option("--recordings", help="Folder with intraday/ and orderbook/; default PARLEY_SHARED_DATA."),
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", help="Markdown file to write, such as docs/execution.md.")
    ] = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """The algorithms on recorded sessions: shortfall against TWAP, routing regret, predicted against realised cost."""
    from ..execution_study import perform_execution_study

    perform_execution_study(recordings, out, config, Console(as_json))
