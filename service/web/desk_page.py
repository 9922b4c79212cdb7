"""The first page: worth and drawdown, what is held, today's orders and fills, the desk's state, and what waits."""

import json
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from ...desk.errors import RunUnknown
from ...memory.errors import EmptyLog
from ...storage.errors import StoreMissing
from ..api.callers import Desk, RunQuery
from ..api.desk import ServedDesk
from .desk_view import fills_view, holdings_view, last_decision_view, orders_view, sessions_view, worth_view
from .footing_view import footing_view
from .parts import Part, Parts
from .series import SPANS, Span, document, drawdown_lines, equity_lines
from .shell import page
from .standing_view import standing_view
from .waiting_view import clock_view, waiting_view
from .who import PageViewer

desk_page = APIRouter()

SeriesName = Literal["equity", "drawdown"]
RangeQuery = Annotated[Span, Query(alias="range")]

CLOSED = frozenset({"marks"})
BOOKED = frozenset({"marks", "fills", "overnight"})
DESK_PARTS = (
    Part("state", "", "desk_state.html", waiting_view, frozenset({"controls", "approvals", "alerts"})),
    Part("desk_footing", "", "desk_footing.html", footing_view, frozenset({"marks", "controls", "jobs"})),
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
async def show_desk(request: Request, caller: PageViewer, run: RunQuery = None, span: RangeQuery = "1y") -> Response:
    """The desk as it stands."""
    spans = {"spans": SPANS, "span": span}
    return await page(request, caller, "desk.html", title="Desk", active="desk", run=run, view=spans)


@desk_page.get("/series/{name}", include_in_schema=False)
async def show_series(
    request: Request, name: SeriesName, desk: Desk, _caller: PageViewer, run: RunQuery = None, span: RangeQuery = "1y"
) -> Response:
    """A line chart's data; worked out once for each close."""
    parts: Parts = request.app.state.parts
    beat = parts.now(run)
    key = ("series", run or "", beat.head.run, str(beat.chain), str(beat.last_of(CLOSED)), name, span)
    body = await desk.works.once(key, "series", lambda: _series(desk, run, name, span))
    return Response(body, media_type="application/json")


def _series(desk: ServedDesk, run: str | None, name: SeriesName, span: Span) -> bytes:
    try:
        with desk.reader(run).reading() as reading:
            if name == "equity":
                found = equity_lines(reading.sessions, float(reading.started.cash), span)
            else:
                found = drawdown_lines(reading.sessions, span)
    except (RunUnknown, EmptyLog, StoreMissing):  # the run is about to begin, or is beginning just now
        found = document((), "frac", (), span)
    return json.dumps(found, allow_nan=False, separators=(",", ":")).encode()
