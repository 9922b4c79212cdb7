"""The `trade` command: every desk on its schedule, watched over, to the last session or until it is asked to end."""

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from threading import Event

from ... import ParleyError
from ...desk.book import is_finished
from ...desk.job_book import open_job_book
from ...quant.regimes import warm_up
from ...storage.errors import StoreLocked, StoreMissing
from ...storage.sql import open_sqlite
from ..console import Console
from .desks import DeskTerms, TradeRequest, all_terms, parse_pace, renewed, take_folder
from .status_file import read_status
from .summary import HALTED, print_trading, summarize
from .supervisor import Supervisor
from .unable import tell_unable


def perform_trade(request: TradeRequest, console: Console) -> bool:
    """False when a desk ends HALTED, or was asked to end before its last session: it goes on with the same command."""
    factor, terms = parse_pace(request.accelerate), all_terms(request)
    open_terms = tuple(item for item in terms if not is_finished(item.folder))
    for item in open_terms:
        _refuse_busy(item)
        take_folder(item)
    endings = _supervised(open_terms, factor, console)
    summaries = [summarize(grown(item)) for item in terms]
    is_over = all(ending == "finished" for ending in endings)
    console.result({"desks": [item.document() for item in summaries], "finished": is_over})
    for summary in summaries:
        print_trading(console, summary, factor)
    if not is_over:
        console.say("Asked to end; the same command goes on from there.")
    return is_over and all(item.state != HALTED for item in summaries)


def grown(terms: DeskTerms) -> DeskTerms:
    """With all sessions there are by now, where the data grow and are still those it began with."""
    with suppress(ParleyError):
        return renewed(terms) if terms.is_growing else terms
    return terms


def _supervised(terms: tuple[DeskTerms, ...], factor: float | None, console: Console) -> tuple[str, ...]:
    if not terms:
        return ()
    warm_up()  # what is compiled and loaded here, no start of a process has to do again
    total = sum(len(item.sessions) for item in terms)
    with console.progress(f"trading {', '.join(item.prepared.plan.data for item in terms)}") as bar:
        begins = [_stands_at(item) for item in terms]
        supervisor = Supervisor(terms, factor, begins, _shower(terms, total, bar), tell_unable, renewed)
        return supervisor.run(Event().wait)


def _shower(terms: tuple[DeskTerms, ...], total: int, bar: Callable[[int, int], None]) -> Callable[[], None]:
    """A look at what the desks say of themselves."""

    def look() -> None:
        found = [read_status(item.folder.book.path) for item in terms]
        bar(sum(int(status.get("sessions_done", 0)) for status in found if status), total)

    return look


def _stands_at(terms: DeskTerms) -> datetime:
    """The market's time at which the desk goes on: where its jobs were left, or before its first open."""
    with suppress(StoreMissing), open_job_book(terms.folder.book.path, terms.folder.run_id, readonly=True) as jobs:
        return jobs.last_time() or terms.span[0]
    return terms.span[0]


def _refuse_busy(terms: DeskTerms) -> None:
    """A desk that runs keeps its book: said before anything of it is touched."""
    if not terms.folder.exists:
        return
    try:
        open_sqlite(terms.folder.log_path).close()
    except StoreLocked as error:
        raise StoreLocked(error.message, remedy="One desk works a book: end that one, or trade in another.") from error
