"""The book's users, tokens and sessions in a database of their own, which only its owner can read."""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Lock

from ...desk.clock import elapsed_s, wall_s
from ...storage.sql import Database, open_sqlite
from .errors import TokenRefused, UserRefused, UserUnknown
from .keys import digest, new_secret, new_token
from .owned import Owned
from .passwords import hash_password
from .records import DAY_S, MAX_TOKEN_DAYS, SESSION_S, TOKEN_DAYS, Known, SessionKept, TokenRecord, User
from .roles import ROLES, SCOPES, Role, Scope

ACCESS = "access"
DATABASE, DOOR = "users.db", "door.db"
LOOK_S = 1.0
"""How long what is known of users, tokens and sessions holds where no change was made in this process."""

_NAME = re.compile(r"[a-z][a-z0-9._-]{0,31}")
DOOR_TABLES = (
    "CREATE TABLE IF NOT EXISTS tries (kind TEXT NOT NULL, name TEXT NOT NULL, wrong INTEGER NOT NULL, "
    "last_s REAL NOT NULL, until_s REAL NOT NULL, PRIMARY KEY (kind, name))",
    "CREATE TABLE IF NOT EXISTS repeats (user TEXT NOT NULL, key TEXT NOT NULL, fingerprint TEXT NOT NULL, "
    "status INTEGER NOT NULL, body TEXT NOT NULL, at_s REAL NOT NULL, PRIMARY KEY (user, key))",
)
_TABLES = (
    "CREATE TABLE IF NOT EXISTS users (name TEXT PRIMARY KEY, role TEXT NOT NULL, password_hash TEXT NOT NULL, "
    "is_disabled INTEGER NOT NULL, created_s INTEGER NOT NULL)",
    "CREATE TABLE IF NOT EXISTS tokens (token_id TEXT PRIMARY KEY, user TEXT NOT NULL, label TEXT NOT NULL, "
    "digest TEXT NOT NULL, scopes TEXT NOT NULL, created_s INTEGER NOT NULL, expires_s INTEGER NOT NULL, "
    "is_revoked INTEGER NOT NULL)",
    "CREATE TABLE IF NOT EXISTS sessions (digest TEXT PRIMARY KEY, user TEXT NOT NULL, expires_s INTEGER NOT NULL)",
)


_changes = Counter[str]()
"""How often each database was changed by this process, whichever store did it."""


class AccessStore:
    """Users, tokens and sessions of one book. A change is in force at once in the process that made it, and within a
    second in others."""

    def __init__(self, book: Path, now_s: Callable[[], float] = wall_s) -> None:
        self.folder = book / ACCESS
        self._path = self.folder / DATABASE
        self._owned = Owned(self._path, _TABLES)
        self.door = Owned(self.folder / DOOR, DOOR_TABLES)
        """Wrong tries and repeated writes: apart from the users, which are read again at each change."""
        self._now_s = now_s
        self._lock = Lock()
        self._reader: Database | None = None
        self._version: object = None
        self._looked_s, self._seen_changes = -LOOK_S, -1
        self._known = Known({}, {}, {})

    def now_s(self) -> float:
        return self._now_s()

    def known(self) -> Known:
        """What stands in the database now; it is read again only after somebody changed it."""
        with self._lock:
            now_s, changes = elapsed_s(), _changes[str(self._path)]
            if now_s - self._looked_s < LOOK_S and changes == self._seen_changes:
                return self._known
            self._looked_s, self._seen_changes = now_s, changes
            if self._reader is None:
                if not self._path.exists():
                    return self._known
                self._reader = open_sqlite(self._path, readonly=True)
            version = self._reader.rows("PRAGMA data_version")[0][0]
            if version != self._version:
                self._known, self._version = _read(self._reader), version
            return self._known

    def close(self) -> None:
        with self._lock:
            if self._reader is not None:
                self._reader.close()
            self._reader = self._version = None
            self._looked_s = -LOOK_S

    def user(self, name: str) -> User:
        found = self.known().users.get(name)
        if found is None:
            known = ", ".join(sorted(self.known().users)) or "none yet"
            raise UserUnknown(
                f"no user is called {name[:40]!r}", remedy=f"Users: {known}. `parley user add` makes one."
            )
        return found

    def add_user(self, name: str, role: Role, password: str, *, only_first: bool = False) -> User:
        """A new user; `only_first` refuses when there is one already."""
        if not _NAME.fullmatch(name):
            raise UserRefused(
                f"{name[:40]!r} can't be a user's name",
                remedy="Begin with a small letter; then small letters, digits, dots, dashes, at most 32 in all.",
            )
        if role not in ROLES:
            raise _no_role(role)
        made = User(name, role, hash_password(password), False, int(self._now_s()))
        with self._changing() as database:
            taken = {row[0] for row in database.rows("SELECT name FROM users")}
            if name in taken or (only_first and taken):
                raise UserRefused(f"there is a user {min(taken)!r} already", remedy="`parley user list` shows all.")
            database.execute(
                "INSERT INTO users VALUES (?, ?, ?, 0, ?)", (name, role, made.password_hash, made.created_s)
            )
        return made

    def set_password(self, name: str, password: str) -> None:
        """A new password; every session of the user ends."""
        self.user(name)
        stored = hash_password(password)
        with self._changing() as database:
            database.execute("UPDATE users SET password_hash = ? WHERE name = ?", (stored, name))
            database.execute("DELETE FROM sessions WHERE user = ?", (name,))

    def set_role(self, name: str, role: Role) -> None:
        """Another role; sessions end, and tokens go on with the new one."""
        if role not in ROLES:
            raise _no_role(role)
        self.user(name)
        with self._changing() as database, _keeping_an_admin(database):
            database.execute("UPDATE users SET role = ? WHERE name = ?", (role, name))
            database.execute("DELETE FROM sessions WHERE user = ?", (name,))

    def set_disabled(self, name: str, is_disabled: bool) -> None:
        """Shut out at once, with all sessions and tokens; or let in again, with a new sign-in."""
        self.user(name)
        with self._changing() as database, _keeping_an_admin(database):
            database.execute("UPDATE users SET is_disabled = ? WHERE name = ?", (int(is_disabled), name))
            database.execute("DELETE FROM sessions WHERE user = ?", (name,))

    def add_token(
        self, user: str, scopes: Sequence[Scope], *, label: str = "", days: int = TOKEN_DAYS
    ) -> tuple[TokenRecord, str]:
        """A token and its text, which is kept nowhere."""
        self.user(user)
        wrong = [scope for scope in scopes if scope not in SCOPES]
        if wrong or not scopes or not 1 <= days <= MAX_TOKEN_DAYS or len(label) > 80 or not label.isprintable():
            raise TokenRefused(
                f"a token for {', '.join(scopes)[:80] or 'nothing'} of {days} days",
                remedy=f"Scopes are {', '.join(SCOPES)}; it lasts 1 to {MAX_TOKEN_DAYS} days; a label is short.",
            )
        ident, text = new_token()
        now = int(self._now_s())
        made = TokenRecord(ident, user, label, digest(text), frozenset(scopes), now, now + days * DAY_S, False)
        with self._changing() as database:
            database.execute(
                "INSERT INTO tokens VALUES (?, ?, ?, ?, ?, ?, ?, 0)",
                (ident, user, label, made.digest, " ".join(sorted(scopes)), now, made.expires_s),
            )
        return made, text

    def revoke_token(self, token_id: str, user: str | None = None) -> None:
        """End a token; with `user`, only one of theirs."""
        found = self.known().tokens.get(token_id)
        if found is None or user not in (None, found.user):
            raise TokenRefused(f"no token {token_id[:20]!r}", remedy="`parley user list` shows their ids.")
        with self._changing() as database:
            database.execute("UPDATE tokens SET is_revoked = 1 WHERE token_id = ?", (token_id,))

    def open_session(self, user: str, replaced: str | None = None) -> str:
        """A session's secret, always a new one; the one it replaces ends."""
        secret, now = new_secret(), int(self._now_s())
        with self._changing() as database:
            database.execute("DELETE FROM sessions WHERE expires_s <= ?", (now,))
            if replaced is not None:
                database.execute("DELETE FROM sessions WHERE digest = ?", (digest(replaced),))
            database.execute("INSERT INTO sessions VALUES (?, ?, ?)", (digest(secret), user, now + SESSION_S))
        return secret

    def end_session(self, secret_digest: str) -> None:
        with self._changing() as database:
            database.execute("DELETE FROM sessions WHERE digest = ?", (secret_digest,))

    @contextmanager
    def _changing(self) -> Iterator[Database]:
        with self._owned.changing() as database:
            yield database
        _changes[str(self._path)] += 1


@contextmanager
def _keeping_an_admin(database: Database) -> Iterator[None]:
    """A book that has an admin keeps one."""
    had = _admins(database)
    yield
    if had and not _admins(database):
        raise UserRefused("that was the last admin", remedy="Make another one first: `parley user add --role admin`.")


def _admins(database: Database) -> int:
    return database.rows("SELECT count(*) FROM users WHERE role = 'admin' AND is_disabled = 0")[0][0]


def _no_role(role: str) -> UserRefused:
    return UserRefused(f"{role[:40]!r} is no role", remedy=f"Take one of: {', '.join(ROLES)}.")


def _read(database: Database) -> Known:
    if "users" not in database.tables():
        return Known({}, {}, {})
    users = [
        User(name, role, stored, bool(is_disabled), created_s)
        for name, role, stored, is_disabled, created_s in database.rows("SELECT * FROM users ORDER BY name")
    ]
    tokens = [
        TokenRecord(ident, user, label, kept, frozenset(scopes.split()), created_s, expires_s, bool(is_revoked))
        for ident, user, label, kept, scopes, created_s, expires_s, is_revoked in database.rows(
            "SELECT * FROM tokens ORDER BY created_s, token_id"
        )
    ]
    sessions = [SessionKept(*row) for row in database.rows("SELECT * FROM sessions")]
    return Known(
        {item.name: item for item in users},
        {item.token_id: item for item in tokens},
        {item.digest: item for item in sessions},
    )
