"""Changes in two steps: a typed request is shown with its effects and a one-time token, and only the token does it."""

from typing import Annotated

from fastapi import APIRouter, Body, Request
from pydantic import Field
from starlette.responses import Response

from ..answers.answer import Answer
from ..intents.intent import Intent
from ..intents.proposing import confirm, propose
from .callers import Actor, Desk, RepeatHeader
from .desk import ServedDesk
from .schemas import AnswerDocument, Confirmation

talking = APIRouter(tags=["intents"])

IntentBody = Annotated[
    Intent, Field(discriminator="action"), Body(examples=[{"action": "halt", "symbol": "XOM", "reason": "news"}])
]


@talking.post("/intents", response_model=AnswerDocument)
def propose_intent(body: IntentBody, request: Request, desk: Desk, caller: Actor, key: RepeatHeader = None) -> Response:
    """What the request would do. Nothing is done yet; the `token` of the answer does it, within a minute, once."""

    def make() -> AnswerDocument:
        return _document(propose(caller.user, caller.role, body, desk.reader(_operated(desk))))

    return desk.repeats.once(request, caller, key, body, make, 200)


@talking.post("/intents/confirm", response_model=AnswerDocument)
def confirm_intent(
    body: Confirmation, request: Request, desk: Desk, caller: Actor, key: RepeatHeader = None
) -> Response:
    """Do what a token stands for: only of the same user, and only while the state is the one that was shown."""

    def make() -> AnswerDocument:
        try:
            return _document(confirm(caller.user, caller.role, body.token, desk.reader(_operated(desk))))
        finally:
            desk.changed()

    return desk.repeats.once(request, caller, key, body, make, 200)


def _operated(desk: ServedDesk) -> str:
    """The run that people's requests go to, whichever was looked at last."""
    return desk.book.operated().run_id


def _document(answer: Answer) -> AnswerDocument:
    return AnswerDocument.model_validate(answer.document())
