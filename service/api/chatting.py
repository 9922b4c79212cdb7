"""The chat over HTTP: one question in, an answer out, whole or line by line; and what was said before."""

import json
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response, StreamingResponse

from ..access.roles import Caller, Role
from ..chat.history import History
from .callers import Chatter, Desk, RunQuery
from .conversing import converse
from .questions import EVENT_STREAM, lines_of, wants_stream
from .replies import answer_at
from .schemas import AnswerDocument, ChatText

chatting = APIRouter(prefix="/chat", tags=["chat"])


@chatting.post(
    "",
    response_model=AnswerDocument,
    responses={200: {"content": {EVENT_STREAM: {"schema": {"type": "string"}}}}},
)
async def chat(body: ChatText, request: Request, desk: Desk, caller: Chatter, run: RunQuery = None) -> Response:
    """Ask in your own words. With `Accept: text/event-stream` the lines come one by one, and the whole at the end.

    What would change something is only shown, with a token for POST /intents/confirm.
    """
    told = await converse(desk, run, body.text, caller.user, chat_role(caller))
    if wants_stream(request):
        return StreamingResponse(lines_of(told.answer.document()), media_type=EVENT_STREAM)
    return Response(told.body, media_type="application/json")


@chatting.get("/history", response_model=dict[str, Any])
def history(request: Request, desk: Desk, caller: Chatter) -> Response:
    """Everything that the caller asked and was told; a token is never in it."""
    body = json.dumps(History(desk.settings.book).export(caller.user), allow_nan=False).encode()
    return answer_at(request, body.decode(), lambda: body)


def chat_role(caller: Caller) -> Role:
    """A token that is not for acting only reads, whatever its user may do."""
    return caller.role if "act" in caller.scopes else "viewer"
