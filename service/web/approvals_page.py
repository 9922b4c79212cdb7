"""The page of plans that wait for a person; a yes or no goes the two steps of every request."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from ..api.callers import RunQuery
from .approvals_view import approvals_view
from .parts import Part
from .shell import page
from .who import PageViewer

approvals_page = APIRouter()

APPROVALS_PARTS = (
    Part(
        "approvals_waiting", "Waiting", "approvals_waiting.html", approvals_view, frozenset({"approvals", "controls"})
    ),
    Part("approvals_answered", "Answered", "approvals_answered.html", approvals_view, frozenset({"approvals"})),
)


@approvals_page.get("/approvals", include_in_schema=False)
async def show_approvals(request: Request, caller: PageViewer, run: RunQuery = None) -> Response:
    """What waits, with all one needs to answer; and what was answered."""
    return await page(request, caller, "approvals.html", title="Approvals", active="approvals", run=run)
