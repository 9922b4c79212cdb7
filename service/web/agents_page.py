"""The page of agents: how their votes came out, what they count, who was silent, and what their calls took."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from ..api.callers import RunQuery
from .agents import agents_view, spent_view
from .parts import Part
from .shell import page
from .who import PageViewer

agents_page = APIRouter()

MADE = frozenset({"decisions"})
AGENTS_PARTS = (
    Part("agents_scores", "How their votes came out", "agents_scores.html", agents_view, MADE),
    Part("agents_weights", "What their votes count", "agents_weights.html", agents_view, MADE),
    Part("agents_calibration", "Said and came true", "agents_calibration.html", agents_view, MADE),
    Part("agents_silent", "Who had nothing to say, and why", "agents_silent.html", agents_view, MADE),
    Part("agents_spent", "Calls, tokens, time and money", "agents_spent.html", spent_view, frozenset({"models"})),
)


@agents_page.get("/agents", include_in_schema=False)
async def show_agents(request: Request, caller: PageViewer, run: RunQuery = None) -> Response:
    """How the agents do."""
    return await page(request, caller, "agents_page.html", title="Agents", active="agents", run=run)
