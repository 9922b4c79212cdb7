"""The `costs` command: what a run's trading cost by cause, how well it was forecast, and impact measured anew."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from ..desk.book import Book, RunFolder, open_log
from ..desk.settings import settings_of_run
from ..domain.canonical import short_id
from ..domain.decisions import Evidence
from ..domain.events import ChildDenied, ChildSubmitted, OrderClosed, PortfolioMarked
from ..evals.fidelity import venue_kind
from ..market.cards import DataCard, DataSet
from ..memory.history import run_started
from ..memory.log import EventLog
from ..memory.sent_orders import rests
from ..tools.attributed import PARTS
from ..tools.costs import cost_attribution, impact_calibration
from ..tools.executed import ExecutedOrder, executed_orders
from ..tools.ledger import Ledger
from ..tools.order_benchmarks import MarketAround
from ..tools.post_trade import post_trade
from ..tools.venues import venue_performance
from .console import Console
from .cost_tables import CostsBy, grouped_rows, print_grouped
from .pages.costs import cents_of, costs_page
from .pages.trade import COSTS
from .pages.twin import Twin
from .reports import Report, write_report

FITS = {
    "past_touch": "past the touch, by the desk's volatility",
    "past_touch_quarter": "past the touch, by the last quarter's volatility",
    "against_arrival": "against arrival, by the desk's volatility",
}
VENUE_HEADER = (
    "venue",
    "fills",
    "sent",
    "filled",
    "effective spread",
    "past touch",
    "fees",
    "median wait s",
    "made by",
)
DEAREST = 8
MOST_MONTHS = 24
"""Rows of the printed table; a longer run is shown by year."""


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Orders of the log that are in no figure: those still being worked, and protective ones that nothing traded.
    `protective` are those that did."""

    still_open: int
    taken_back: int
    protective: int


def perform_costs(
    run_name: str | None, out: Path | None, book: Path, console: Console, by: CostsBy | None = None
) -> None:
    folder = Book(book).find(run_name)
    ledger, head, left_out, data = measured_costs(folder)
    venue = _venue_of(ledger, is_recorded=data.recordings is not None)
    report = _report(folder.run_id, ledger.entries, data.card, venue, has_protective=left_out.protective > 0)
    named = Report(COSTS if out is None else out.stem, report.kind, report.html, report.data)
    html, twin = write_report(named, folder.reports_path if out is None else out.parent)
    document: dict[str, Any] = {entry.tool: entry.output for entry in ledger.entries}
    console.result(
        {
            "id": report.id,
            "run": folder.run_id,
            "head": head,
            "as_of": ledger.entries[0].as_of.isoformat(),
            "orders_still_open": left_out.still_open,
            "protective_orders": {"traded": left_out.protective, "taken_back": left_out.taken_back},
            **({} if by is None else {"by": by.value, "rows": grouped_rows(document, by)}),
            **document,
            "html": str(html),
            "json": str(twin),
        }
    )
    if by is None:
        _print(console, folder.run_id, document, venue, left_out)
    else:
        print_grouped(console, folder.run_id, document, by)
    console.say(f"\nPage: {html}")


def measured_costs(folder: RunFolder) -> tuple[Ledger, str, LeftOut, DataSet]:
    """Everything the report says, with the log's last hash, what is left out of it, and the data behind it."""
    with open_log(folder, readonly=True) as (log, _):
        started = run_started(log)
        data = folder.book.load(started.data)
        history, assumed = data.history(), settings_of_run(started.settings).costs
        found, still_open = executed_orders(log, history, assumed.assumed_daily_volume)
        stops = _protective(log)
        orders = tuple(_at_its_stop(found, stops))
        traded = sum(item.order.order_id in stops for item in orders)
        left_out = LeftOut(still_open, len(found) - len(orders), traded)
        head = log.head()[1]
        known_until = _known_until(log, found)
        view = history.as_of(known_until or history.close_time(started.first_session))
        ledger = Ledger(view.as_of, view.fingerprint)
        run = {"run": folder.run_id, "head": head}
        cost_attribution(ledger, run, orders)
        post_trade(ledger, run, orders, MarketAround(data, history, view))
        impact_calibration(ledger, run, orders, assumed.impact_coefficient)
        venue_performance(ledger, run, log)
    return ledger, head, left_out, data


def _venue_of(ledger: Ledger, *, is_recorded: bool) -> str:
    """What the run's fills were simulated on, in words."""
    found: Any = next(entry.output for entry in ledger.entries if entry.tool == "venue_performance")
    return venue_kind([name for name, row in found["venues"].items() if row["fills"]], is_recorded=is_recorded)


def _protective(log: EventLog) -> dict[str, OrderClosed]:
    """The results of the orders whose only child was to rest at the venue as a stop."""
    children = (event.decoded() for event in log.read(types=(ChildSubmitted, ChildDenied)))
    ids = {
        item.child.order_id for item in children if isinstance(item, ChildSubmitted | ChildDenied) and rests(item.child)
    }
    results = (event.decoded() for event in log.read(types=(OrderClosed,)))
    return {item.order_id: item for item in results if isinstance(item, OrderClosed) and item.order_id in ids}


def _at_its_stop(orders: Iterable[ExecutedOrder], stops: Mapping[str, OrderClosed]) -> Iterator[ExecutedOrder]:
    """A stop was to be executed at its price and no sooner: what it traded is measured against that. How the market
    came there is no cost of the order, and one that was taken back has failed at nothing."""
    for item in orders:
        closed = stops.get(item.order.order_id)
        if closed is None:
            yield item
        elif item.fills:
            meant = {"reference_price": closed.arrival_price, "quantity": item.filled}
            yield replace(item, order=item.order.model_copy(update=meant), arrival_price=closed.arrival_price)


def _known_until(log: EventLog, orders: tuple[ExecutedOrder, ...]) -> datetime | None:
    """The last moment the run knew: its last mark, or the end of an order after it; no market is read beyond it."""
    marked = log.last(PortfolioMarked)
    moments = [order.closed_at for order in orders] + ([marked.event_time] if marked else [])
    return max(moments, default=None)


def _report(run_id: str, entries: tuple[Evidence, ...], card: DataCard, venue: str, *, has_protective: bool) -> Report:
    ident = short_id("costs", *(entry.id for entry in entries))
    twin = Twin("costs", ident)
    facts = twin.evidence([entry.model_dump(mode="json") for entry in entries])
    by_tool = {entry.tool: fact for entry, fact in zip(entries, facts, strict=True)}
    return Report(
        ident, "costs", costs_page(twin, by_tool, run_id, card, venue, has_protective=has_protective), twin.data()
    )


def _print(console: Console, run_id: str, document: dict[str, Any], venue: str, left_out: LeftOut) -> None:
    found, fitted = document["cost_attribution"], document["impact_calibration"]
    total = found["total"]
    console.say(
        f"Costs of {run_id}: {total['orders']:,} orders of {float(total['value']):,.0f} in all, "
        f"{found['filled_frac']:.2%} filled"
    )
    cents = cents_of(total["cash"])
    rows = [(part, f"{float(cents[part]):,.2f}", f"{total['bps'][part]:.2f}") for part in (*PARTS, "total")]
    console.table("shortfall against the decision prices, costs positive", ("cause", "cash", "bp"), rows)
    for name in (
        "by_side",
        "by_algorithm",
        "by_month" if len(found["by_month"]) <= MOST_MONTHS else "by_year",
        "by_symbol",
    ):
        rows = [_group_row(key, group) for key, group in found[name].items()]
        console.table(name.replace("_", " ") + ", bp of decided value", ("", "orders", *PARTS, "total"), rows)
    rows = [_venue_row(name, row) for name, row in document["venue_performance"]["venues"].items()]
    console.table("by venue, spread and fees in bp of traded value", VENUE_HEADER, rows)
    dearest = sorted(found["orders"], key=lambda row: -float(row["total"]))[:DEAREST]
    rows = [
        (
            row["order"],
            row["session"],
            f"{row['side']} {row['symbol']}",
            f"{float(row['total']):,.2f}",
            f"{row['total_bps']:.1f}",
        )
        for row in dearest
    ]
    console.table("dearest orders", ("order", "session", "what", "cash", "bp"), rows)
    for name, says in (("charged", "spread, impact and fees"), ("with_timing", "the same and the market's moves")):
        console.say(f"  {says}: {_forecast(found['forecast'][name])}")
    console.say(f"  {_coverage(found['forecast']['coverage'])}")
    for name, says in FITS.items():
        console.say(f"  impact coefficient {says}: {_fit(fitted[name], fitted['assumed'])}")
    for note in _notes(fitted, venue, left_out):
        console.say(f"  {note}")


def _group_row(key: str, group: dict[str, Any]) -> tuple[str, ...]:
    return (key, f"{group['orders']:,}", *(f"{group['bps'][part]:.1f}" for part in (*PARTS, "total")))


def _venue_row(name: str, row: dict[str, Any]) -> tuple[str, ...]:
    made_by = ", ".join(f"{count:,} from {source}" for source, count in row["made_from"].items())
    made_by += f" ({row['synthetic']:,} synthetic)" if row["synthetic"] else ""
    counts = (name, f"{row['fills']:,}", f"{row['sent']:,}")
    if not row["fills"]:
        return (*counts, "0.00%", "", "", "", "", made_by)
    bps = (f"{row[part]:.2f}" for part in ("effective_spread_bps", "past_touch_bps", "fee_bps"))
    return (*counts, f"{row['fill_frac']:.2%}", *bps, f"{row['median_wait_s']:,.1f}", made_by)


def _forecast(row: dict[str, Any]) -> str:
    if not row["orders"]:
        return row["refused"]
    interval = row["bias_interval"]
    within = interval.get("refused") or f"{interval['low']:.2f} to {interval['high']:.2f}"
    found = (
        f"forecast {row['mean_predicted_bps']:.2f} bp, realized {row['mean_realized_bps']:.2f} bp, "
        f"bias {row['bias_bps']:.2f} bp ({within})"
    )
    if "refused" in row:
        return f"{found}; no slope: {row['refused']}"
    return (
        f"{found}; slope {row['slope']:.2f} ({row['slope_low']:.2f} to {row['slope_high']:.2f}), "
        f"intercept {row['intercept_bps']:.2f} bp"
    )


def _coverage(row: dict[str, Any]) -> str:
    if not row["orders"]:
        return f"coverage of the forecast's band: {row['refused']}"
    interval = row["interval"]
    within = interval.get("refused") or f"{interval['low']:.0%} to {interval['high']:.0%}"
    return f"within the forecast's 95% band: {row['covered_frac']:.0%} of {row['orders']:,} orders ({within})"


def _fit(row: dict[str, Any], assumed: float) -> str:
    if "refused" in row:
        return row["refused"]
    return f"{row['coefficient']:.3f} ({row['low']:.3f} to {row['high']:.3f}), the desk assumes {assumed:g}"


def _notes(fitted: dict[str, Any], venue: str, left_out: LeftOut) -> list[str]:
    """What a reader must know before believing a figure."""
    notes = []
    if fitted["synthetic_orders"]:
        notes.append(
            f"{fitted['synthetic_orders']:,} of {fitted['orders']:,} orders filled on synthetic paths by {venue}: "
            "by the quarter's volatility, its own, the fit recovers the simulator's coefficient and says nothing "
            "of a real market."
        )
    if fitted["volume_is_assumed"]:
        notes.append("The data set records no volume: an assumed daily value stands in.")
    if left_out.protective or left_out.taken_back:
        notes.append(
            f"{left_out.protective} protective orders traded and are measured against their stop prices; "
            f"{left_out.taken_back} were taken back and are left out."
        )
    if left_out.still_open:
        notes.append(f"{left_out.still_open} orders are still being worked and are left out.")
    return notes
