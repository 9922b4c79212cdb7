"""What is kept of users, tokens and sessions: never a password or a secret, only what they are checked against."""

from dataclasses import dataclass

from .roles import Role, Scope

DAY_S = 86_400
SESSION_S = DAY_S // 2
"""A session ends half a day after its password, whatever was done in it."""
TOKEN_DAYS, MAX_TOKEN_DAYS = 30, 366


@dataclass(frozen=True, slots=True)
class User:
    name: str
    role: Role
    password_hash: str
    is_disabled: bool
    created_s: int


@dataclass(frozen=True, slots=True)
class TokenRecord:
    """A token of a user; `digest` is that of its whole text."""

    token_id: str
    user: str
    label: str
    digest: str
    scopes: frozenset[Scope]
    created_s: int
    expires_s: int
    is_revoked: bool


@dataclass(frozen=True, slots=True)
class SessionKept:
    """A session by the digest of its cookie."""

    digest: str
    user: str
    expires_s: int


@dataclass(frozen=True, slots=True)
class Known:
    """All of the book's users, tokens and sessions at one moment."""

    users: dict[str, User]
    tokens: dict[str, TokenRecord]
    sessions: dict[str, SessionKept]
