"""What can be wrong with a call, beside what is wrong with what it asks.

ParleyError
└── ApiError
    ├── CallRefused      a host, an origin or a content type that the desk does not answer
    ├── BodyTooLarge     more bytes than any call needs
    ├── CallTooSlow      a body that did not come in time
    ├── BadCall          a parameter or a body that is missing, unknown or out of its bounds
    ├── NotFound         a record, report or path that is not there
    ├── KeyReused        an idempotency key that came with another body before
    ├── StreamMoved      a place to resume from that this log never had
    └── UnsafeAddress    an address that others reach, without TLS and without being told so
"""

from ... import ParleyError


class ApiError(ParleyError):
    code = "api_error"


class CallRefused(ApiError):
    code = "call_refused"


class BodyTooLarge(ApiError):
    code = "body_too_large"


class CallTooSlow(ApiError):
    code = "call_too_slow"


class BadCall(ApiError):
    code = "bad_call"


class NotFound(ApiError):
    code = "not_found"


class KeyReused(ApiError):
    code = "key_reused"


class StreamMoved(ApiError):
    code = "stream_moved"


class UnsafeAddress(ApiError):
    code = "unsafe_address"
