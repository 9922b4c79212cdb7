"""Errors of the fast loop; a refused child and a rejected order are values, not errors.

ParleyError
└── ExecutionError
    ├── IllegalTransition    an order event that can't happen in the order's state: venue and desk disagree
    ├── VenueUnreachable     no answer came: what was asked may have been done or not
    ├── OrderIdReused        a second order under the client order id of another
    ├── SessionRefused       a session that may not start, or whose quotes can't be worked
    └── RearmRefused         a restriction that may not be lifted yet, or not without a reason
"""

from .. import ParleyError


class ExecutionError(ParleyError):
    code = "execution_error"


class IllegalTransition(ExecutionError):
    code = "illegal_transition"


class VenueUnreachable(ExecutionError):
    code = "venue_unreachable"


class OrderIdReused(ExecutionError):
    code = "order_id_reused"


class SessionRefused(ExecutionError):
    code = "session_refused"


class RearmRefused(ExecutionError):
    code = "rearm_refused"
