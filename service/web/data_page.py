"""The page of data: the sets of the book, the run's own set with its card, and what a check of it finds."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from ..api.callers import RunQuery
from .data_quality import quality_view, sets_view
from .parts import Part
from .shell import page
from .who import PageViewer

data_page = APIRouter()

DATA_PARTS = (
    Part(
        "data_quality",
        "What this run trades on",
        "data_quality.html",
        quality_view,
        frozenset({"marks"}),
        is_timed=True,
    ),
    Part("data_sets", "Data sets", "data_sets.html", sets_view, frozenset()),
)


@data_page.get("/data", include_in_schema=False)
async def show_data(request: Request, caller: PageViewer, run: RunQuery = None) -> Response:
    """Which data there are, and how good they are."""
    return await page(request, caller, "data_page.html", title="Data", active="data", run=run)
