"""What can be wrong with a request that would change something.

ParleyError
└── IntentError
    ├── IntentInvalid   not one of the typed requests, or about a name the run does not know
    ├── NotPermitted    the role does not reach so far
    └── TokenRefused    a token that is unknown, used, expired, another user's, or of another state
"""

from ... import ParleyError


class IntentError(ParleyError):
    code = "intent_error"


class IntentInvalid(IntentError):
    code = "intent_invalid"


class NotPermitted(IntentError):
    code = "not_permitted"


class TokenRefused(IntentError):
    code = "token_refused"
