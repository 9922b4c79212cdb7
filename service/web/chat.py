"""The chat beside every page: a question in, the answer line by line, with its sources and what it would do."""

import secrets
from collections.abc import AsyncIterator

from fastapi import APIRouter, Request
from markupsafe import Markup
from starlette.concurrency import run_in_threadpool
from starlette.responses import HTMLResponse, Response, StreamingResponse

from ... import ParleyError
from ..access.roles import Caller, Role
from ..answers.answer import Answer
from ..api.callers import Desk, RunQuery
from ..api.errors import BadCall
from ..api.questions import EVENT_STREAM, wants_stream
from ..chat.front import Front
from ..chat.history import History
from .answer_view import answer_view
from .rendering import fragment
from .who import ChatterSent, OperatorSent, PageViewer

chat = APIRouter()

MAX_CHARS = 2_000
TURNS_SHOWN = 20
TRIES = (
    "Show open positions with weights.",
    "Why did the desk not trade today?",
    "What is the value at risk?",
    "Compare this week with buy-and-hold.",
)


@chat.post("/chat", include_in_schema=False)
async def ask(request: Request, desk: Desk, sent: ChatterSent, run: RunQuery = None) -> Response:
    """One question. The question is shown at once, then the answer's lines as they come, then all of it."""
    text = sent.text("text")
    if not 0 < len(text) <= MAX_CHARS:
        raise BadCall("a question of one to two thousand characters is expected", remedy="Ask it in fewer words.")
    front = await run_in_threadpool(desk.front, run)
    if wants_stream(request):
        return StreamingResponse(_told(front, text, sent.caller), media_type=EVENT_STREAM)
    answer = await run_in_threadpool(front.reply, text, sent.caller.user, _chat_role(sent.caller))
    return HTMLResponse(_turn(text, answer, _name()))


@chat.post("/chat/confirm", include_in_schema=False)
def confirm(desk: Desk, sent: OperatorSent, run: RunQuery = None) -> Response:
    """Do what an answer showed: its one-time token, of the same user, while the state is the one that was shown."""
    try:
        answer = desk.front(run).confirm(sent.text("token"), sent.caller.user, sent.caller.role)
    finally:
        desk.changed()
    return HTMLResponse(_turn("", answer, _name()))


@chat.get("/chat/history", include_in_schema=False)
def show_history(desk: Desk, caller: PageViewer) -> Response:
    """What the caller asked last and was told."""
    said = History(desk.settings.book).of(caller.user)
    turns = said[-TURNS_SHOWN:]
    return HTMLResponse(fragment("history.html", turns=turns, more=len(said) - len(turns), tries=TRIES))


async def _told(front: Front, text: str, caller: Caller) -> AsyncIterator[str]:
    name = _name()
    yield _message(fragment("turn.html", name=name, question=text, answer=None))
    try:
        answer = await run_in_threadpool(front.reply, text, caller.user, _chat_role(caller))
    except ParleyError as error:
        yield _into(f"#turn-{name}", "beforeend", fragment("trouble.html", message=error.message, remedy=error.remedy))
        return
    for line in answer.lines:
        yield _into(f"#told-{name}", "beforeend", fragment("told_line.html", line=line))
    yield _into(f"#turn-{name}", "outerHTML", _turn(text, answer, name))


def _turn(question: str, answer: Answer, name: str) -> Markup:
    return fragment("turn.html", name=name, question=question, answer=answer_view(answer))


def _into(target: str, swap: str, html: Markup) -> str:
    return _message(Markup('<hx-partial hx-target="{}" hx-swap="{}">{}</hx-partial>').format(target, swap, html))


def _message(html: Markup) -> str:
    return "".join(f"data: {line}\n" for line in html.splitlines()) + "\n"


def _chat_role(caller: Caller) -> Role:
    """A token that is not for acting only reads, whatever its user may do."""
    return caller.role if "act" in caller.scopes else "viewer"


def _name() -> str:
    """What a turn is called in the page: its lines are put there."""
    return secrets.token_hex(6)
