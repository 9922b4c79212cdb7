"""I9: what a desk that was stopped and started again, or could not write, has in common with one that nobody disturbed.

It is compared over as much as must be equal, and that depends on the faults of the run:

- Any faults, once a process had to start again: each decision comes out the same when a fresh desk makes it from the
  recorded snapshot and the recorded replies of the model.
- Faults that cost no market time (crashes, refused starts, failed tools): the shares traded, at which price and when,
  every decision, and the final state are those of the same world without faults.
- Only requests to end in good order: the whole log is that one's, byte for byte.
- Refused writes, alone or among faults that cost no time: the log is byte for byte the undisturbed one up to the
  first refused write or first death. After it the desk may send a slice later, or not at all, at other prices: no
  run without faults has that session, and it is compared with none. From the first close after the last refused
  write it is compared again, with an undisturbed run that goes on from the same log and book.

Where stops rest at the venue a start in mid-session halts the account, so that such a run is compared up to the first
fault alone.

Other faults (a venue, a feed, a clock or a person that does something else) make another world, with nothing to
compare it with but its own decisions; I1 to I8 hold it.
"""

import asyncio
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from ...agents.llm.recorded import ReplayModel
from ...desk.desk import build_desk
from ...domain.decisions import ModelCall
from ...domain.events import (
    DecisionMade,
    Event,
    ModelReplied,
    NewEvent,
    OrderFilled,
    PortfolioMarked,
    ReflectionWritten,
)
from ...memory.history import portfolio_at
from ...memory.log import EventLog
from ...memory.views import ReadModels
from ...storage.sql import open_in_memory, open_sqlite
from .evidence import Evidence, evidence_of
from .faults import DRAINED, REFUSING, TRANSPARENT
from .runner import LOG, live_through
from .stage import Stage
from .witness import Violation


def decisions_repeat(seen: Evidence) -> list[str]:
    """A desk that starts afresh from the log decides the same again."""
    world = seen.outcome.stage.world
    calls: list[ModelCall] = [call for _, p in seen.events if isinstance(p, ModelReplied) for call in p.calls]
    if seen.outcome.lives == 1:
        return []
    log = EventLog(open_in_memory())
    model = ReplayModel(calls, "rules")
    desk = build_desk(world.settings, world.limits, world.data, world.plan, log, model, None)
    found: list[str] = []
    for event, payload in seen.events:
        if isinstance(payload, ReflectionWritten):
            log.append([_again(event)])
        if not isinstance(payload, DecisionMade):
            continue
        decision = payload.decision
        again = asyncio.run(desk.decide(decision.snapshot, decision.intent))
        if again != decision:
            found.append(f"decision {decision.decision_id} comes out as {again.kind}: {again.summary}")
    return found


def differs_from_undisturbed(seen: Evidence, undisturbed: Callable[[], Evidence], folder: Path) -> list[Violation]:
    """Where the run is not what its faults should have left of the one without faults, which is made when needed."""
    kinds = {fault.kind for fault in seen.outcome.stage.schedule.faults}
    if not kinds or not kinds <= TRANSPARENT | REFUSING:
        return []
    whole = undisturbed()
    found = _beginning(seen, whole)
    if not seen.outcome.stage.world.rests:
        found += _rest(seen, whole, 0) if kinds <= TRANSPARENT else _after_refusals(seen, folder)
    if kinds <= DRAINED and seen.report.head_hash != whole.report.head_hash:
        found.append("the log ends at another hash than without the faults")
    return [Violation("I9", text) for text in found]


def _beginning(seen: Evidence, whole: Evidence) -> list[str]:
    """Up to the first refused write or death, every event."""
    until = seen.outcome.stage.counters.untouched
    count = len(seen.events) if until is None else until
    pairs = zip(seen.events[:count], whole.events[:count], strict=False)
    first = next((mine for (mine, _), (other, _) in pairs if mine.hash != other.hash), None)
    if first is None and len(whole.events) >= count:
        return []
    what = f"event {first.seq} ({first.type})" if first else f"the log of {count} events"
    return [f"{what} differs from the undisturbed run's, and no fault had struck yet"]


def _after_refusals(seen: Evidence, folder: Path) -> list[str]:
    """From the first close after the last refused write, against a run that goes on from there undisturbed."""
    refused_after, world = seen.outcome.stage.counters.refused_after, seen.outcome.stage.world
    marks = [event.seq for event, payload in seen.events if isinstance(payload, PortfolioMarked)]
    if refused_after is None or not refused_after < len(marks) < len(world.sessions):
        return []
    if refused_after == len(world.sessions) - 2:
        return []  # it was the last session
    seq = marks[refused_after]
    return _rest(seen, _gone_on(seen, seq, folder), seq)


def _gone_on(seen: Evidence, seq: int, folder: Path) -> Evidence:
    """A run without faults over a copy of the log's first events, at a venue that holds what they say."""
    stage = Stage(seen.outcome.stage.world, (), folder / LOG)
    database = open_sqlite(stage.path)
    try:
        log = EventLog(database, ReadModels(database))
        log.append([_again(event) for event, _ in seen.events[:seq]])
        portfolio = portfolio_at(log, seq)
    finally:
        database.close()
    stage.exchange.held.update(portfolio.holdings())
    stage.exchange.cash = portfolio.cash
    return evidence_of(live_through(stage))


def _again(event: Event) -> NewEvent:
    return NewEvent(
        stream=event.stream,
        event_time=event.event_time,
        actor=event.actor,
        payload=event.decoded(),
        run_id=event.run_id,
        decision_id=event.decision_id,
        order_id=event.order_id,
        cause_id=event.cause_id,
    )


def _rest(seen: Evidence, other: Evidence, after: int) -> list[str]:
    """State, trades and decisions behind an event that both logs have."""
    found: list[str] = []
    if seen.state is not other.state:
        found.append(f"the desk ends {seen.state} ({seen.reason}), undisturbed {other.state} ({other.reason})")
    mine, theirs = _traded(seen, after), _traded(other, after)
    found += [
        f"{text} is {mine[text]} here and {theirs[text]} undisturbed"
        for text in sorted(mine.keys() | theirs.keys())
        if mine[text] != theirs[text]
    ]
    if _decided(seen, after) != _decided(other, after):
        found.append("the desk decides differently than undisturbed")
    return found


def _traded(seen: Evidence, after: int) -> Counter[str]:
    """Shares and cash, by what was traded and when."""
    done: Counter[str] = Counter()
    booked = seen.booked
    for event, payload in seen.events:
        if event.seq > after and isinstance(payload, OrderFilled) and payload.fill.execution_id in booked:
            fill = payload.fill
            done[f"{fill.side} {fill.symbol} at {fill.price} on {fill.ts_event:%m-%d %H:%M}"] += fill.quantity
    return done


def _decided(seen: Evidence, after: int) -> list[str]:
    return [
        payload.decision.model_dump_json()
        for event, payload in seen.events
        if event.seq > after and isinstance(payload, DecisionMade)
    ]
