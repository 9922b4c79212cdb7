"""Errors as pages: what was found, what to do, and the way back; for a part only the words."""

from http import HTTPStatus
from urllib.parse import urlencode

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, RedirectResponse, Response

from ... import ParleyError
from ..access.errors import NotSignedIn, WaitFirst
from ..api.errors import BadCall, NotFound
from ..api.guard import SAFE_METHODS
from ..api.problems import INTERNAL, status_of
from .rendering import fragment
from .shell import theme_of

SIGN_IN = "/sign-in"


def add_pages_of_problems(app: FastAPI) -> None:
    """What is raised for a page becomes a page; nothing of the program's inside goes out."""

    @app.exception_handler(ParleyError)
    def ours(request: Request, error: Exception) -> Response:
        assert isinstance(error, ParleyError)
        request.state.code = error.code
        if isinstance(error, NotSignedIn) and request.url.path != SIGN_IN:
            return _to_sign_in(request)
        reply = _page(request, status_of(error), error.message, error.remedy)
        if isinstance(error, WaitFirst):
            reply.headers["Retry-After"] = str(int(error.retry_after_s) + 1)
        return reply

    @app.exception_handler(RequestValidationError)
    def misshaped(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        first = error.errors()[0] if error.errors() else {"loc": (), "msg": "not what was expected"}
        where = ".".join(str(part) for part in first["loc"][1:])[:80]
        return ours(request, BadCall(f"{where}: {str(first['msg'])[:200]}", remedy="Go back and try again."))

    @app.exception_handler(HTTPException)
    def framework(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        if isinstance(error.__cause__, ParleyError):  # what the guard said while a form was read
            return ours(request, error.__cause__)
        if error.status_code == HTTPStatus.NOT_FOUND:
            return ours(request, NotFound("there is no such page", remedy="Go to the desk's first page."))
        request.state.code = "bad_call"
        return _page(request, error.status_code, HTTPStatus(error.status_code).phrase.lower(), "Go back and try again.")

    @app.exception_handler(Exception)
    def failed(request: Request, error: Exception) -> Response:
        request.state.code = INTERNAL
        remedy = f"This is a fault of Parley: report it with the request id {request.state.request_id}."
        return _page(request, 500, "the desk failed on this page", remedy)


def is_piece(request: Request) -> bool:
    """Whether a script of ours asks for a piece of a page."""
    return request.headers.get("hx-request") == "true"


def _to_sign_in(request: Request) -> Response:
    """Sign in first, and come back to what was looked at; a piece of a page tells the whole page to."""
    if is_piece(request):
        return Response(status_code=401, headers={"HX-Refresh": "true"})
    wanted = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    asked = {"next": wanted} if request.method in SAFE_METHODS and wanted != "/" else {}
    return RedirectResponse(f"{SIGN_IN}?{urlencode(asked)}" if asked else SIGN_IN, 303)


def _page(request: Request, status: int, message: str, remedy: str) -> Response:
    if is_piece(request):
        return HTMLResponse(fragment("trouble.html", message=message, remedy=remedy), status)
    title = HTTPStatus(status).phrase.capitalize()
    html = fragment("problem.html", title=title, theme=theme_of(request), message=message, remedy=remedy, status=status)
    return HTMLResponse(html, status)
