"""Every error as one document, `error{code, message, remedy}`, with the status that fits it."""

import json
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from ... import ParleyError
from ...desk.errors import RunUnknown
from ...evals.errors import EvalUnknown
from ...memory.errors import EmptyLog
from ...storage.errors import StoreCorrupt, StoreLocked, StoreMissing, StoreUnwritable
from ..access.errors import (
    CsrfRefused,
    LockedOut,
    NotAllowed,
    NotSignedIn,
    TokenRefused,
    TooManyCalls,
    UserRefused,
    UserUnknown,
    WaitFirst,
    WeakPassword,
)
from ..answers.errors import BadArguments, UnknownQuestion
from ..intents.errors import IntentInvalid, NotPermitted
from ..intents.errors import TokenRefused as IntentTokenRefused
from ..pages.errors import UnknownRecord
from .errors import BadCall, BodyTooLarge, CallRefused, CallTooSlow, KeyReused, NotFound, StreamMoved

STATUSES: dict[type[ParleyError], int] = {
    NotSignedIn: 401,
    NotAllowed: 403,
    CsrfRefused: 403,
    LockedOut: 429,
    TooManyCalls: 429,
    UserUnknown: 404,
    UserRefused: 409,
    WeakPassword: 422,
    TokenRefused: 422,
    CallRefused: 403,
    BodyTooLarge: 413,
    CallTooSlow: 408,
    BadCall: 422,
    BadArguments: 422,
    NotFound: 404,
    UnknownQuestion: 404,
    UnknownRecord: 404,
    RunUnknown: 404,
    EvalUnknown: 404,
    EmptyLog: 404,
    StoreMissing: 404,
    StoreLocked: 503,
    StoreCorrupt: 503,
    StoreUnwritable: 503,
    IntentInvalid: 422,
    NotPermitted: 403,
    IntentTokenRefused: 409,
    KeyReused: 409,
    StreamMoved: 409,
}
INTERNAL = "internal_error"
ANY_OTHER = 400
"""An error of ours that is raised on purpose is about what was asked."""


def status_of(error: ParleyError) -> int:
    """The status of the nearest class that has one."""
    return next((STATUSES[kind] for kind in type(error).__mro__ if kind in STATUSES), ANY_OTHER)


def problem(status: int, code: str, message: str, remedy: str, headers: dict[str, str] | None = None) -> Response:
    """The one form of an error."""
    document = {"error": {"code": code, "message": message, "remedy": remedy}}
    return Response(json.dumps(document), status, headers, "application/json")


def problem_of(error: ParleyError) -> Response:
    """Our own error as a reply."""
    headers = dict[str, str]()
    if isinstance(error, WaitFirst):
        headers["Retry-After"] = str(int(error.retry_after_s) + 1)
    if isinstance(error, NotSignedIn):
        headers["WWW-Authenticate"] = "Bearer"
    return problem(status_of(error), error.code, error.message, error.remedy, headers)


def add_handlers(app: FastAPI) -> None:
    """What is raised in a route becomes a document; nothing of the program's inside goes out."""

    @app.exception_handler(ParleyError)
    def ours(request: Request, error: Exception) -> Response:
        assert isinstance(error, ParleyError)
        request.state.code = error.code
        return problem_of(error)

    @app.exception_handler(RequestValidationError)
    def misshaped(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        return ours(request, BadCall(_first_of(error.errors()), remedy="See /api/v1/openapi.json."))

    @app.exception_handler(HTTPException)
    def framework(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        if isinstance(error.__cause__, ParleyError):  # what the guard said while the body was read
            return ours(request, error.__cause__)
        code = "not_found" if error.status_code == HTTPStatus.NOT_FOUND else "bad_call"
        request.state.code = code
        message = f"{HTTPStatus(error.status_code).phrase.lower()}: {request.method} {request.url.path[:120]}"
        return problem(error.status_code, code, message, "See /api/v1/openapi.json.", dict(error.headers or {}))

    @app.exception_handler(Exception)
    def failed(request: Request, error: Exception) -> Response:
        request.state.code = INTERNAL
        return internal(request.state.request_id)


def internal(request_id: str) -> Response:
    """A fault of the program: nothing of it goes out but the id by which it is found again."""
    remedy = f"This is a fault of Parley: report it with the request id {request_id}."
    return problem(500, INTERNAL, "the desk failed on this call", remedy)


def _first_of(found: Any) -> str:
    """Where the first fault is and what it is, without what was sent."""
    first = found[0] if found else {"loc": (), "msg": "not what was expected"}
    where = ".".join(str(part) for part in first["loc"])[:80]
    return f"{where}: {str(first['msg'])[:200]}"
