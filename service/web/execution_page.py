"""The pages of execution: orders by cursor, what trading came to, and one order with its schedule and its costs."""

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse, Response

from ..api.callers import Desk, IdPath, RunQuery
from .execution import costs_view, orders_part
from .order import order_view
from .parts import Part
from .shell import looked_up, page
from .who import PageViewer

execution_page = APIRouter()

FILLS = frozenset({"fills", "orders"})
EXECUTION_PARTS = (
    Part("execution_costs", "Slippage against arrival", "execution_costs.html", costs_view, FILLS),
    Part("execution_algorithms", "By algorithm", "execution_algorithms.html", costs_view, FILLS),
    Part("execution_venues", "Venues", "execution_venues.html", costs_view, FILLS),
    Part("orders", "Orders", "orders.html", orders_part, FILLS, takes=("state", "symbol", "before")),
)


@execution_page.get("/execution", include_in_schema=False)
async def show_execution(request: Request, caller: PageViewer, run: RunQuery = None) -> Response:
    """How orders were executed."""
    return await page(request, caller, "execution_page.html", title="Execution", active="execution", run=run)


@execution_page.get("/orders/{order_id}", include_in_schema=False)
async def show_order(
    request: Request, desk: Desk, caller: PageViewer, order_id: IdPath, run: RunQuery = None
) -> Response:
    """One order."""
    view = await looked_up(desk, run, "order", lambda reading: order_view(reading, order_id))
    title = f"{view.order['side'].string().capitalize()} {view.order['symbol'].string()}"
    return await page(request, caller, "order.html", title=title, active="execution", run=run, view=view, is_long=True)


@execution_page.get("/orders/{order_id}/twin", include_in_schema=False)
def show_order_twin(desk: Desk, _caller: PageViewer, order_id: IdPath, run: RunQuery = None) -> Response:
    """Every figure of the page, with where it lies."""
    with desk.reader(run).reading() as reading:
        return JSONResponse(order_view(reading, order_id).twin.data())
