"""The four roles, each of which may do what the one before it may, and the scopes that narrow a token further."""

from dataclasses import dataclass
from typing import Literal, get_args

from .errors import NotAllowed

Role = Literal["viewer", "operator", "risk_officer", "admin"]
"""Reads and asks; cancels, reduces, flattens and halts; resumes and tightens; manages users. In rising order."""

Scope = Literal["read", "chat", "act", "admin"]
"""What a token is for: the record, the chat, intents, users and tokens. A session has them all."""

Via = Literal["session", "token", "console"]
"""How somebody is known: by a cookie after a password, by a token, or as who sits at this machine."""

ROLES: tuple[Role, ...] = get_args(Role)
SCOPES: tuple[Scope, ...] = get_args(Scope)


@dataclass(frozen=True, slots=True)
class Caller:
    """Somebody who is known: their role as it is now, and what the credential they came with is for."""

    user: str
    role: Role
    scopes: frozenset[Scope]
    via: Via
    credential: str
    """A name of the credential that gives nothing away: what it is bound to ends with it."""

    def require(self, role: Role, scope: Scope) -> None:
        """Raises NotAllowed when the role is below this one, or the credential is not for it."""
        if not allows(self.role, role):
            raise NotAllowed(
                f"{self.user} is {self.role}, and this takes {role}",
                remedy="Ask an admin for the role, or sign in anew.",
            )
        if scope not in self.scopes:
            raise NotAllowed(
                f"this token is for {', '.join(sorted(self.scopes))}, and this takes {scope}",
                remedy=f"Make one with `parley user token NAME --scope {scope}`.",
            )


def allows(role: Role, needed: Role) -> bool:
    """Whether a role includes another."""
    return ROLES.index(role) >= ROLES.index(needed)
