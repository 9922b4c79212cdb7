"""How the desk is: alive, its state, its evaluations, and its reports as pages and as data."""

import base64
import hashlib
import json
import re
from pathlib import Path
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from ... import ParleyError, __version__
from ...desk.book import Book, RunFolder
from ...desk.operator import book_post
from ...evals.book_at_rest import standing_of
from ...evals.harness.record import find_record, latest_records
from ...execution.standing import Standing
from ..controlling import status_document
from .callers import CursorQuery, Desk, IdPath, LimitQuery, RunQuery, Viewer
from .desk import ServedDesk
from .errors import NotFound
from .replies import Page, answer_at, page_of
from .schemas import Health

system = APIRouter(tags=["system"])

_REPORT_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
_STYLE = re.compile(r"<style>(.*?)</style>", re.DOTALL)
ReportForm = Literal["html", "json"]


@system.get("/health", response_model=Health)
def health() -> Health:
    """Whether the server answers. It says nothing else, and takes no sign-in."""
    return Health(ok=True, version=__version__)


@system.get("/status", response_model=dict[str, Any])
async def status(desk: Desk, _caller: Viewer) -> Response:
    """What the desk may do now and what waits for a person, as `parley status --json` says it; a second old at most."""
    key = (desk.fresh_state(None, needs_run=False), "status")
    return Response(await desk.works.once(key, "status", lambda: _status(desk)), media_type="application/json")


def _status(desk: ServedDesk) -> bytes:
    standing: Standing | None = None
    folder: RunFolder | None = None
    problem, post = "", book_post(desk.settings.book)
    try:
        folder = Book(desk.settings.book).operated()
        standing = standing_of(folder)
    except ParleyError as error:
        problem = error.message
    return json.dumps(status_document(standing, post.flag.read(), post, folder, problem), allow_nan=False).encode()


@system.get("/evals", response_model=list[dict[str, Any]])
def list_evaluations(request: Request, desk: Desk, _caller: Viewer) -> Response:
    """The latest evaluation of each suite."""
    found = [{"eval": item.id, "manifest": item.manifest()} for item in latest_records(desk.settings.book)]
    body = json.dumps(found, allow_nan=False).encode()
    return answer_at(request, body.decode(), lambda: body)


@system.get("/evals/{name}", response_model=dict[str, Any])
def show_evaluation(request: Request, desk: Desk, _caller: Viewer, name: IdPath) -> Response:
    """One evaluation by its id, or the latest of a suite: its manifest, and its summary where it is finished."""
    found = find_record(desk.settings.book, name)
    said = {"eval": found.id, "manifest": found.manifest(), "summary": found.summary_document()}
    body = json.dumps(said, allow_nan=False).encode()
    return answer_at(request, body.decode(), lambda: body)


@system.get("/reports", response_model=Page[str])
def list_reports(
    request: Request,
    desk: Desk,
    _caller: Viewer,
    run: RunQuery = None,
    cursor: CursorQuery = 0,
    limit: LimitQuery = 100,
) -> Response:
    """The reports that were written for a run, by their ids."""
    folder = desk.book.find(desk.run_asked(run)).reports_path
    made = page_of(
        sorted(path.stem for path in folder.glob("*.html") if _REPORT_ID.fullmatch(path.stem)), cursor, limit
    )
    return answer_at(request, made.model_dump_json(), lambda: made)


@system.get(
    "/reports/{report_id}",
    responses={200: {"content": {"text/html": {"schema": {"type": "string"}}, "application/json": {}}}},
)
def show_report(
    request: Request,
    desk: Desk,
    _caller: Viewer,
    report_id: IdPath,
    run: RunQuery = None,
    form: Annotated[ReportForm, Query(alias="format", description="The page, or its twin with all evidence.")] = "html",
) -> Response:
    """A report. The page runs no script and loads nothing; only its own style, by its hash."""
    body = read_report(desk.book.find(desk.run_asked(run)).reports_path, report_id, form)
    reply = answer_at(request, hashlib.sha256(body).hexdigest(), lambda: body)
    if form == "html":
        reply.headers["Content-Security-Policy"] = policy_of(body.decode("utf-8", "replace"))
        reply.headers["Content-Type"] = "text/html; charset=utf-8"
    return reply


def read_report(folder: Path, report_id: str, form: ReportForm) -> bytes:
    """The file of this name in this folder, and no other: no link out of it, no name with a path in it."""
    path = folder / f"{report_id}.{form}"
    is_inside = _REPORT_ID.fullmatch(report_id) is not None and path.resolve().parent == folder.resolve()
    if not is_inside or not path.is_file():
        raise NotFound(
            f"there is no report {report_id!r}", remedy="GET /api/v1/reports lists them; `parley explain ID`."
        )
    return path.read_bytes()


def policy_of(html: str) -> str:
    """No script, no form, nothing loaded; the one sheet that the page holds in its head, by its hash."""
    own = _STYLE.search(html)
    style = (
        f"'sha256-{base64.b64encode(hashlib.sha256(own[1].encode()).digest()).decode('ascii')}'" if own else "'none'"
    )
    return (
        f"default-src 'none'; style-src-elem {style}; style-src-attr 'unsafe-inline'; img-src data:; "
        "frame-ancestors 'none'; base-uri 'none'; form-action 'none'; sandbox"
    )
