"""The figures of a part as data: each with the event, the ledger entry or the derivation that it comes from."""

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse, Response

from ..api.callers import Desk, RunQuery
from ..api.errors import NotFound
from ..pages.twin import Twin
from .parts import Asked, Parts
from .who import PageViewer

twins = APIRouter()


@twins.get("/parts/{name}/twin", include_in_schema=False)
def show_twin(name: str, request: Request, desk: Desk, caller: PageViewer, run: RunQuery = None) -> Response:
    """Where every `data-ref` of a part leads."""
    parts: Parts = request.app.state.parts
    part = parts.by_name.get(name)
    if part is None:
        raise NotFound("there is no such part", remedy="Load the page again.")
    caller.require(part.needs, "read")
    query = {key: request.query_params[key] for key in part.takes if key in request.query_params}
    with desk.reader(run).reading() as reading:
        twin = getattr(part.view(Asked(desk, reading, caller.role, query, run)), "twin", None)
    if not isinstance(twin, Twin):
        raise NotFound("this part has no figures with sources", remedy="Look at the page itself.")
    return JSONResponse(twin.data())
