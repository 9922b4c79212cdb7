"""What can be wrong with who somebody is and what they may do.

ParleyError
└── AccessError
    ├── NotSignedIn     no credential, or one that is unknown, expired or revoked
    ├── NotAllowed      known, and without the role or the scope for this
    ├── CsrfRefused     a write by cookie without the token that only our own pages can read
    ├── WaitFirst
    │   ├── LockedOut       too many wrong passwords for this user or from this address
    │   └── TooManyCalls    more calls than the rate allows
    ├── UserUnknown     no user has this name
    ├── UserRefused     a user that can't be made or changed so: the name, the role, the last admin
    ├── WeakPassword    shorter than the least, or longer than what is hashed
    ├── TokenRefused    a token that can't be made so: its scopes, its days
    └── AuditBroken     a line of the audit that does not hash to what it says
"""

from ... import ParleyError


class AccessError(ParleyError):
    code = "access_error"


class NotSignedIn(AccessError):
    code = "not_signed_in"


class NotAllowed(AccessError):
    code = "not_allowed"


class CsrfRefused(AccessError):
    code = "csrf_refused"


class WaitFirst(AccessError):
    """`retry_after_s` is how long to wait."""

    code = "wait_first"

    def __init__(self, message: str, *, retry_after_s: float, remedy: str = "") -> None:
        super().__init__(message, remedy=remedy)
        self.retry_after_s = retry_after_s


class LockedOut(WaitFirst):
    code = "locked_out"


class TooManyCalls(WaitFirst):
    code = "too_many_calls"


class UserUnknown(AccessError):
    code = "user_unknown"


class UserRefused(AccessError):
    code = "user_refused"


class WeakPassword(AccessError):
    code = "weak_password"


class TokenRefused(AccessError):
    code = "token_refused"


class AuditBroken(AccessError):
    code = "audit_broken"
