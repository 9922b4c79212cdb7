"""Signing in and out, and the first admin of an empty book, as pages over the API's own sessions."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from ... import ParleyError
from ..access.errors import NotSignedIn
from ..access.keys import csrf_of
from ..access.records import SESSION_S
from ..api.callers import CSRF_COOKIE, SESSION_COOKIE, Desk, identify
from ..api.guard import address_of
from ..api.problems import status_of
from .rendering import fragment
from .shell import theme_of
from .who import Fields, ViewerSent

signing = APIRouter()

NextQuery = Annotated[str, Query(max_length=500)]
SECRETS = frozenset({"password", "token"})


@signing.get("/sign-in", include_in_schema=False)
def sign_in_page(request: Request, desk: Desk, next: NextQuery = "/") -> Response:
    """The form; of a book without users that for its first admin."""
    try:
        identify(request)
    except NotSignedIn:
        return _form(request, desk.doorman.store.known().users == {}, next)
    return RedirectResponse(own_path(next), 303)


@signing.post("/sign-in", include_in_schema=False)
def sign_in(request: Request, desk: Desk, fields: Fields) -> Response:
    """A session by name and password; whatever session came along ends."""
    request.state.strangers.take(address_of(request.scope))
    name, password, old = fields.get("user", ""), fields.get("password", ""), request.cookies.get(SESSION_COOKIE)
    try:
        secret, _ = desk.doorman.sign_in(name, password, address_of(request.scope), old)
    except ParleyError as error:
        return _again(request, False, fields, error)
    return _welcome(desk.settings.is_secure, secret, fields.get("next", "/"))


@signing.post("/sign-in/first", include_in_schema=False)
def make_first_admin(request: Request, desk: Desk, fields: Fields) -> Response:
    """The first user of an empty book, by the one-time token on the server's console."""
    request.state.strangers.take(address_of(request.scope))
    try:
        secret = desk.doorman.make_first(
            fields.get("token", "").strip(), fields.get("user", ""), fields.get("password", ""),
            address_of(request.scope),
        )  # fmt: skip
    except ParleyError as error:
        return _again(request, desk.doorman.store.known().users == {}, fields, error)
    return _welcome(desk.settings.is_secure, secret, "/")


@signing.post("/sign-out", include_in_schema=False)
def sign_out(desk: Desk, sent: ViewerSent) -> Response:
    """End this session."""
    desk.doorman.sign_out(sent.caller)
    reply = RedirectResponse("/sign-in", 303)
    for name in (SESSION_COOKIE, CSRF_COOKIE):
        reply.delete_cookie(name, path="/", secure=desk.settings.is_secure, samesite="strict")
    return reply


def own_path(wanted: str) -> str:
    """Where to go after signing in: a path of this desk, and nowhere else."""
    is_ours = wanted.startswith("/") and not wanted.startswith("//") and "\\" not in wanted and wanted.isprintable()
    return wanted if is_ours else "/"


def _again(request: Request, is_first: bool, fields: dict[str, str], error: ParleyError) -> Response:
    request.state.code = error.code
    kept = {name: value for name, value in fields.items() if name not in SECRETS}
    return _form(request, is_first, kept.get("next", "/"), kept.get("user", ""), error)


def _form(request: Request, is_first: bool, wanted: str, user: str = "", error: ParleyError | None = None) -> Response:
    html = fragment(
        "sign_in.html", theme=theme_of(request), is_first=is_first, next=own_path(wanted), user=user, error=error
    )
    return HTMLResponse(html, status_of(error) if error else 200)


def _welcome(is_secure: bool, secret: str, wanted: str) -> Response:
    reply = RedirectResponse(own_path(wanted), 303)
    reply.set_cookie(SESSION_COOKIE, secret, SESSION_S, path="/", secure=is_secure, httponly=True, samesite="strict")
    reply.set_cookie(CSRF_COOKIE, csrf_of(secret), SESSION_S, path="/", secure=is_secure, samesite="strict")
    return reply
