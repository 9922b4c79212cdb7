"""The pages of evaluations: the list, the gates, and one evaluation with its figures, tables and report."""

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse, JSONResponse, Response

from ..api.callers import Desk, IdPath, RunQuery
from ..api.system import policy_of
from .evaluations import EvaluationList, evaluation_list, evaluation_page_report, evaluation_view, gates_view
from .lists import place_of
from .parts import Asked, Part
from .shell import page
from .who import PageViewer

evaluations_page = APIRouter()


def _listed(asked: Asked) -> EvaluationList:
    return evaluation_list(asked, place_of(asked.query) or 0)


RUN = frozenset({"evaluations"})
EVALUATIONS_PARTS = (
    Part("evaluations", "Evaluations of this book", "evaluations.html", _listed, RUN, takes=("before",)),
    Part("evaluations_gates", "Gates, and trials", "evaluations_gates.html", gates_view, RUN),
)


@evaluations_page.get("/evaluations", include_in_schema=False)
async def show_evaluations(request: Request, caller: PageViewer, run: RunQuery = None) -> Response:
    """What was evaluated, and which gates hold."""
    return await page(request, caller, "evaluations_page.html", title="Evaluations", active="evaluations", run=run)


@evaluations_page.get("/evaluations/{name}", include_in_schema=False)
async def show_evaluation(
    request: Request, desk: Desk, caller: PageViewer, name: IdPath, run: RunQuery = None
) -> Response:
    """One evaluation by its id, or the latest of a suite."""
    view = await desk.works.alone("evaluation", lambda: evaluation_view(desk.settings.book, name))
    title = f"Evaluation {view.found['id'].string()}"
    return await page(
        request, caller, "evaluation_view.html", title=title, active="evaluations", run=run, view=view, is_long=True
    )


@evaluations_page.get("/evaluations/{name}/twin", include_in_schema=False)
def show_evaluation_twin(desk: Desk, _caller: PageViewer, name: IdPath) -> Response:
    """Every figure of the page, with where it lies."""
    return JSONResponse(evaluation_view(desk.settings.book, name).twin.data())


@evaluations_page.get("/evaluations/{name}/report", include_in_schema=False)
def show_evaluation_report(desk: Desk, _caller: PageViewer, name: IdPath) -> Response:
    """The whole page with its pictures, under a policy that allows its own sheet and nothing else."""
    html = evaluation_page_report(desk, name).html
    return HTMLResponse(html, headers={"Content-Security-Policy": policy_of(html)})
