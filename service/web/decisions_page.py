"""The pages of decisions: their timeline, each with all that bears on it, its evidence, its report and what-ifs."""

from typing import Annotated

from fastapi import APIRouter, Path, Request
from starlette.responses import FileResponse, HTMLResponse, JSONResponse, Response

from ..api.callers import Desk, IdPath, RunQuery
from ..api.errors import NotFound
from ..api.system import policy_of, read_report
from .decision import decision_view, evidence_entry
from .decision_list import decisions_part
from .parts import Part
from .rendering import fragment
from .shell import looked_up, page
from .what_ifs import what_ifs_view
from .who import PageViewer

decisions_page = APIRouter()

DECISIONS_PARTS = (
    Part(
        "decisions",
        "Timeline",
        "decisions.html",
        decisions_part,
        frozenset({"decisions"}),
        takes=("show", "symbol", "before"),
    ),
)
EvidencePath = Annotated[str, Path(max_length=128, pattern=r"^[A-Za-z0-9][A-Za-z0-9._:-]*$")]


@decisions_page.get("/decisions", include_in_schema=False)
async def show_decisions(request: Request, caller: PageViewer, run: RunQuery = None) -> Response:
    """The timeline, the newest first."""
    return await page(request, caller, "decisions_page.html", title="Decisions", active="decisions", run=run)


@decisions_page.get("/decisions/{decision_id}", include_in_schema=False)
async def show_decision(
    request: Request, desk: Desk, caller: PageViewer, decision_id: IdPath, run: RunQuery = None
) -> Response:
    """One decision."""
    view = await looked_up(desk, run, "decision", lambda reading: decision_view(reading, decision_id))
    title = f"Decision of {view.decision['as_of'].string()[:10]}"
    return await page(
        request, caller, "decision.html", title=title, active="decisions", run=run, view=view, is_long=True
    )


@decisions_page.get("/decisions/{decision_id}/twin", include_in_schema=False)
def show_decision_twin(desk: Desk, _caller: PageViewer, decision_id: IdPath, run: RunQuery = None) -> Response:
    """Every figure of the page, with where it lies."""
    with desk.reader(run).reading() as reading:
        return JSONResponse(decision_view(reading, decision_id).twin.data())


@decisions_page.get("/decisions/{decision_id}/what-ifs", include_in_schema=False)
def show_what_ifs(desk: Desk, _caller: PageViewer, decision_id: IdPath, run: RunQuery = None) -> Response:
    """What else it could have been; a piece of the page."""
    with desk.reader(run).reading() as reading:
        return HTMLResponse(fragment("what_ifs.html", v=what_ifs_view(reading, decision_id)))


@decisions_page.get("/decisions/{decision_id}/evidence/{evidence_id}", include_in_schema=False)
async def show_evidence(
    request: Request,
    desk: Desk,
    caller: PageViewer,
    decision_id: IdPath,
    evidence_id: EvidencePath,
    run: RunQuery = None,
) -> Response:
    """One ledger entry, whole."""
    view = await looked_up(desk, run, "evidence", lambda reading: evidence_entry(reading, decision_id, evidence_id))
    return await page(
        request, caller, "evidence.html", title="Evidence", active="decisions", run=run, view=view, is_long=True
    )


@decisions_page.get("/decisions/{ident}/report", include_in_schema=False)
def show_report(desk: Desk, caller: PageViewer, ident: IdPath, run: RunQuery = None) -> Response:
    """The whole report of a decision or of an order, under a policy that allows its own sheet and nothing else."""
    found = desk.ask(run, "report", {"id": ident}, caller)
    if found.link is None:
        raise NotFound(f"this run has no decision {ident!r}", remedy="The list of decisions has all there are.")
    body = read_report(desk.book.find(desk.run_asked(run)).reports_path, ident, "html")
    headers = {"Content-Security-Policy": policy_of(body.decode("utf-8", "replace"))}
    return HTMLResponse(body, headers=headers)


@decisions_page.get("/decisions/{ident}/report.{form}", include_in_schema=False)
def show_report_file(desk: Desk, _caller: PageViewer, ident: IdPath, form: str, run: RunQuery = None) -> Response:
    """The twin of a report that was written, or its print."""
    folder = desk.book.find(desk.run_asked(run)).reports_path
    media = {"json": "application/json", "pdf": "application/pdf"}.get(form)
    path = folder / f"{ident}.{form}"
    if media is None or path.resolve().parent != folder.resolve() or not path.is_file():
        raise NotFound(
            f"there is no {form[:10]} of a report of {ident!r}", remedy=f"Write it with `parley explain {ident} --pdf`."
        )
    return FileResponse(path, media_type=media, filename=path.name)
