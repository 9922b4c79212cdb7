"""The record as lists: runs, decisions, orders, fills, sessions and the desk's limits."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Query, Request
from pydantic import JsonValue, TypeAdapter
from starlette.responses import Response

from ...desk.book import RunFolder
from ...domain.events import Event, OrderFilled, RunStarted
from ...domain.model import Model
from ...domain.orders import Fill
from ...memory.decisions_view import DecisionRecord
from ...memory.orders_view import OrderHistory, OrderRecord
from ...memory.performance_view import SessionRecord
from ..answers.growing import Gathered
from ..answers.reader import Reading
from .at_head import list_at_head, read_at_head
from .callers import CursorQuery, Desk, IdPath, LimitQuery, RunQuery, Viewer
from .desk import ServedDesk
from .errors import NotFound
from .replies import Page, answer_at, page_of

records = APIRouter(tags=["record"])

SymbolQuery = Annotated[str | None, Query(max_length=24, pattern=r"^[A-Z0-9][A-Z0-9.\-=^/]*$")]
_ORDER: TypeAdapter[OrderHistory] = TypeAdapter(OrderHistory)


class RunLine(Model):
    """One run of the book."""

    run: str
    seq: int
    head_hash: str
    data: str | None
    first_session: str | None
    last_session: str | None
    is_latest: bool


@records.get("/runs", response_model=Page[RunLine])
def list_runs(
    request: Request, desk: Desk, _caller: Viewer, cursor: CursorQuery = 0, limit: LimitQuery = 100
) -> Response:
    """Every run of the book, by name."""
    folders = desk.book.runs()
    latest = desk.book.latest().run_id if folders else ""
    page = page_of([_run_line(desk, folder, latest) for folder in folders[cursor : cursor + limit]], 0, limit)
    more = cursor + limit < len(folders)
    made = Page[RunLine](items=page.items, next=cursor + limit if more else None, total=len(folders))
    return answer_at(request, made.model_dump_json(), lambda: made)


@records.get("/decisions", response_model=Page[DecisionRecord])
async def list_decisions(
    request: Request,
    desk: Desk,
    _caller: Viewer,
    run: RunQuery = None,
    cursor: CursorQuery = 0,
    limit: LimitQuery = 100,
) -> Response:
    """Decisions of every kind, in the order they were made."""
    return await list_at_head(
        request, desk, run, lambda reading: reading.decisions, Page[DecisionRecord], cursor, limit
    )


@records.get("/decisions/{decision_id}", response_model=dict[str, JsonValue])
async def show_decision(
    request: Request, desk: Desk, _caller: Viewer, decision_id: IdPath, run: RunQuery = None
) -> Response:
    """One decision whole, as its event holds it: what was seen, said, planned and ruled."""

    def make(reading: Reading) -> bytes:
        found = reading.decision_event(decision_id)
        if found is None:
            raise _no(decision_id, "decision")
        return found.model_dump_json().encode()

    return await read_at_head(request, desk, run, make)


@records.get("/orders", response_model=Page[OrderRecord])
async def list_orders(
    request: Request,
    desk: Desk,
    _caller: Viewer,
    symbol: SymbolQuery = None,
    run: RunQuery = None,
    cursor: CursorQuery = 0,
    limit: LimitQuery = 100,
) -> Response:
    """Parent orders, in the order they were approved."""

    def found(reading: Reading) -> Sequence[OrderRecord]:
        return reading.orders if symbol is None else [order for order in reading.orders if order.symbol == symbol]

    return await list_at_head(request, desk, run, found, Page[OrderRecord], cursor, limit)


@records.get("/orders/{order_id}", response_model=OrderHistory)
async def show_order(request: Request, desk: Desk, _caller: Viewer, order_id: IdPath, run: RunQuery = None) -> Response:
    """One order with its children and fills."""

    def make(reading: Reading) -> bytes:
        found = reading.views.order(order_id)
        if found is None:
            raise _no(order_id, "order")
        return _ORDER.dump_json(found)

    return await read_at_head(request, desk, run, make)


@records.get("/fills", response_model=Page[Fill])
async def list_fills(
    request: Request,
    desk: Desk,
    _caller: Viewer,
    symbol: SymbolQuery = None,
    run: RunQuery = None,
    cursor: CursorQuery = 0,
    limit: LimitQuery = 100,
) -> Response:
    """Fills, in the order they were booked; what a venue took back later stands in the events."""

    def found(reading: Reading) -> Sequence[Fill]:
        fills = reading.grown("fills", (OrderFilled,), Gathered[Fill](), _with_fill)
        return fills if symbol is None else [fill for fill in fills if fill.symbol == symbol]

    return await list_at_head(request, desk, run, found, Page[Fill], cursor, limit)


@records.get("/performance", response_model=Page[SessionRecord])
async def list_sessions(
    request: Request,
    desk: Desk,
    _caller: Viewer,
    run: RunQuery = None,
    cursor: CursorQuery = 0,
    limit: LimitQuery = 500,
) -> Response:
    """The book at each session's close: equity, drawdown, exposures, what was traded and paid."""
    return await list_at_head(request, desk, run, lambda reading: reading.sessions, Page[SessionRecord], cursor, limit)


@records.get("/settings", response_model=dict[str, JsonValue])
async def show_settings(request: Request, desk: Desk, _caller: Viewer, run: RunQuery = None) -> Response:
    """What the run was started with: data, universe, settings and limits, as its first event holds them."""

    def make(reading: Reading) -> bytes:
        event = next(reading.read(RunStarted, limit=1), None)
        if event is None:
            raise _no("start", "event")
        return event.model_dump_json().encode()

    return await read_at_head(request, desk, run, make)


def _with_fill(fills: Gathered[Fill], event: Event) -> Gathered[Fill]:
    payload = event.decoded()
    assert isinstance(payload, OrderFilled), "asked for by type"
    return fills.with_item(payload.fill)


def _run_line(desk: ServedDesk, folder: RunFolder, latest: str) -> RunLine:
    head = desk.feed.head(folder.run_id)
    with desk.reader(folder.run_id).reading() as reading:
        started = next(reading.read(RunStarted, limit=1), None)
    payload = started.decoded() if started else None
    known = payload if isinstance(payload, RunStarted) else None
    return RunLine(
        run=folder.run_id,
        seq=head.seq,
        head_hash=head.hash,
        data=known.data if known else None,
        first_session=str(known.first_session) if known else None,
        last_session=str(known.last_session) if known else None,
        is_latest=folder.run_id == latest,
    )


def _no(ident: str, what: str) -> NotFound:
    return NotFound(f"this run has no {what} {ident!r}", remedy=f"GET /api/v1/{what}s lists them.")
