"""Takes open orders back where trading was restricted, checks each one, and does not try for ever."""

from collections.abc import Callable
from datetime import datetime

from ..domain.control_events import BookDifference
from ..domain.orders import ChildOrder
from ..domain.trading import TradingState
from .algorithms.closing import waits_for_close
from .order_manager import OrderManager
from .session_book import SessionBook
from .working import WorkingChild

MAX_CANCELS = 3
"""A venue that refuses this often will not be moved by asking again: a person has to."""


def cancel_restricted(
    orders: OrderManager,
    book: SessionBook,
    state_of: Callable[[str], TradingState],
    now: datetime,
    spares: Callable[[WorkingChild], bool] = lambda working: False,
) -> None:
    """Ask for every open order that its state forbids; one that outlives its last cancel becomes a difference.

    `spares` says which ones protect a position and stand whatever the state.
    """
    for working in tuple(orders.known.open.values()):
        child = working.child
        state = state_of(child.symbol)
        if state is TradingState.ACTIVE or (state is TradingState.REDUCING and not _adds_risk(working, book)):
            continue
        if spares(working):
            continue
        if working.cancels and waits_for_close(child):
            continue  # An auction's book that is shut gives nothing back, and that is no difference.
        if working.cancels < MAX_CANCELS:
            orders.cancel(working, f"trading is {state}", now)
        elif working.is_open:
            orders.known.contradict(survivor(child, working.state, f"outlived {working.cancels} cancels"))


def take_back_all(
    orders: OrderManager,
    objection: Callable[[WorkingChild], str | None],
    why: str,
    now: datetime,
    ask: Callable[[], object],
    *,
    is_first: bool,
) -> None:
    """Cancel every open order, `ask` what became of each, and try again, but not for ever.

    `objection` says of a protective order why it may not stay, and nothing where it may; of any other one it is None.
    What has outlived its cancels is asked for at the first time alone.
    """

    def unwanted() -> list[tuple[WorkingChild, str]]:
        found = [(working, objection(working)) for working in orders.known.open.values()]
        due = [(working, why if said is None else said) for working, said in found if said != ""]
        return [(working, said) for working, said in due if is_first or working.cancels < MAX_CANCELS]

    for _ in range(MAX_CANCELS):
        for working, said in unwanted():
            orders.cancel(working, said, now)
        if not unwanted():
            return
        ask()


def unreachable(venue: str) -> BookDifference:
    """Nobody could say how a session ended."""
    text = f"{venue} could not be reached at the end of the session"
    return BookDifference(
        kind="order_state", subject=venue, ours="asked", theirs="no answer", explained=False, text=text
    )


def survivor(child: ChildOrder, state: str, what: str) -> BookDifference:
    """An order that may still fill although it should be over."""
    return BookDifference(
        kind="order_state",
        subject=child.client_order_id,
        ours=state,
        theirs="may be open",
        explained=False,
        text=f"{child.client_order_id} {what}",
    )


def _adds_risk(working: WorkingChild, book: SessionBook) -> bool:
    """Whether filling the rest of it leaves a larger position than now, on either side."""
    child = working.child
    held, rest = book.held[child.symbol], child.quantity - working.executed
    return abs(held + child.side.sign * rest) > abs(held)
