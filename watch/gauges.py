"""Folds of events into one figure each: losses, time to decide, failures, old quotes, refusals, texts that attack."""

import math
from collections import deque
from collections.abc import Iterator
from datetime import date
from typing import Protocol

from ..domain.decisions import Decision
from ..domain.events import (
    ChildClosed,
    ChildSubmitted,
    DecisionMade,
    ModelReplied,
    Payload,
    PortfolioMarked,
    QuotesDropped,
    RunStarted,
    UntrustedTextFlagged,
)
from ..domain.orders import OrderState
from ..domain.sessions import day_of
from ..domain.views import AbstainReason
from .changes import Measured, Seen

ACCOUNT, FEED, TEXTS = "account", "feed", "texts and replies"
DECISIONS_LOOKED_AT = 20
"""About a month of days."""
MIN_OPERATIONS = 100
"""Fewer calls and orders than this are no rate: one failure among them would be above 1 % already."""
PAUSE_S = 3600.0
"""A decision that came later than this after its close was not slow: the process was down in between."""
SLOW_SHARE = 0.95
RULES_MODEL = "rules"
FAILURES = frozenset(
    {AbstainReason.UNPARSABLE, AbstainReason.MODEL_FAILED, AbstainReason.OUT_OF_BUDGET, AbstainReason.COPIED_WRONG}
)


class Gauge(Protocol):
    """One figure's fold; it goes on from the last event it was shown."""

    kinds: tuple[type[Payload], ...]

    def take(self, seen: Seen) -> Iterator[Measured]: ...


class Drawdown:
    """Equity below its peak, at each close."""

    kinds: tuple[type[Payload], ...] = (PortfolioMarked,)

    def take(self, seen: Seen) -> Iterator[Measured]:
        payload = seen.payload
        assert isinstance(payload, PortfolioMarked), "asked for by type"
        if payload.peak_equity > 0:
            yield _measured(seen, "drawdown", ACCOUNT, float(1 - payload.equity / payload.peak_equity))


class DailyLoss:
    """Equity below that of the last day's close; spans within a day count from the same close."""

    kinds: tuple[type[Payload], ...] = (PortfolioMarked,)

    def __init__(self) -> None:
        self._day: date | None = None
        self._day_before = self._last = 0.0

    def take(self, seen: Seen) -> Iterator[Measured]:
        payload = seen.payload
        assert isinstance(payload, PortfolioMarked), "asked for by type"
        day, equity = day_of(payload.session), float(payload.equity)
        if day != self._day:
            self._day, self._day_before = day, self._last
        self._last = equity
        if self._day_before > 0:
            yield _measured(seen, "daily_loss", ACCOUNT, 1 - equity / self._day_before)


class DecisionLatency:
    """Wall time from a close's mark to its decision, as noted beside the two events; 95 of 100 take no longer."""

    kinds: tuple[type[Payload], ...] = (RunStarted, PortfolioMarked, DecisionMade)

    def __init__(self) -> None:
        self._code = "decision_latency"
        self._marked: Seen | None = None
        self._took_ms: deque[float] = deque(maxlen=DECISIONS_LOOKED_AT)

    def take(self, seen: Seen) -> Iterator[Measured]:
        payload = seen.payload
        if isinstance(payload, RunStarted):
            self._code = "decision_latency" if payload.model == RULES_MODEL else "model_latency"
            return
        if isinstance(payload, PortfolioMarked):
            self._marked = seen
            return
        marked, self._marked = self._marked, None
        if marked is None or marked.recorded_at is None or seen.recorded_at is None:
            return
        took_s = (seen.recorded_at - marked.recorded_at).total_seconds()
        if not 0 <= took_s <= PAUSE_S:
            return
        self._took_ms.append(1000 * took_s)
        if len(self._took_ms) == DECISIONS_LOOKED_AT:
            place = math.ceil(SLOW_SHARE * DECISIONS_LOOKED_AT) - 1
            yield _measured(seen, self._code, ACCOUNT, sorted(self._took_ms)[place])


class ErrorRate:
    """Model calls that failed or gave no usable reply, and orders that the venue refused, of all that were made."""

    kinds: tuple[type[Payload], ...] = (DecisionMade, ModelReplied, ChildSubmitted, ChildClosed)

    def __init__(self) -> None:
        self._done: deque[tuple[int, int]] = deque(maxlen=DECISIONS_LOOKED_AT)
        self._orders = self._refused = self._call_errors = 0

    def take(self, seen: Seen) -> Iterator[Measured]:
        match seen.payload:
            case ModelReplied() as replied:
                self._call_errors += sum(call.error is not None for call in replied.calls)
            case ChildSubmitted():
                self._orders += 1
            case ChildClosed() as closed:
                self._refused += closed.state is OrderState.REJECTED
            case DecisionMade() as made:
                self._count(made.decision)
                done, failed = (sum(column) for column in zip(*self._done, strict=True))
                if done >= MIN_OPERATIONS:
                    yield _measured(seen, "error_rate", ACCOUNT, failed / done)
            case _:
                pass

    def _count(self, decision: Decision) -> None:
        """A call that failed is an abstention as well: it is counted once."""
        silent = sum(item.reason in FAILURES for item in decision.abstentions)
        failed = max(self._call_errors, silent)
        self._done.append((max(decision.llm_calls, failed) + self._orders, failed + self._refused))
        self._orders = self._refused = self._call_errors = 0


class QuotesBehind:
    """Quotes that came after the session had gone on, by how much at worst; a session without any is back."""

    kinds: tuple[type[Payload], ...] = (QuotesDropped, PortfolioMarked)

    def __init__(self) -> None:
        self._worst_s = 0.0

    def take(self, seen: Seen) -> Iterator[Measured]:
        if isinstance(seen.payload, QuotesDropped):
            self._worst_s = max(self._worst_s, seen.payload.most_behind_s)
            return
        worst, self._worst_s = self._worst_s, 0.0
        yield _measured(seen, "stale_feed", FEED, worst)


class RefusedDecisions:
    """Decisions that lacked what they need, one after the other."""

    kinds: tuple[type[Payload], ...] = (DecisionMade,)

    def __init__(self) -> None:
        self._in_a_row = 0

    def take(self, seen: Seen) -> Iterator[Measured]:
        payload = seen.payload
        assert isinstance(payload, DecisionMade), "asked for by type"
        self._in_a_row = self._in_a_row + 1 if payload.decision.kind == "refused" else 0
        yield _measured(seen, "refused_decisions", ACCOUNT, float(self._in_a_row))


class TextAttacks:
    """Texts and replies that plain rules found suspicious, over the last decisions."""

    kinds: tuple[type[Payload], ...] = (UntrustedTextFlagged, DecisionMade)

    def __init__(self) -> None:
        self._found: deque[int] = deque([0], maxlen=DECISIONS_LOOKED_AT)

    def take(self, seen: Seen) -> Iterator[Measured]:
        if isinstance(seen.payload, UntrustedTextFlagged):
            self._found[-1] += len(seen.payload.found)
            yield _measured(seen, "text_attack", TEXTS, float(sum(self._found)))
            return
        yield _measured(seen, "text_attack", TEXTS, float(sum(self._found)))
        self._found.append(0)


class SpentBudget:
    """Whether the last decision went without calls that the model budget did not cover: then all of it is used."""

    kinds: tuple[type[Payload], ...] = (DecisionMade,)

    def take(self, seen: Seen) -> Iterator[Measured]:
        payload = seen.payload
        assert isinstance(payload, DecisionMade), "asked for by type"
        is_spent = any(item.reason is AbstainReason.OUT_OF_BUDGET for item in payload.decision.abstentions)
        yield _measured(seen, "model_budget", "decision", float(is_spent))


def _measured(seen: Seen, code: str, subject: str, figure: float) -> Measured:
    return Measured(code, subject, figure, seen.event.event_time, seen.event.id)
