"""Errors of the gate; a veto is a value (a Verdict), never one of these.

ParleyError
└── GateError
    ├── LimitsInvalid      a limits file or value that is missing, unknown, negative, NaN or infinite
    ├── LimitLoosened      an attempt to make a limit weaker while the desk runs
    └── NotApproved        something that claims to be approved, and was not issued by the gate as it stands
"""

from .. import ParleyError


class GateError(ParleyError):
    code = "gate_error"


class LimitsInvalid(GateError):
    code = "limits_invalid"


class LimitLoosened(GateError):
    code = "limit_loosened"


class NotApproved(GateError):
    code = "not_approved"
