"""Argon2id for passwords; the only module that knows the library."""

from functools import cache
from threading import BoundedSemaphore
from typing import TYPE_CHECKING

from .errors import WeakPassword

if TYPE_CHECKING:
    from argon2 import PasswordHasher

MIN_CHARS, MAX_BYTES = 12, 1024
"""NIST SP 800-63B asks for at least eight and lets a verifier ask for more; the upper bound keeps one call cheap."""
MEMORY_KIB, PASSES, LANES = 65_536, 3, 4
"""RFC 9106, section 4, the second recommended option: 64 MiB and three passes."""
AT_ONCE = 2
"""Hashes that are worked out at the same time, so that sign-ins can't fill the memory."""

_turn = BoundedSemaphore(AT_ONCE)


def hash_password(password: str) -> str:
    """The text that is stored: parameters, salt and hash. Raises WeakPassword."""
    if len(password) < MIN_CHARS or len(password.encode("utf-8", "surrogatepass")) > MAX_BYTES:
        raise WeakPassword(
            f"a password of {len(password)} characters, expected at least {MIN_CHARS} and at most {MAX_BYTES} bytes",
            remedy="Take a few words that nobody would guess together.",
        )
    if not password.isprintable():
        raise WeakPassword("a password with characters that can't be typed", remedy="Leave control characters out.")
    with _turn:
        return _hasher().hash(password)


def is_password(password: str, stored: str | None) -> bool:
    """Whether it is the one that was hashed. For a user who isn't there (None) it takes as long, and is False."""
    from argon2.exceptions import InvalidHashError, VerificationError

    if len(password) > MAX_BYTES or not password.isprintable():
        return False
    with _turn:
        try:
            return _hasher().verify(stored or _nobody(), password) and stored is not None
        except (VerificationError, InvalidHashError):
            return False


@cache
def _hasher() -> "PasswordHasher":
    from argon2 import PasswordHasher

    return PasswordHasher(time_cost=PASSES, memory_cost=MEMORY_KIB, parallelism=LANES)


@cache
def _nobody() -> str:
    """A hash that no sign-in can match: it is of words that nobody is told."""
    from .keys import new_secret

    return _hasher().hash(new_secret())
