"""Who looks at a page or sends a form: by the session's cookie, with the role that the page takes."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import parse_qsl

from fastapi import Depends, Request

from ..access.doorman import require_csrf
from ..access.keys import csrf_of
from ..access.roles import Caller, Role, Scope
from ..api.callers import SESSION_COOKIE, let_in
from ..api.errors import BadCall

MAX_FIELDS = 40
FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True)
class Sent:
    """A form and who sent it."""

    caller: Caller
    fields: Mapping[str, str]

    def text(self, name: str) -> str:
        """A field without the spaces around it; empty when it was not sent."""
        return self.fields.get(name, "").strip()


def seen_by(role: Role, scope: Scope = "read") -> Callable[..., Awaitable[Caller]]:
    """A dependency: who looks at a page that takes this role."""

    async def caller(request: Request) -> Caller:
        return let_in(request, role, scope)

    return caller


def sent_by(role: Role, scope: Scope) -> Callable[..., Awaitable[Sent]]:
    """A dependency: a form of somebody with this role, with the token that only our own pages know."""

    async def sent(request: Request) -> Sent:
        caller = let_in(request, role, scope)
        fields = await fields_of(request)
        if caller.via == "session":
            require_csrf(request.cookies[SESSION_COOKIE], request.headers.get("x-csrf-token") or fields.get("csrf"))
        return Sent(caller, fields)

    return sent


async def fields_of(request: Request) -> dict[str, str]:
    """The fields of a form; one that was sent twice is refused, as is anything that is no form."""
    if request.headers.get("content-type", "").partition(";")[0].strip() not in (FORM, ""):
        raise BadCall("this takes a form", remedy="Send it from the desk's own pages.")
    try:
        text = (await request.body()).decode("utf-8")
        pairs = parse_qsl(text, keep_blank_values=True, max_num_fields=MAX_FIELDS, errors="strict")
    except ValueError as error:
        raise BadCall("the form can't be read", remedy="Send it from the desk's own pages.") from error
    if len(dict(pairs)) < len(pairs):
        raise BadCall("a field was given twice", remedy="Give each one once.")
    return dict(pairs)


def csrf_token(request: Request) -> str:
    """For the forms of a page: the token of this session; empty where nobody is signed in."""
    cookie = request.cookies.get(SESSION_COOKIE)
    return csrf_of(cookie) if cookie else ""


PageViewer = Annotated[Caller, Depends(seen_by("viewer"))]
PageOperator = Annotated[Caller, Depends(seen_by("operator"))]
Fields = Annotated[dict[str, str], Depends(fields_of)]
ViewerSent = Annotated[Sent, Depends(sent_by("viewer", "read"))]
ChatterSent = Annotated[Sent, Depends(sent_by("viewer", "chat"))]
OperatorSent = Annotated[Sent, Depends(sent_by("operator", "act"))]
