"""The page of risk: what could be lost, who carries it, crises, limits with what is left of them, and breakers."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from ..api.callers import RunQuery
from .parts import Part
from .risk import breakers_view, limits_view, now_view, tails_view
from .shell import page
from .who import PageViewer

risk_page = APIRouter()

BOOK = frozenset({"marks", "fills", "overnight"})
RISK_PARTS = (
    Part("risk_now", "", "risk_now.html", now_view, BOOK),
    Part("risk_limits", "Limits, and what is left of them", "risk_limits.html", limits_view, BOOK | {"controls"}),
    Part("risk_tails", "One day, by method", "risk_tails.html", tails_view, BOOK),
    Part("risk_parts", "Who carries it", "risk_parts.html", tails_view, BOOK),
    Part("risk_stress", "Crises that happened", "risk_stress.html", tails_view, BOOK),
    Part("risk_shocks", "Round shocks, and selling out", "risk_shocks.html", tails_view, BOOK),
    Part("risk_breakers", "Circuit breakers", "risk_breakers.html", breakers_view, frozenset({"marks", "controls"})),
)


@risk_page.get("/risk", include_in_schema=False)
async def show_risk(request: Request, caller: PageViewer, run: RunQuery = None) -> Response:
    """The book's risk at the last close."""
    return await page(request, caller, "risk_page.html", title="Risk", active="risk", run=run)
