"""Why a part of the desk is restricted: every cause that stands, until what it asked for is taken back."""

from ..domain.control_events import TradingStateChanged
from ..domain.trading import Cause, TradingState
from .breaker_rules import STATE_OF, BreakerRules

FROM_OUTSIDE: frozenset[Cause] = frozenset({"operator", "kill_flag", "dead_man", "restart", "preflight"})
"""Causes that no fold of the market can make again: a replay takes them from the log."""
UNTOUCHED: frozenset[Cause] = frozenset({"kill_flag", "dead_man", "reconciliation"})
"""Causes of a halt in which not even a position's stop is sent: a person said that nothing at all is, nobody is there
to say so, or what is held is not known."""
RESUME, FLATTEN = "resume", "flatten"

Causes = tuple[TradingStateChanged, ...]
"""What restricts one scope, in the order in which it came; `after` is the state that this cause alone asks for."""


def deciding(causes: Causes) -> TradingStateChanged:
    """The gravest cause; of equal ones that which lets not even stops be sent, then what a person asked for."""
    assert causes, "a scope that nothing restricts has no cause"
    return max(causes, key=lambda item: (item.after.severity, item.cause in UNTOUCHED, item.cause == "operator"))


def by_breakers(causes: Causes) -> Causes:
    """Those that a person only takes back once their figure is back, or anyway."""
    return tuple(item for item in causes if item.cause == "breaker")


def is_further_cause(causes: Causes, state: TradingState, cause: Cause) -> bool:
    """Whether something that makes a restriction no graver is another cause of it.

    What a person asks for is one beside the desk's own: it has to outlive that. So is what the desk finds in a halt
    that is not its own. In a halt, so is the first cause for which not even stops are sent.
    """
    held = deciding(causes)
    is_asked = any(item.cause in FROM_OUTSIDE - {"preflight"} for item in causes)
    if cause == "operator" and not is_asked:
        return state is held.after
    if held.after is not TradingState.HALTED:
        return False
    if cause not in FROM_OUTSIDE and any(_halts(item) and item.cause in FROM_OUTSIDE for item in causes):
        known = [item.after.severity for item in causes if item.cause not in FROM_OUTSIDE]
        if state.severity > max(known, default=0):
            return True
    return state is TradingState.HALTED and cause in UNTOUCHED and held.cause not in UNTOUCHED


def causes_after(causes: Causes, change: TradingStateChanged, rules: BreakerRules) -> Causes:
    """What restricts a scope after this change of it, by what restricted it before; a breaker outlives all but a
    person's full release."""
    if change.after is TradingState.ACTIVE:
        return ()
    if _takes_back(change):
        left = tuple(_at_most(item, change.after) for item in by_breakers(causes))
        return left if left and change.name == RESUME else (change, *left)
    others = tuple(item for item in causes if (item.cause, item.name) != (change.cause, change.name))
    return (*others, _at_most(change, _own_state(change, rules)))


def _takes_back(change: TradingStateChanged) -> bool:
    """Whether a person took back what was asked for, or let risk be taken off."""
    is_persons = change.cause == "operator" and change.name in (RESUME, FLATTEN)
    return is_persons and change.after.severity <= change.before.severity


def _own_state(change: TradingStateChanged, rules: BreakerRules) -> TradingState:
    """What a breaker asks for by itself; in a halt that stood before it, the change only says that it still is one."""
    is_own = change.cause in FROM_OUTSIDE or change.after is not change.before
    if is_own or change.name not in BreakerRules.model_fields:
        return change.after
    return STATE_OF.get(getattr(rules, change.name).action, change.after)


def _at_most(change: TradingStateChanged, state: TradingState) -> TradingStateChanged:
    is_graver = change.after.severity > state.severity
    return change.model_copy(update={"after": state}) if is_graver else change


def _halts(change: TradingStateChanged) -> bool:
    return change.after is TradingState.HALTED
