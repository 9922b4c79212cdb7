"""The `parley user` commands: who may sign in, with what role, and which tokens they have."""

import getpass
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import cast

from ...desk.clock import wall_time
from ..console import Console
from .audit import Audit, Call, read_calls
from .errors import WeakPassword
from .records import TokenRecord, User
from .roles import Role, Scope
from .store import AccessStore


def perform_add(book: Path, name: str, role: str, console: Console) -> None:
    """A new user; the password comes from a prompt or from standard input, never from the command line."""
    user = AccessStore(book).add_user(name, cast(Role, role), read_password())
    _note(book, f"user add {name} {role}")
    console.result({"user": user.name, "role": user.role})
    console.say(f"{user.name} ({user.role}) may sign in.")


def perform_password(book: Path, name: str, console: Console) -> None:
    store = AccessStore(book)
    store.user(name)  # before a password is typed for nobody
    store.set_password(name, read_password())
    _note(book, f"user password {name}")
    console.result({"user": name, "changed": "password"})
    console.say(f"The password of {name} is changed, and all their sessions are over.")


def perform_disable(book: Path, name: str, is_disabled: bool, console: Console) -> None:
    AccessStore(book).set_disabled(name, is_disabled)
    _note(book, f"user {'disable' if is_disabled else 'enable'} {name}")
    console.result({"user": name, "disabled": is_disabled})
    console.say(f"{name} is shut out, with all sessions and tokens." if is_disabled else f"{name} may sign in again.")


def perform_role(book: Path, name: str, role: str, console: Console) -> None:
    AccessStore(book).set_role(name, cast(Role, role))
    _note(book, f"user role {name} {role}")
    console.result({"user": name, "role": role})
    console.say(f"{name} is {role} now; their sessions are over.")


def perform_token(book: Path, name: str, scopes: Sequence[str], days: int, label: str, console: Console) -> None:
    """A token, shown this once."""
    made, text = AccessStore(book).add_token(name, [cast(Scope, scope) for scope in scopes], label=label, days=days)
    _note(book, f"user token {name} {made.token_id}")
    console.result(token_document(made) | {"token": text})
    console.say(text)
    console.say(f"This is shown once. It is for {', '.join(sorted(made.scopes))} and ends {_day(made.expires_s)}.")


def perform_revoke(book: Path, token_id: str, console: Console) -> None:
    AccessStore(book).revoke_token(token_id)
    _note(book, f"user revoke {token_id}")
    console.result({"token_id": token_id, "revoked": True})
    console.say(f"The token {token_id} is over.")


def perform_list(book: Path, console: Console) -> None:
    known = AccessStore(book).known()
    tokens = list(known.tokens.values())
    console.result(
        {"users": [user_document(user) for user in known.users.values()], "tokens": [token_document(t) for t in tokens]}
    )
    if not known.users:
        console.say("No user yet: `parley user add NAME --role admin` makes the first.")
        return
    rows = [(user.name, user.role, "disabled" if user.is_disabled else "active") for user in known.users.values()]
    console.table("Users", ("name", "role", "state"), rows)
    if tokens:
        listed = [
            (t.token_id, t.user, " ".join(sorted(t.scopes)), _day(t.expires_s), "over" if t.is_revoked else "", t.label)
            for t in tokens
        ]
        console.table("Tokens", ("id", "user", "for", "ends", "", "label"), listed)


def perform_log(book: Path, last: int, console: Console) -> None:
    """The last calls, after the whole chain of them was checked."""
    calls = list(read_calls(book))
    shown = calls[-last:]
    console.result({"calls": len(calls), "last": [dict(call) for call in shown]})
    names = ("at", "user", "role", "via", "address", "action", "status", "code")
    console.table(f"{len(calls)} calls, unbroken", names, [tuple(str(call[name]) for name in names) for call in shown])


def user_document(user: User) -> dict[str, object]:
    """What others may see of a user."""
    return {"user": user.name, "role": user.role, "disabled": user.is_disabled, "created": _day(user.created_s)}


def token_document(token: TokenRecord) -> dict[str, object]:
    """What others may see of a token: never its digest."""
    return {
        "token_id": token.token_id,
        "user": token.user,
        "label": token.label,
        "scopes": sorted(token.scopes),
        "created": _day(token.created_s),
        "expires": _day(token.expires_s),
        "revoked": token.is_revoked,
    }


def read_password() -> str:
    """Typed twice at a terminal, or the first line of standard input."""
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\n")
    typed = getpass.getpass("Password: ")
    if getpass.getpass("Again: ") != typed:
        raise WeakPassword("the two passwords differ", remedy="Type the same one twice.")
    return typed


def _note(book: Path, action: str) -> None:
    """Changes from the command line stand in the same audit as those through the API."""
    try:
        login = getpass.getuser()
    except (KeyError, OSError):
        login = "unknown"
    audit = Audit(book)
    audit.record(Call(wall_time(), login, "", "console", "here", action, 0, "", ""))
    audit.close()


def _day(epoch_s: int) -> str:
    return datetime.fromtimestamp(epoch_s, UTC).date().isoformat()
