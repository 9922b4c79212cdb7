"""The bodies and documents of the API that are not records of the desk, with examples for its description."""

from typing import Annotated, Any

from pydantic import ConfigDict, Field, JsonValue

from ...domain.model import Model
from ..access.records import MAX_TOKEN_DAYS, TOKEN_DAYS
from ..access.roles import Role, Scope

MAX_TEXT_CHARS = 2_000
"""Of a message to the chat."""

Name = Annotated[str, Field(min_length=1, max_length=32, examples=["ada"])]
Password = Annotated[str, Field(min_length=1, max_length=1024, examples=["correct horse battery staple"])]


class Problem(Model):
    code: str
    message: str
    remedy: str


class ProblemDocument(Model):
    """Every error, in this form."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "error": {"code": "not_signed_in", "message": "this session is over", "remedy": "Sign in again."}
            }
        }
    )
    error: Problem


class SignIn(Model):
    user: Name
    password: Password


class FirstAdmin(Model):
    """The first user of a book; the token stands on the console of whoever started the server."""

    token: Annotated[str, Field(min_length=1, max_length=100)]
    user: Name
    password: Password


class SignedIn(Model):
    user: Name
    role: Role
    scopes: tuple[Scope, ...]
    via: str
    csrf: str | None = Field(None, description="For the X-CSRF-Token header of writes by cookie.")


class NewUser(Model):
    user: Name
    role: Role = "viewer"
    password: Password


class UserChange(Model):
    """What is to be another; what is left out stays."""

    role: Role | None = None
    disabled: bool | None = None
    password: Password | None = None


class UserDocument(Model):
    user: str
    role: Role
    disabled: bool
    created: str


class NewToken(Model):
    scopes: Annotated[tuple[Scope, ...], Field(min_length=1, max_length=4)] = ("read", "chat")
    days: Annotated[int, Field(ge=1, le=MAX_TOKEN_DAYS)] = TOKEN_DAYS
    label: Annotated[str, Field(max_length=80)] = ""


class TokenDocument(Model):
    token_id: str
    user: str
    label: str
    scopes: tuple[Scope, ...]
    created: str
    expires: str
    revoked: bool
    token: str | None = Field(None, description="Its text, only in the answer that made it.")


class Health(Model):
    ok: bool
    version: str


class AnswerDocument(Model):
    """An answer of the desk: every figure in it is in `evidence`, where `citations` and `refs` lead."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "answer": "The book holds no position.",
                "kind": "table",
                "citations": [],
                "intent": None,
                "token": None,
                "rows": None,
                "chart": None,
                "more": "",
                "link": None,
                "evidence": {},
            }
        }
    )
    answer: str
    kind: str
    citations: list[str]
    intent: JsonValue
    token: str | None
    rows: dict[str, Any] | None
    chart: JsonValue
    more: str
    link: str | None
    evidence: dict[str, JsonValue]


class Question(Model):
    """One thing the desk can be asked, and what it takes."""

    name: str
    says: str
    kind: str
    role: Role
    examples: tuple[str, ...]
    parameters: dict[str, Any]


class ChatText(Model):
    text: Annotated[str, Field(min_length=1, max_length=MAX_TEXT_CHARS, examples=["Show open positions with weights."])]


class Confirmation(Model):
    """The one-time token of a proposed intent."""

    token: Annotated[str, Field(min_length=1, max_length=200)]
