"""Errors of the domain.

ParleyError
└── DomainError
    ├── CanonicalError     a value that has no canonical JSON form (NaN, infinity, an unknown type)
    ├── LedgerError        a fill that cannot be booked (unknown side, wrong symbol, overfill)
    └── UnknownEvent       an event type or version this program does not know
"""

from .. import ParleyError


class DomainError(ParleyError):
    code = "domain_error"


class CanonicalError(DomainError):
    code = "canonical_error"


class LedgerError(DomainError):
    code = "ledger_error"


class UnknownEvent(DomainError):
    code = "unknown_event"
