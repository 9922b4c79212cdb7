"""Writes the pages of a run into its folder: the run itself, its trades, and the decisions behind them."""

from collections.abc import Iterable
from pathlib import Path

from ..desk.book import RunFolder, open_log
from ..evals.summary import RunSummary
from ..market.cards import DataSet
from ..memory.log import EventLog
from ..memory.views import ReadModels
from .agent_scores import agent_document
from .console import Console
from .flagged import quotes_of
from .pages.prices import PriceHistory
from .pages.record import RunRecord
from .reports import Report, decision_report, order_report, run_report, write_report

SAMPLE = {
    "us20": (
        "The default policy's settings were chosen on data before 2013 and confirmed on these names afterwards, "
        "so later years are neither clean test data nor training data."
    )
}

SHOWN_KINDS = ("trade", "vetoed")
PAGE_NAMES = {
    "index": "Index",
    "equal_weight": "1/N",
    "risk_parity": "Risk parity",
    "minimum_variance": "Minimum variance",
}
"""Baselines by the names of their lines; `Index` replaces the bare levels of the log by what holding it came to."""

MAX_PAGES = 1000
"""Pages of trades and of decisions that a run writes, the newest of each: a page and its twin take 120 kB, and
`parley explain` writes any other when it is asked for."""


def write_run_reports(folder: RunFolder, summary: RunSummary, data: DataSet, console: Console, *, every: bool) -> Path:
    """The run's page, and pages of its newest trades and decisions that were not quiet, or with `every` of all."""
    with open_log(folder, readonly=True) as (log, views):
        record = RunRecord.from_source(log)
        prices = price_history(data)
        orders = _worked_orders(views)
        decisions = [item.decision_id for item in views.decisions() if every or item.kind in SHOWN_KINDS]
        if not every:
            orders, decisions = orders[-MAX_PAGES:], decisions[-MAX_PAGES:]
        links, quotes = frozenset((*orders, *decisions)), quotes_of(data.texts)
        with console.progress("reports") as bar:
            for done, order_id in enumerate(orders):
                bar(done, len(links))
                write_report(order_report(record, order_id, prices, card=data.card, links=links), folder.reports_path)
            for done, decision_id in enumerate(decisions, len(orders)):
                bar(done, len(links))
                report = decision_report(record, decision_id, prices, card=data.card, links=links, quotes=quotes)
                write_report(report, folder.reports_path)
        return write_report(_run_report(record, views, summary, data, links), folder.reports_path)[0]


def lone_run_report(log: EventLog, views: ReadModels, summary: RunSummary, data: DataSet) -> Report:
    """The run's page by itself: it links to no other, so it can lie anywhere."""
    return _run_report(RunRecord.from_source(log), views, summary, data, frozenset())


def report_of(
    log: EventLog, views: ReadModels, ident: str, data: DataSet, links: frozenset[str] = frozenset()
) -> Report | None:
    """The page of a decision or of an order, whichever the id names; None when it names neither.

    `links` are the pages that exist beside it. The decision is made again without each agent, which takes seconds.
    """
    from ..evals.counterfactual import Counterfactuals

    order = next((item for item in views.orders() if item.order_id == ident), None)
    decided = order.decision_id if order else ident
    if all(item.decision_id != decided for item in views.decisions()):
        return None
    record, prices = RunRecord.from_source(log), price_history(data)
    what_ifs = Counterfactuals(log, data).of(decided)
    if order is not None and order.opened_at is not None:
        return order_report(record, ident, prices, card=data.card, links=links, what_ifs=what_ifs)
    # A decision, or an order that was approved before a run ended and that no session could work.
    quotes = quotes_of(data.texts)
    return decision_report(record, decided, prices, card=data.card, quotes=quotes, what_ifs=what_ifs)


def price_history(data: DataSet) -> PriceHistory:
    """All closes of the data set, for the pictures; a page draws what came before and after a decision."""
    history = data.history()
    # Prices as they were traded fall at a split, and nobody lost by it: the history restates them.
    close = history.as_of(history.close_time(history.last_session)).close if data.actions else data.panel.close
    columns = [[None if price != price else price for price in column] for column in close.T.tolist()]
    closes = dict(zip(data.panel.symbols, columns, strict=True))
    return PriceHistory(history.row_sessions(), closes, is_restated=bool(data.actions))


def known_ids(views: ReadModels) -> Iterable[str]:
    """Ids that `explain` takes, the newest first."""
    yield from reversed(_worked_orders(views))
    yield from (item.decision_id for item in reversed(views.decisions()))


def _worked_orders(views: ReadModels) -> list[str]:
    """Orders that some session opened; those that the last decision approved have no trade to show."""
    return [order.order_id for order in views.orders() if order.opened_at is not None]


def _run_report(
    record: RunRecord, views: ReadModels, summary: RunSummary, data: DataSet, links: frozenset[str]
) -> Report:
    baselines = {PAGE_NAMES[name]: path.tolist() for name, path in summary.paths.items() if name in PAGE_NAMES}
    sample, interval = SAMPLE.get(data.card.name, ""), data.panel.interval
    agents = agent_document(views, data)
    return run_report(
        record,
        baselines,
        card=data.card,
        sample=sample,
        links=links,
        interval=interval,
        agents=agents,
        quotes=quotes_of(data.texts),
    )
