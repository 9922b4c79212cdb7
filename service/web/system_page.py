"""The page of the machine: the log and its seals, jobs, alerts, errors, model calls and budgets, disk and versions."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from ..api.callers import RunQuery
from .alerts_summary import alerts_summary
from .jobs_view import jobs_view
from .parts import Part
from .shell import page
from .system import calls_view, log_view, machine_view, trouble_view
from .topics import LOG
from .who import PageViewer

system_page = APIRouter()

SYSTEM_PARTS = (
    Part("system_log", "The log and its seals", "system_log.html", log_view, frozenset({LOG})),
    Part("system_machine", "Where it runs", "system_machine.html", machine_view, frozenset({"marks", "controls"})),
    Part("system_alerts", "Alerts", "system_alerts.html", alerts_summary, frozenset({"alerts"})),
    Part(
        "system_trouble",
        "What went wrong",
        "system_trouble.html",
        trouble_view,
        frozenset({"orders", "decisions", "controls"}),
    ),
    Part(
        "system_calls",
        "Latency by node, and the model budget",
        "system_calls.html",
        calls_view,
        frozenset({"models"}),
        is_timed=True,
    ),
    Part("system_jobs", "Scheduled jobs", "system_jobs.html", jobs_view, frozenset({"jobs"})),
)


@system_page.get("/system", include_in_schema=False)
async def show_system(request: Request, caller: PageViewer, run: RunQuery = None) -> Response:
    """How the machine does."""
    return await page(request, caller, "system_page.html", title="System", active="system", run=run)
