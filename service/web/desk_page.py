"""The first page: worth and drawdown, what is held, today's orders and fills, the desk's state, and what waits."""

import json
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from ...desk.errors import RunUnknown
from ...domain.events import PortfolioMarked
from ...memory.errors import EmptyLog
from ...storage.errors import StoreMissing
from ..answers.reader import Reading
from ..api.callers import Desk, RunQuery
from .closes import closes
from .desk_view import fills_view, holdings_view, last_decision_view, orders_view, sessions_view, worth_view
from .parts import Part
from .series import SPANS, Span, document, drawdown_lines, equity_lines
from .shell import page
from .standing_view import standing_view
from .waiting_view import clock_view, waiting_view
from .who import PageViewer

desk_page = APIRouter()

SeriesName = Literal["equity", "drawdown"]
RangeQuery = Annotated[Span, Query(alias="range")]

BOOKED = frozenset({"marks", "fills", "overnight"})
DESK_PARTS = (
    Part("state", "", "desk_state.html", waiting_view, frozenset({"controls", "approvals", "alerts"})),
    Part("desk_figures", "", "desk_figures.html", worth_view, frozenset({"marks"})),
    Part("desk_sessions", "", "desk_sessions.html", sessions_view, frozenset({"marks"})),
    Part("desk_control", "Trading state", "desk_control.html", standing_view, frozenset({"controls", "approvals"})),
    Part(
        "desk_waits",
        "Waits for a person",
        "desk_waits.html",
        waiting_view,
        frozenset({"controls", "approvals", "alerts"}),
    ),
    Part("desk_positions", "Positions", "desk_positions.html", holdings_view, BOOKED),
    Part("desk_exposure", "Exposure", "desk_exposure.html", holdings_view, BOOKED),
    Part("desk_orders", "Orders of the last plan", "desk_orders.html", orders_view, frozenset({"orders", "fills"})),
    Part("desk_fills", "Newest fills", "desk_fills.html", fills_view, frozenset({"fills"})),
    Part("desk_decision", "Last decision", "desk_decision.html", last_decision_view, frozenset({"decisions"})),
    Part("desk_clock", "Schedule", "desk_clock.html", clock_view, frozenset({"jobs", "marks", "controls"})),
)


@desk_page.get("/", include_in_schema=False)
def show_desk(request: Request, caller: PageViewer, run: RunQuery = None, span: RangeQuery = "1y") -> Response:
    """The desk as it stands."""
    return page(request, caller, "desk.html", title="Desk", active="desk", run=run, view={"spans": SPANS, "span": span})


@desk_page.get("/series/{name}", include_in_schema=False)
def show_series(
    name: SeriesName, desk: Desk, _caller: PageViewer, run: RunQuery = None, span: RangeQuery = "1y"
) -> Response:
    """A line chart's data; worked out once for each close."""
    try:
        with desk.reader(run).reading() as reading:
            body = reading.once(f"series {name}", lambda: _series(reading, name, span), span, of=(PortfolioMarked,))
    except (RunUnknown, EmptyLog, StoreMissing):  # the run is about to begin, or is beginning just now
        body = _bytes(document((), "frac", (), span))
    return Response(body, media_type="application/json")


def _series(reading: Reading, name: SeriesName, span: Span) -> bytes:
    if name == "equity":
        return _bytes(equity_lines(closes(reading), float(reading.started.cash), span))
    return _bytes(drawdown_lines(closes(reading), span))


def _bytes(document: dict[str, object]) -> bytes:
    return json.dumps(document, allow_nan=False, separators=(",", ":")).encode()
