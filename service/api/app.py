"""Builds the API: its routes under /api/v1, its description, and the guard around all of it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from anyio.to_thread import current_default_thread_limiter
from fastapi import APIRouter, FastAPI
from starlette.types import ASGIApp

from ... import __version__
from ..access.store import AccessStore
from ..web.app import Pages, build_web, short_parts
from .alerts import alerts
from .approvals import approvals
from .chatting import chatting
from .desk import ServedDesk
from .guard import Guard
from .lane import Lane
from .problems import add_handlers
from .questions import add_questions, questions
from .records import records
from .schemas import ProblemDocument
from .sessions import people, sessions
from .settings import ServeSettings
from .streams import streams
from .system import system
from .talking import talking

PREFIX = "/api/v1"
THREADS = 6
"""Calls that are worked on at the same time: more would only wait for one another, and the stream for all of them."""
ABOUT = (
    "The desk's record, its answers, and its controls in two steps. Every read can be repeated: give back the `ETag` "
    "as `If-None-Match`. Lists are pages: give back `next` as `cursor`. A write may carry an `Idempotency-Key`. Every "
    "error is `error{code, message, remedy}`. Sign in with a Bearer token of `parley user token`, or with a session."
)
PROBLEMS: dict[int | str, dict[str, Any]] = {
    status: {"model": ProblemDocument, "description": text}
    for status, text in (
        (400, "It can't be done as asked."),
        (401, "Nobody is signed in."),
        (403, "The role, the scope, the host, the origin or the CSRF token is not the right one."),
        (404, "There is no such record."),
        (408, "The body took too long."),
        (409, "It does not fit what is there now."),
        (413, "The body is too large."),
        (422, "A parameter or the body is not what is expected."),
        (429, "Too many calls or tries: wait as Retry-After says."),
        (503, "The record can't be read or written at this moment."),
    )
}


def build_app(settings: ServeSettings, store: AccessStore | None = None) -> FastAPI:
    """The application for one book. `store` is the book's own, unless a test brings one with its own clock."""
    desk = ServedDesk(settings, store)

    @asynccontextmanager
    async def life(_app: FastAPI) -> AsyncIterator[None]:
        current_default_thread_limiter().total_tokens = THREADS
        yield
        desk.close()

    app = FastAPI(
        title="Parley",
        version=__version__,
        description=ABOUT,
        openapi_url=f"{PREFIX}/openapi.json",
        docs_url=None,  # their pages load scripts from elsewhere
        redoc_url=None,
        lifespan=life,
        responses=PROBLEMS,
        redirect_slashes=False,
    )
    app.state.desk = desk
    api = APIRouter(prefix=PREFIX)
    for router in (system, sessions, people, records, questions, chatting, talking, approvals, alerts, streams):
        api.include_router(router)
    app.include_router(api)
    add_questions(app, PREFIX)
    add_handlers(app)
    web = build_web(desk)
    app.state.short_ways = {"/parts": short_parts(web.state.parts)}
    app.router.routes.append(Pages("/", web))
    return app


def guarded(app: FastAPI) -> ASGIApp:
    """The application with the guard around it, as it is served."""
    desk: ServedDesk = app.state.desk
    return Guard(Lane(app, PREFIX), desk.settings, desk.audit)
