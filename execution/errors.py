"""Errors of the fast loop; a refused child and a rejected order are values, not errors.

ParleyError
└── ExecutionError
    ├── IllegalTransition    an order event that can't happen in the order's state: venue and desk disagree
    ├── VenueContradiction   a report about an order nobody sent, or for more than was sent
    ├── OrderIdReused        a second order under the client order id of another
    └── SessionRefused       a session that may not start, or whose quotes can't be worked
"""

from .. import ParleyError


class ExecutionError(ParleyError):
    code = "execution_error"


class IllegalTransition(ExecutionError):
    code = "illegal_transition"


class VenueContradiction(ExecutionError):
    code = "venue_contradiction"


class OrderIdReused(ExecutionError):
    code = "order_id_reused"


class SessionRefused(ExecutionError):
    code = "session_refused"
