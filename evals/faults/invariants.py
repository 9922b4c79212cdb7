"""The invariants, each a function from what a run left behind to what is broken in it.

I1 to I9 are the house's; D1, which the witness looks after, says that nothing is sent on a quote that is none, and P1,
in `bareness.py`, that no position is without its stop for long where stops rest at the venue.
"""

from collections import Counter
from collections.abc import Callable, Mapping

from ...domain.events import (
    ChildAccepted,
    ChildClosed,
    ChildSubmitted,
    ChildUnresolved,
    OrderClosed,
    OrderFilled,
    OrderOpened,
    PlanApproved,
    TradingStateChanged,
)
from ...domain.trading import TradingState
from ...execution.orders import TERMINAL
from ...execution.restrictions import UNTOUCHED
from ...memory.sent_orders import rests
from .evidence import Evidence
from .exchange import FOREIGN
from .faults import MOMENTS
from .repeats import decisions_repeat
from .witness import Violation


def fills_are_the_venues(seen: Evidence) -> list[str]:
    """I1: the fills that stand in the log are those that stand at the venue, each once."""
    outcome, exchange, booked = seen.outcome, seen.outcome.stage.exchange, seen.booked
    told = Counter(payload.fill.execution_id for _, payload in seen.events if isinstance(payload, OrderFilled))
    truth = {fill.execution_id: fill for fill in exchange.fills if fill.execution_id not in exchange.busted}
    found = [f"execution {name} is booked {count} times" for name, count in told.items() if count > 1]
    every = {fill.execution_id: fill for fill in exchange.fills}
    found += [f"fill {name} is booked and never was" for name, fill in booked.items() if every.get(name) != fill]
    if seen.state is TradingState.HALTED and seen.unexplained:
        return found  # what is missing was said to be, and a person has been called
    found += [f"execution {name} is not booked" for name in truth if name not in booked]
    found += [f"execution {name} was taken back and still is booked" for name in booked if name not in truth]
    for fill in exchange.foreign:
        place = int(fill.execution_id.rsplit("-", 1)[1]) // MOMENTS + 1
        if place in outcome.stage.worked and seen.state is not TradingState.HALTED:
            found.append(f"{fill.client_order_id} traded on our account and nobody was told")
    return found


def intents_are_sent_once(seen: Evidence) -> list[str]:
    """I2: one order for each intent, one child for each of its places, and never more than the parent."""
    children = [payload.child for _, payload in seen.events if isinstance(payload, ChildSubmitted)]
    counts = {
        "child {} was submitted {} times": Counter(child.client_order_id for child in children),
        "place {} has {} children": Counter(f"{child.order_id}/{child.sequence}" for child in children),
        "parent {} was opened {} times": Counter(
            payload.order.order_id for _, payload in seen.events if isinstance(payload, OrderOpened)
        ),
        "parent {} was closed {} times": Counter(
            payload.order_id for _, payload in seen.events if isinstance(payload, OrderClosed)
        ),
    }
    found = [
        text.format(name, count) for text, counter in counts.items() for name, count in counter.items() if count > 1
    ]
    wanted = {
        leg.order_id: leg.quantity
        for _, payload in seen.events
        if isinstance(payload, PlanApproved)
        for leg in payload.plan.legs
    }
    exchange = seen.outcome.stage.exchange
    done: Counter[str] = Counter()
    for fill in exchange.fills:
        if fill.execution_id not in exchange.busted:
            done[fill.order_id] += fill.quantity
    found += [
        f"{name} executed {done[name]} of {quantity}" for name, quantity in wanted.items() if done[name] > quantity
    ]
    return found


def orders_have_a_record(seen: Evidence) -> list[str]:
    """I3: what the venue has was recorded by the desk, of a leg that the gate approved."""
    recorded = {p.child.client_order_id: p.child for _, p in seen.events if isinstance(p, ChildSubmitted)}
    orders = seen.outcome.stage.exchange.orders
    return [
        f"{name} is at the venue and in no record"
        for name, child in orders.items()
        if recorded.get(name) != child and not name.startswith(FOREIGN)
    ]


def limits_hold(seen: Evidence) -> list[str]:
    """I4 at the end: nothing was sold short, and no money was borrowed. At each send the witness looks itself."""
    exchange = seen.outcome.stage.exchange
    if exchange.busted or exchange.foreign or seen.outcome.stage.schedule.of("positions_differ"):
        return []  # others have moved the shares and the cash
    found = [f"{symbol}: {held} held" for symbol, held in exchange.held.items() if held < 0]
    return [*found, *([f"cash is {exchange.cash}"] if exchange.cash < 0 else [])]


def the_log_is_sound(seen: Evidence) -> list[str]:
    """I5: the chain verifies, and the read models are the fold of the log."""
    report = seen.report
    if report.ok:
        return []
    bad = f"event {report.first_bad.seq}: {report.first_bad.reason}" if report.first_bad else report.damage
    return [f"the log does not verify: {bad or report.views}"]


def terminal_orders_stay(seen: Evidence) -> list[str]:
    """I6: an order that the log has closed is not opened, accepted, lost or closed again."""
    closed: dict[str, str] = {}
    found: list[str] = []
    for _, payload in seen.events:
        if isinstance(payload, ChildAccepted | ChildUnresolved | ChildSubmitted | ChildClosed):
            is_sent = isinstance(payload, ChildSubmitted)
            name = payload.child.client_order_id if is_sent else payload.client_order_id
            if name in closed:
                found.append(f"{name} was {closed[name]}, then came {type(payload).__name__}")
            if isinstance(payload, ChildClosed):
                closed[name] = payload.state
    return found


def the_desk_came_to_rest(seen: Evidence) -> list[str]:
    """I7: it is trading, or halted with a reason; while it trades, no order is left without an outcome."""
    if seen.outcome.stage.post.flag.is_raised and seen.state is not TradingState.HALTED:
        return [f"the kill flag is up, and the account is {seen.state}"]
    if seen.state is TradingState.HALTED:
        return [] if seen.reason else ["the account is halted and no reason is on record"]
    filled: Counter[str] = Counter()
    for _, payload in seen.events:
        if isinstance(payload, OrderFilled):
            filled[payload.fill.client_order_id] += payload.fill.quantity
    over = {payload.client_order_id for _, payload in seen.events if isinstance(payload, ChildClosed)}
    children = [payload.child for _, payload in seen.events if isinstance(payload, ChildSubmitted)]
    return [
        f"{child.client_order_id} has no outcome, and the desk goes on trading"
        for child in children
        if child.client_order_id not in over
        and filled[child.client_order_id] < child.quantity
        and not _stands(seen, child.client_order_id)
    ]


def _stands(seen: Evidence, client_order_id: str) -> bool:
    """Whether it is a stop that protects on, at the venue."""
    found = seen.outcome.stage.exchange.stops.order(client_order_id)
    return found is not None and found.state not in TERMINAL


def halts_are_obeyed(seen: Evidence) -> list[str]:
    """I8 in the log: after the account was halted no child is submitted, but stops where the halt's cause allows it. At
    each send the witness looks itself."""
    state, bars_stops, found = TradingState.ACTIVE, False, list[str]()
    for _, payload in seen.events:
        if isinstance(payload, TradingStateChanged) and payload.scope.kind == "account":
            still_barred = bars_stops and payload.cause == "breaker" and payload.before is TradingState.HALTED
            state, bars_stops = payload.after, payload.cause in UNTOUCHED or still_barred
        elif isinstance(payload, ChildSubmitted) and state is TradingState.HALTED:
            if rests(payload.child) and not bars_stops:
                continue
            found.append(f"{payload.child.client_order_id} was submitted while the account was halted")
    return found


INVARIANTS: Mapping[str, Callable[[Evidence], list[str]]] = {
    "I1": fills_are_the_venues,
    "I2": intents_are_sent_once,
    "I3": orders_have_a_record,
    "I4": limits_hold,
    "I5": the_log_is_sound,
    "I6": terminal_orders_stay,
    "I7": the_desk_came_to_rest,
    "I8": halts_are_obeyed,
    "I9": decisions_repeat,
}


def check_all(seen: Evidence) -> tuple[Violation, ...]:
    """Everything that is broken, what the witness saw first."""
    found = [Violation(name, text) for name, check in INVARIANTS.items() for text in check(seen)]
    return (*seen.outcome.violations, *found)
