"""Lets people and programs in: by name and password, by session cookie, or by token; and out again."""

from collections.abc import Callable

from ...desk.clock import elapsed_s
from .errors import CsrfRefused, NotSignedIn
from .keys import csrf_of, digest, is_same, is_secret, new_secret, token_id
from .lockout import Lockout
from .passwords import is_password
from .records import Known, User
from .roles import SCOPES, Caller
from .store import AccessStore

FIRST_TOKEN_S = 1_800.0
"""How long the console's token for the first admin is good."""


class Doorman:
    """One per server process: it remembers the token for the first admin of an empty book."""

    def __init__(self, store: AccessStore, steady_s: Callable[[], float] = elapsed_s) -> None:
        self.store = store
        self._steady_s = steady_s
        self._lockout = Lockout(store.now_s, store.door.changing)
        self._first: tuple[str, float] | None = None

    def offer_first(self) -> str | None:
        """A one-time token to make the first admin with, for the console of who starts the server; None if there are
        users."""
        if self.store.known().users:
            return None
        secret = new_secret()
        self._first = (digest(secret), self._steady_s() + FIRST_TOKEN_S)
        return secret

    def make_first(self, secret: str, name: str, password: str, address: str) -> str:
        """The first admin, by the console's token; the secret of their session. It works once."""
        self._lockout.begin("first admin", address)
        first = self._first
        if first is None or self._steady_s() > first[1] or not is_same(digest(secret), first[0]):
            raise NotSignedIn(
                "this is not the token of the console, or it was used, or it is too old",
                remedy="Start the server again, or use `parley user add NAME --role admin`.",
            )
        self.store.add_user(name, "admin", password, only_first=True)
        self._first = None
        self._lockout.succeed("first admin", address)
        return self.store.open_session(name)

    def sign_in(self, name: str, password: str, address: str, replaced: str | None) -> tuple[str, User]:
        """The secret of a new session, whatever cookie came along; that one ends. Raises NotSignedIn, LockedOut."""
        self._lockout.begin(name, address)
        user = self.store.known().users.get(name)
        usable = user is not None and not user.is_disabled
        if not is_password(password, user.password_hash if user and usable else None) or user is None:
            raise NotSignedIn("the name or the password is wrong", remedy="Try again; an admin can set a new password.")
        self._lockout.succeed(name, address)
        return self.store.open_session(name, replaced), user

    def by_session(self, secret: str) -> Caller:
        """Who a session's cookie belongs to. Raises NotSignedIn."""
        known, kept = self.store.known(), digest(secret) if is_secret(secret) else ""
        session = known.sessions.get(kept)
        if session is None or session.expires_s <= self.store.now_s():
            raise NotSignedIn("this session is over", remedy="Sign in again.")
        user = _active(known, session.user)
        return Caller(user.name, user.role, frozenset(SCOPES), "session", kept)

    def by_token(self, text: str) -> Caller:
        """Who a token belongs to, with their role as it is now. Raises NotSignedIn."""
        known = self.store.known()
        ident = token_id(text)
        token = known.tokens.get(ident) if ident else None
        if token is None or not is_same(digest(text), token.digest):
            raise NotSignedIn("this token is unknown", remedy="Make one with `parley user token NAME`.")
        if token.is_revoked or token.expires_s <= self.store.now_s():
            raise NotSignedIn("this token is over", remedy="Make a new one with `parley user token NAME`.")
        user = _active(known, token.user)
        return Caller(user.name, user.role, token.scopes, "token", token.token_id)

    def sign_out(self, caller: Caller) -> None:
        """The session ends for good."""
        if caller.via == "session":
            self.store.end_session(caller.credential)


def require_csrf(session_secret: str, sent: str | None) -> None:
    """A write that came with a cookie has to show that the page it came from could read ours."""
    if sent is None or not is_same(sent, csrf_of(session_secret)):
        raise CsrfRefused(
            "the X-CSRF-Token header is missing or not that of this session",
            remedy="Send the value of the parley_csrf cookie in the X-CSRF-Token header.",
        )


def _active(known: Known, name: str) -> User:
    user = known.users.get(name)
    if user is None or user.is_disabled:
        raise NotSignedIn("this user may not sign in", remedy="Ask an admin.")
    return user
