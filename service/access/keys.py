"""Random secrets, the digests that are kept instead of them, and the token that binds a write to its session."""

import hashlib
import hmac
import re
import secrets

SECRET_BYTES = 32
TOKEN_PREFIX = "parley"
_TOKEN = re.compile(rf"{TOKEN_PREFIX}_([0-9a-f]{{12}})_([A-Za-z0-9_-]{{43}})")
_SECRET = re.compile(r"[A-Za-z0-9_-]{43}")


def new_secret() -> str:
    """256 bits from the operating system, as 43 characters."""
    return secrets.token_urlsafe(SECRET_BYTES)


def new_token() -> tuple[str, str]:
    """A token's public id and its whole text, which is shown once; it is found again when it leaks into a file."""
    ident = secrets.token_hex(6)
    return ident, f"{TOKEN_PREFIX}_{ident}_{new_secret()}"


def token_id(text: str) -> str | None:
    """The public id of a token's text; None for what is no token."""
    found = _TOKEN.fullmatch(text)
    return found[1] if found else None


def is_secret(text: str) -> bool:
    """Whether a text has the form of what `new_secret` makes."""
    return _SECRET.fullmatch(text) is not None


def digest(secret: str) -> str:
    """What is kept of a secret: it has 256 bits of its own, so a plain hash of it can't be turned around."""
    return hashlib.sha256(secret.encode("ascii", "replace")).hexdigest()


def is_same(left: str, right: str) -> bool:
    """Compared in a time that does not say where they differ."""
    return hmac.compare_digest(left.encode("utf-8", "replace"), right.encode("utf-8", "replace"))


def csrf_of(session_secret: str) -> str:
    """The token that a page sends along with a write: it follows from the session, and the session not from it."""
    return hmac.new(session_secret.encode("ascii", "replace"), b"parley csrf", hashlib.sha256).hexdigest()
