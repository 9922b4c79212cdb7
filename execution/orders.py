"""The life of a child order: one table from (state, what happened) to state; nothing else is legal.

Two things this table decides on purpose:

- After a send without an answer the order is UNKNOWN. A timeout is never a reject. Only the venue's own
  word leads out of UNKNOWN, and a resend under the same id leaves it there.
- A terminal order never leaves its state. A fill can still arrive after a cancel was confirmed, since the
  two race at the venue. The money is real, so the ledger books that fill and the filled quantity grows;
  the order stays CANCELED or EXPIRED. The state says how the order ended, the fills say how much traded.
  (Some engines move such an order to FILLED; then "terminal" would mean nothing to whoever acted on it.)

Whether a fill is PARTIALLY_FILLED or FILLED follows from the sum of fills, not from the order in which
reports arrive, so reports out of order need no rows of their own.
"""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

from ..domain.orders import OrderState
from .errors import IllegalTransition


class OrderEvent(StrEnum):
    """What can happen to an order. LOST: no answer came, or the line broke."""

    DENIED = "DENIED"
    SUBMITTED = "SUBMITTED"
    ACCEPTED = "ACCEPTED"
    REJECTED = "REJECTED"
    PARTIALLY_FILLED = "PARTIALLY_FILLED"
    FILLED = "FILLED"
    CANCEL_REQUESTED = "CANCEL_REQUESTED"
    CANCEL_REFUSED = "CANCEL_REFUSED"
    CANCELED = "CANCELED"
    EXPIRED = "EXPIRED"
    LOST = "LOST"


TERMINAL = frozenset(
    {OrderState.FILLED, OrderState.CANCELED, OrderState.REJECTED, OrderState.EXPIRED, OrderState.DENIED}
)

_S, _E = OrderState, OrderEvent

# What a venue may say of any order it has, whatever the desk believed before.
_VENUE_SAYS = {
    _E.ACCEPTED: _S.ACCEPTED,
    _E.REJECTED: _S.REJECTED,
    _E.PARTIALLY_FILLED: _S.PARTIALLY_FILLED,
    _E.FILLED: _S.FILLED,
    _E.CANCELED: _S.CANCELED,
    _E.EXPIRED: _S.EXPIRED,
}
_OPEN = _VENUE_SAYS | {_E.CANCEL_REQUESTED: _S.PENDING_CANCEL, _E.LOST: _S.UNKNOWN}

_ROWS: dict[OrderState, dict[OrderEvent, OrderState]] = {
    _S.INTENDED: {_E.DENIED: _S.DENIED, _E.SUBMITTED: _S.SUBMITTED},
    # A fill may come before the acknowledgement.
    _S.SUBMITTED: _OPEN,
    _S.ACCEPTED: _OPEN | {_E.CANCEL_REFUSED: _S.ACCEPTED},
    # An acknowledgement that comes after the first fill takes nothing back. A partly filled order
    # can't be rejected any more.
    _S.PARTIALLY_FILLED: {event: state for event, state in _OPEN.items() if event is not _E.REJECTED}
    | {_E.ACCEPTED: _S.PARTIALLY_FILLED, _E.CANCEL_REFUSED: _S.PARTIALLY_FILLED},
    # Fills race with the cancel; a refused cancel leaves the order open, its fills say how far it got.
    _S.PENDING_CANCEL: _VENUE_SAYS
    | {
        _E.ACCEPTED: _S.PENDING_CANCEL,
        _E.PARTIALLY_FILLED: _S.PENDING_CANCEL,
        _E.CANCEL_REFUSED: _S.ACCEPTED,
        _E.LOST: _S.UNKNOWN,
    },
    _S.UNKNOWN: _VENUE_SAYS
    | {
        _E.SUBMITTED: _S.UNKNOWN,
        _E.CANCEL_REQUESTED: _S.UNKNOWN,
        _E.CANCEL_REFUSED: _S.UNKNOWN,
        _E.LOST: _S.UNKNOWN,
    },
    _S.FILLED: {_E.ACCEPTED: _S.FILLED, _E.CANCEL_REFUSED: _S.FILLED},
    _S.CANCELED: {
        _E.ACCEPTED: _S.CANCELED,
        _E.PARTIALLY_FILLED: _S.CANCELED,
        _E.FILLED: _S.CANCELED,
        _E.CANCELED: _S.CANCELED,
        _E.CANCEL_REFUSED: _S.CANCELED,
    },
    _S.EXPIRED: {
        _E.ACCEPTED: _S.EXPIRED,
        _E.PARTIALLY_FILLED: _S.EXPIRED,
        _E.FILLED: _S.EXPIRED,
        _E.EXPIRED: _S.EXPIRED,
        _E.CANCEL_REFUSED: _S.EXPIRED,
    },
    _S.REJECTED: {_E.REJECTED: _S.REJECTED, _E.CANCEL_REFUSED: _S.REJECTED},
    _S.DENIED: {},
}

TRANSITIONS: Mapping[tuple[OrderState, OrderEvent], OrderState] = MappingProxyType(
    {(state, event): after for state, row in _ROWS.items() for event, after in row.items()}
)


def next_state(state: OrderState, event: OrderEvent) -> OrderState:
    """Where an order goes from here; an event the table does not know stops the caller."""
    after = TRANSITIONS.get((state, event))
    if after is None:
        raise IllegalTransition(
            f"an order in state {state} can't be {event}",
            remedy="Stop sending, ask the venue for this order, and reconcile before resuming.",
        )
    return after
