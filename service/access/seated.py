"""Who sits at this machine: where the book has users, one of them, with their own role or less of it."""

from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

from .errors import NotAllowed, NotSignedIn
from .records import User
from .roles import ROLES, Role, allows
from .store import AccessStore


def seated(book: Path, user: str, role: Role | None) -> Role:
    """The role of somebody at the console.

    No password is asked for: whoever reads the book's files could act without this program as well, and `parley halt`
    asks nobody. It is so that the log and the history name a person who is known, in the role that person was given.
    A book without users takes any name, as an admin unless less is asked for. Raises NotSignedIn, NotAllowed.
    """
    with closing(AccessStore(book)) as store:
        return seated_among(store.known().users, user, role)


def seated_among(users: Mapping[str, User], user: str, role: Role | None) -> Role:
    """The same of users who are known already."""
    if not users:
        return role or ROLES[-1]
    found = users.get(user)
    if found is None or found.is_disabled:
        active = ", ".join(name for name, item in users.items() if not item.is_disabled) or "none"
        raise NotSignedIn(
            f"this book has users, and {user[:40]!r} is none who may sign in",
            remedy=f"Give one with --user: {active}. `parley user add` makes another.",
        )
    if role is not None and not allows(found.role, role):
        raise NotAllowed(
            f"{user} is {found.role}, and {role} is more than that",
            remedy=f"Leave --role out, or change it: `parley user role {user} {role}`.",
        )
    return role or found.role
