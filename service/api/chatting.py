"""The chat over HTTP: one question in, an answer out, whole or line by line; and what was said before."""

import json
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from ..access.roles import Caller, Role
from ..chat.history import History
from .callers import Chatter, Desk, RunQuery
from .questions import EVENT_STREAM, reply_with
from .replies import answer_at
from .schemas import AnswerDocument, ChatText

chatting = APIRouter(prefix="/chat", tags=["chat"])


@chatting.post(
    "",
    response_model=AnswerDocument,
    responses={200: {"content": {EVENT_STREAM: {"schema": {"type": "string"}}}}},
)
def chat(body: ChatText, request: Request, desk: Desk, caller: Chatter, run: RunQuery = None) -> Response:
    """Ask in your own words. With `Accept: text/event-stream` the lines come one by one, and the whole at the end.

    What would change something is only shown, with a token for POST /intents/confirm.
    """
    answer = desk.front(run).reply(body.text, caller.user, _chat_role(caller))
    return reply_with(request, answer.document())


@chatting.get("/history", response_model=dict[str, Any])
def history(request: Request, desk: Desk, caller: Chatter) -> Response:
    """Everything that the caller asked and was told; a token is never in it."""
    body = json.dumps(History(desk.settings.book).export(caller.user), allow_nan=False).encode()
    return answer_at(request, body.decode(), lambda: body)


def _chat_role(caller: Caller) -> Role:
    """A token that is not for acting only reads, whatever its user may do."""
    return caller.role if "act" in caller.scopes else "viewer"
