"""What the desk can be asked, each question with its parameters in the API's description."""

import json
from collections.abc import Iterator
from typing import Any

from fastapi import APIRouter, FastAPI, Request
from starlette.responses import Response

from ..access.roles import Caller
from ..answers.askable import Askable
from ..answers.table import ASKABLES, parse_arguments
from .callers import Desk, RunQuery, Viewer
from .desk import ServedDesk
from .errors import BadCall
from .replies import answer_at, reply_at
from .schemas import AnswerDocument, Question

questions = APIRouter(tags=["answers"])
EVENT_STREAM = "text/event-stream"
SHORT_FORMS = {"/positions": "positions", "/risk": "tail_risk", "/limits": "limits_used"}
"""Paths that are names of their own for a question without arguments."""


@questions.get("/answers", response_model=list[Question])
def list_questions(request: Request, _caller: Viewer) -> Response:
    """Every question, with what it takes."""
    body = json.dumps([_question(item).model_dump(mode="json") for item in ASKABLES.values()]).encode()
    return answer_at(request, str(len(body)), lambda: body)


def add_questions(app: FastAPI, prefix: str) -> None:
    """A route for each question of the table, so that the description holds its parameters."""
    for askable in ASKABLES.values():
        _add(app, f"{prefix}/answers/{askable.name}", askable)
    for path, name in SHORT_FORMS.items():
        if name in ASKABLES:
            _add(app, f"{prefix}{path}", ASKABLES[name])


def lines_of(document: dict[str, Any]) -> Iterator[str]:
    """An answer as server-sent events: its lines one by one, then the whole document."""
    for line in str(document["answer"]).splitlines():
        yield f"event: line\ndata: {json.dumps(line)}\n\n"
    yield f"event: answer\ndata: {json.dumps(document)}\n\n"


def wants_stream(request: Request) -> bool:
    return EVENT_STREAM in request.headers.get("accept", "")


def _add(app: FastAPI, path: str, askable: Askable) -> None:
    async def answer(request: Request, desk: Desk, caller: Viewer, run: RunQuery = None) -> Response:
        return await _answer(request, desk, caller, run, askable)

    app.add_api_route(
        path,
        answer,
        methods=["GET"],
        name=askable.name,
        summary=askable.says,
        response_model=AnswerDocument,
        tags=["answers"],
        operation_id=path.strip("/").replace("/", "_"),
        openapi_extra={"parameters": _parameters(askable)},
    )


async def _answer(request: Request, desk: ServedDesk, caller: Caller, run: str | None, askable: Askable) -> Response:
    given = [(name, value) for name, value in request.query_params.multi_items() if name != "run"]
    if len(dict(given)) < len(given):
        raise BadCall("a parameter was given twice", remedy="Give each one once.")
    caller.require(askable.role, "read")
    parsed = parse_arguments(askable, dict(given))
    if askable.is_live:
        told = await desk.asked(run, askable, parsed)
        return answer_at(request, told.digest, lambda: told.body)

    async def make() -> bytes:
        return (await desk.asked(run, askable, parsed)).body

    # What only some may ask is not kept where all who may read find it.
    place = None if askable.role == "viewer" else askable.role
    return await reply_at(request, desk.replies, run, desk.state_for(run, askable), make, place=place)


def _question(askable: Askable) -> Question:
    return Question(
        name=askable.name,
        says=askable.says,
        kind=askable.kind.value,
        role=askable.role,
        examples=askable.examples,
        parameters=askable.parameters.model_json_schema(),
    )


def _parameters(askable: Askable) -> list[dict[str, Any]]:
    """The question's own type as query parameters."""
    schema = askable.parameters.model_json_schema()
    required, shared = set(schema.get("required", ())), schema.get("$defs", {})
    return [
        {
            "name": name,
            "in": "query",
            "required": name in required,
            "description": found.get("description", ""),
            "schema": _plain(found, shared),
        }
        for name, found in schema.get("properties", {}).items()
    ]


def _plain(schema: dict[str, Any], shared: dict[str, Any]) -> dict[str, Any]:
    """Without references, and without the null that a query string can't say."""
    if "$ref" in schema:
        schema = shared[schema["$ref"].rsplit("/", 1)[-1]]
    choices = [item for item in schema.get("anyOf", ()) if item.get("type") != "null"]
    if len(choices) == 1:
        schema = {**_plain(choices[0], shared), **{k: v for k, v in schema.items() if k in ("description",)}}
    return {
        key: value for key, value in schema.items() if key not in ("anyOf", "title", "default") or value is not None
    }
