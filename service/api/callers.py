"""Who makes a call: by token or by session cookie, with the role and the scope that the route takes."""

import re
from collections.abc import Awaitable, Callable
from typing import Annotated, Any

from fastapi import Depends, Header, Path, Query, Request
from fastapi.security import APIKeyCookie, HTTPBearer
from starlette.requests import HTTPConnection

from ..access.doorman import require_csrf
from ..access.errors import NotSignedIn
from ..access.roles import Caller, Role, Scope
from .desk import ServedDesk, desk_of, served
from .guard import SAFE_METHODS, address_of
from .idempotency import KEY_PATTERN
from .replies import MAX_PAGE

SESSION_COOKIE, CSRF_COOKIE = "parley_session", "parley_csrf"
BEARER = "bearer "
RUN_CHARS, RUN_PATTERN = 128, r"^[A-Za-z0-9][A-Za-z0-9._-]*$"

Desk = Annotated[ServedDesk, Depends(desk_of)]
RunQuery = Annotated[
    str | None,
    Query(
        max_length=RUN_CHARS,
        pattern=RUN_PATTERN,
        description="A run's id or the beginning of it; the latest when left out.",
    ),
]
CursorQuery = Annotated[int, Query(ge=0, le=10**9, description="`next` of the page before.")]
LimitQuery = Annotated[int, Query(ge=1, le=MAX_PAGE)]
IdPath = Annotated[str, Path(max_length=128, pattern=r"^[A-Za-z0-9][A-Za-z0-9._:-]*$")]
RepeatHeader = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        pattern=KEY_PATTERN,
        description="The same key gives the same answer, and does it once.",
    ),
]

_BEARER = HTTPBearer(auto_error=False, description="A token of `parley user token`.")
_COOKIE = APIKeyCookie(name=SESSION_COOKIE, auto_error=False, description="Set by POST /api/v1/session.")


def identify(connection: HTTPConnection) -> Caller:
    """Who a connection belongs to. Raises NotSignedIn."""
    doorman = served(connection).doorman
    sent = connection.headers.get("authorization", "")
    if sent:
        if not sent.lower().startswith(BEARER):
            raise NotSignedIn("only Bearer tokens are taken", remedy="Send Authorization: Bearer TOKEN.")
        return doorman.by_token(sent[len(BEARER) :].strip())
    cookie = connection.cookies.get(SESSION_COOKIE)
    if cookie is None:
        raise NotSignedIn(
            "no token and no session came with this call",
            remedy="Make a token with `parley user token NAME`, or sign in with POST /api/v1/session.",
        )
    return doorman.by_session(cookie)


def let_in(connection: HTTPConnection, role: Role, scope: Scope) -> Caller:
    """The caller, known, within the rate, and allowed to. What they may not do is in the audit with their name.

    A call that names a run there is not comes no further either. Raises RunUnknown.
    """
    state = connection.scope["state"]
    try:
        caller = identify(connection)
    except NotSignedIn:
        state["strangers"].take(address_of(connection.scope))
        raise
    state["caller"] = caller
    desk = served(connection)
    desk.rates.take(caller.user)
    caller.require(role, scope)
    named = connection.query_params.get("run", "")
    if len(named) <= RUN_CHARS and re.match(RUN_PATTERN, named):  # what is misshaped, the route itself refuses
        desk.require_run(named)
    return caller


def admitted(connection: HTTPConnection, role: Role, scope: Scope) -> Caller:
    """The caller of one call, let in; a write by cookie has to show the session's CSRF token as well."""
    found = let_in(connection, role, scope)
    if found.via == "session" and connection.scope["method"] not in SAFE_METHODS:
        require_csrf(connection.cookies[SESSION_COOKIE], connection.headers.get("x-csrf-token"))
    return found


def allowed(role: Role, scope: Scope) -> Callable[..., Awaitable[Caller]]:
    """A dependency: the caller of a route that takes this role and this scope. It looks things up in memory, so it
    takes no thread of its own."""

    async def caller(request: Request, _bearer: Any = Depends(_BEARER), _cookie: Any = Depends(_COOKIE)) -> Caller:
        return admitted(request, role, scope)

    return caller


Viewer = Annotated[Caller, Depends(allowed("viewer", "read"))]
Chatter = Annotated[Caller, Depends(allowed("viewer", "chat"))]
Actor = Annotated[Caller, Depends(allowed("operator", "act"))]
Admin = Annotated[Caller, Depends(allowed("admin", "admin"))]
Keeper = Annotated[Caller, Depends(allowed("viewer", "admin"))]
"""Of one's own tokens: a token that is only for reading can't make itself another that lasts longer."""
