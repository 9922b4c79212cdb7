"""Signing in and out, the first admin, users and their tokens."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from ..access.errors import NotAllowed
from ..access.keys import csrf_of
from ..access.managing import token_document, user_document
from ..access.records import SESSION_S, User
from ..access.roles import SCOPES, Caller
from .callers import CSRF_COOKIE, SESSION_COOKIE, Admin, Desk, IdPath, Keeper, RepeatHeader, Viewer
from .desk import ServedDesk
from .guard import address_of
from .schemas import FirstAdmin, NewToken, NewUser, SignedIn, SignIn, TokenDocument, UserChange, UserDocument

sessions = APIRouter(prefix="/session", tags=["access"])
people = APIRouter(tags=["access"])


@sessions.post("", response_model=SignedIn)
def sign_in(body: SignIn, request: Request, desk: Desk) -> Response:
    """A session by name and password. Whatever session came along ends, and the cookie is always a new one."""
    request.state.strangers.take(address_of(request.scope))
    secret, user = desk.doorman.sign_in(
        body.user, body.password, address_of(request.scope), request.cookies.get(SESSION_COOKIE)
    )
    return _welcome(request, desk, secret, Caller(user.name, user.role, frozenset(SCOPES), "session", ""))


@sessions.post("/first", response_model=SignedIn)
def make_first_admin(body: FirstAdmin, request: Request, desk: Desk) -> Response:
    """The first user of an empty book, by the one-time token on the server's console."""
    request.state.strangers.take(address_of(request.scope))
    secret = desk.doorman.make_first(body.token, body.user, body.password, address_of(request.scope))
    return _welcome(request, desk, secret, Caller(body.user, "admin", frozenset(SCOPES), "session", ""))


@sessions.get("", response_model=SignedIn)
def show_session(request: Request, caller: Viewer) -> SignedIn:
    """Who this call is from."""
    secret = request.cookies.get(SESSION_COOKIE) if caller.via == "session" else None
    return _signed_in(caller, secret)


@sessions.delete("", status_code=204)
def sign_out(desk: Desk, caller: Viewer) -> Response:
    """End this session."""
    desk.doorman.sign_out(caller)
    reply = Response(status_code=204)
    for name in (SESSION_COOKIE, CSRF_COOKIE):
        reply.delete_cookie(name, path="/", secure=desk.settings.is_secure, samesite="strict")
    return reply


@people.get("/users", response_model=list[UserDocument])
def list_users(desk: Desk, _caller: Admin) -> list[dict[str, object]]:
    """All users."""
    return [user_document(user) for user in desk.doorman.store.known().users.values()]


@people.post("/users", status_code=201, response_model=UserDocument)
def add_user(body: NewUser, request: Request, desk: Desk, caller: Admin, key: RepeatHeader = None) -> Response:
    """Another user."""

    def make() -> UserDocument:
        return _user(desk.doorman.store.add_user(body.user, body.role, body.password))

    return desk.repeats.once(request, caller, key, body, make, 201)


@people.patch("/users/{name}", response_model=UserDocument)
def change_user(
    name: IdPath, body: UserChange, request: Request, desk: Desk, caller: Admin, key: RepeatHeader = None
) -> Response:
    """Another role, another password, shut out or let in; the user's sessions end with it."""

    def make() -> UserDocument:
        store = desk.doorman.store
        if body.role is not None:
            store.set_role(name, body.role)
        if body.password is not None:
            store.set_password(name, body.password)
        if body.disabled is not None:
            store.set_disabled(name, body.disabled)
        return _user(store.user(name))

    return desk.repeats.once(request, caller, key, body, make, 200)


@people.get("/tokens", response_model=list[TokenDocument], response_model_exclude_none=True)
def list_tokens(desk: Desk, caller: Viewer) -> list[dict[str, object]]:
    """One's own tokens; an admin's list holds those of all."""
    is_admin = caller.role == "admin" and "admin" in caller.scopes
    tokens = desk.doorman.store.known().tokens.values()
    return [token_document(token) for token in tokens if is_admin or token.user == caller.user]


@people.post("/tokens", status_code=201, response_model=TokenDocument)
def add_token(
    body: NewToken,
    request: Request,
    desk: Desk,
    caller: Keeper,
    key: RepeatHeader = None,
) -> Response:
    """A token of one's own, shown once. A token can't make one that is for more than itself."""
    wider = set(body.scopes) - caller.scopes
    if wider:
        raise NotAllowed(
            f"this token is not for {', '.join(sorted(wider))}", remedy="Sign in, or ask for less than it may itself."
        )

    def make() -> TokenDocument:
        made, text = desk.doorman.store.add_token(caller.user, body.scopes, label=body.label, days=body.days)
        return _token(token_document(made) | {"token": text})

    return desk.repeats.once(request, caller, key, body, make, 201)


@people.delete("/tokens/{token_id}", status_code=204)
def revoke_token(token_id: IdPath, desk: Desk, caller: Keeper) -> Response:
    """End a token: one's own, or as an admin any."""
    is_admin = caller.role == "admin" and "admin" in caller.scopes
    desk.doorman.store.revoke_token(token_id, None if is_admin else caller.user)
    return Response(status_code=204)


def _welcome(request: Request, desk: ServedDesk, secret: str, caller: Caller) -> Response:
    request.state.caller = caller
    document = _signed_in(caller, secret)
    reply = Response(document.model_dump_json(), media_type="application/json")
    secure = desk.settings.is_secure
    reply.set_cookie(SESSION_COOKIE, secret, SESSION_S, path="/", secure=secure, httponly=True, samesite="strict")
    reply.set_cookie(CSRF_COOKIE, csrf_of(secret), SESSION_S, path="/", secure=secure, samesite="strict")
    return reply


def _signed_in(caller: Caller, secret: str | None) -> SignedIn:
    scopes = tuple(sorted(caller.scopes))
    csrf = csrf_of(secret) if secret else None
    return SignedIn(user=caller.user, role=caller.role, scopes=scopes, via=caller.via, csrf=csrf)


def _user(user: User) -> UserDocument:
    return UserDocument.model_validate(user_document(user))


def _token(document: dict[str, object]) -> TokenDocument:
    return TokenDocument.model_validate(document)
