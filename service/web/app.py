"""The web desk as an application of its own beside the API: its pages, their parts, their stream and their errors."""

from asyncio import gather
from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter, FastAPI, Query, Request
from markupsafe import Markup
from starlette.requests import HTTPConnection
from starlette.responses import HTMLResponse, Response
from starlette.routing import Match, Mount
from starlette.types import Scope

from ... import ParleyError
from ..access.roles import Caller
from ..api.callers import RunQuery, let_in
from ..api.desk import ServedDesk
from ..api.errors import NotFound
from ..api.lane import ShortWay
from .agents_page import AGENTS_PARTS, agents_page
from .alerts_page import ALERTS_PARTS, alerts_page
from .approvals_page import APPROVALS_PARTS, approvals_page
from .assets import assets
from .beat import Beats
from .chat import chat
from .controls import controls
from .data_page import DATA_PARTS, data_page
from .decisions_page import DECISIONS_PARTS, decisions_page
from .desk_page import DESK_PARTS, desk_page
from .evaluations_page import EVALUATIONS_PARTS, evaluations_page
from .execution_page import EXECUTION_PARTS, execution_page
from .live import Watch, live
from .market_page import MARKET_PARTS, market_page
from .parts import Part, Parts
from .problems import add_pages_of_problems
from .risk_page import RISK_PARTS, risk_page
from .signing import signing
from .system_page import SYSTEM_PARTS, system_page
from .twins import twins
from .who import PageViewer

API = "/api/"
RECORD = (
    *(decisions_page, risk_page, agents_page, market_page, execution_page, system_page, evaluations_page, data_page),
    twins,
)
ROUTERS: tuple[APIRouter, ...] = (
    assets,
    signing,
    live,
    desk_page,
    controls,
    chat,
    approvals_page,
    alerts_page,
    *RECORD,
)
PARTS: tuple[Part, ...] = (
    *(*DESK_PARTS, *APPROVALS_PARTS, *ALERTS_PARTS),
    *(*DECISIONS_PARTS, *RISK_PARTS, *AGENTS_PARTS, *MARKET_PARTS),
    *(*EXECUTION_PARTS, *SYSTEM_PARTS, *EVALUATIONS_PARTS, *DATA_PARTS),
)

INTO = Markup('<hx-partial hx-target="#inside-{}" hx-swap="innerMorph">{}</hx-partial>\n')
MAX_NAMES_CHARS = 1_000
NamesQuery = Annotated[str, Query(max_length=MAX_NAMES_CHARS)]

pieces = APIRouter()


@pieces.get("/parts", include_in_schema=False)
async def show_parts(names: NamesQuery, request: Request, caller: PageViewer, run: RunQuery = None) -> Response:
    """The insides of several parts at once as of now, each for its own place in the page."""
    return await _insides(request.app.state.parts, names, run, caller, request.query_params)


def short_parts(parts: Parts) -> ShortWay:
    """The same for a page that names no run, past its route."""

    async def shown(connection: HTTPConnection) -> Response | None:
        query = connection.query_params
        names = query.getlist("names")
        if "run" in query or len(names) != 1 or len(names[0]) > MAX_NAMES_CHARS:
            return None
        try:
            return await _insides(parts, names[0], None, let_in(connection, "viewer", "read"), query)
        except ParleyError:
            return None

    return shown


async def _insides(parts: Parts, names: str, run: str | None, caller: Caller, query: Mapping[str, str]) -> Response:
    found = [parts.by_name[name] for name in dict.fromkeys(names.split()) if name in parts.by_name]
    bodies = await gather(*(parts.body(part, run, caller, query) for part in found))
    return HTMLResponse(
        "".join(INTO.format(part.name, Markup(html)) for part, (html, _) in zip(found, bodies, strict=True))
    )


@pieces.get("/parts/{name}", include_in_schema=False)
async def show_part(name: str, request: Request, caller: PageViewer, run: RunQuery = None) -> Response:
    """The inside of one part as of now, and of which event that is."""
    parts: Parts = request.app.state.parts
    part = parts.by_name.get(name)
    if part is None:
        raise NotFound("there is no such part", remedy="Load the page again.")
    html, seq = await parts.body(part, run, caller, request.query_params)
    return HTMLResponse(html, headers={"X-Parley-Seq": str(seq)})


def build_web(desk: ServedDesk) -> FastAPI:
    """The pages of a served book."""
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None, redirect_slashes=False)
    app.state.desk = desk
    beats = Beats(desk)
    app.state.parts = parts = Parts(desk, PARTS, beats)
    app.state.watch = Watch(desk, beats, parts.due)
    for router in (*ROUTERS, pieces):
        app.include_router(router)
    add_pages_of_problems(app)
    return app


class Pages(Mount):
    """All addresses but those of the API, which answers for its own even where it has nothing."""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        if scope.get("path", "").startswith(API):
            return Match.NONE, {}
        return super().matches(scope)
