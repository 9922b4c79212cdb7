"""One drill for each circuit breaker: the trouble it is there for, and what must follow."""

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np

from ..agents.llm.port import ChatReply, ChatRequest
from ..agents.llm.rules import RulesModel
from ..domain.control_events import NotificationRaised, TradingStateChanged
from ..domain.events import Event
from ..domain.market import Quote
from ..domain.trading import TradingState
from .drill_ground import Ground, Trouble, play
from .drill_venues import changed_tape, moved, only_first, rejecting, unreachable, widened, with_other_shares
from .steering import CORRELATION_DAYS
from .venues import VenueOf

Problems = list[str]


@dataclass(frozen=True, slots=True)
class BreakerDrill:
    """The trouble of one breaker. An alert must be told; anything else must also restrict, and hold."""

    breaker: str
    what: str
    provoke: Callable[[Ground], None]


def expect(ground: Ground, breaker: str) -> Problems:
    """What is missing of what the settings say must follow when this breaker trips."""
    events = ground.events()
    action = getattr(ground.settings.breakers, breaker).action
    if action == "alert":
        told = [item for item in _of(events, NotificationRaised) if item.code.split(" ")[0] == breaker]
        return [] if told else [f"{breaker} was not told to anybody"]
    changes = [
        (event, payload)
        for event in events
        if isinstance(payload := _decoded(event), TradingStateChanged) and payload.name == breaker
    ]
    if not changes:
        return [f"{breaker} restricted nothing"]
    event, change = changes[0]
    wanted = TradingState.HALTED if action == "halt" else TradingState.REDUCING
    problems = [] if change.after is wanted else [f"{breaker} made it {change.after}, not {wanted}"]
    if change.after is TradingState.HALTED:
        sent = [later for later in events[event.seq :] if later.type == "ChildSubmitted"]
        problems += [f"{len(sent)} orders were sent after the halt"] if sent and not _was_freed(events, event) else []
        urgent = [item for item in _of(events, NotificationRaised) if item.code == breaker]
        problems += [] if urgent else ["nobody was told of the halt"]
    return problems


def _was_freed(events: tuple[Event, ...], halted: Event) -> bool:
    return any(
        isinstance(payload := _decoded(later), TradingStateChanged) and payload.after is TradingState.ACTIVE
        for later in events[halted.seq :]
    )


def _of(events: tuple[Event, ...], kind: type[NotificationRaised]) -> list[NotificationRaised]:
    return [payload for event in events if isinstance(payload := _decoded(event), kind)]


def _decoded(event: Event) -> object:
    known = event.type in ("NotificationRaised", "TradingStateChanged")
    return event.decoded() if known else None


def _after_first(factor: str) -> Callable[[Quote, datetime], Quote | None]:
    """Every quote after the first moment at another level: what was just bought is worth that much."""
    return lambda quote, first: quote if quote.ts_event == first else moved(quote, factor)


def _falls(factor: str) -> Callable[[Ground], None]:
    def provoke(ground: Ground) -> None:
        play(ground, Trouble(tape_of=changed_tape(_after_first(factor))))

    return provoke


def _one_name_soars(ground: Ground) -> None:
    def change(quote: Quote, first: datetime, chosen: str) -> Quote:
        return moved(quote, "40") if quote.symbol == chosen and quote.ts_event > first else quote

    play(ground, Trouble(tape_of=changed_tape(_of_one_name(change))))


def _of_one_name(change: Callable[[Quote, datetime, str], Quote | None]) -> Callable[[Quote, datetime], Quote | None]:
    """The change for the name whose quote comes first, whichever the desk chose to trade."""
    chosen: list[str] = []

    def changed(quote: Quote, first: datetime) -> Quote | None:
        if not chosen:
            chosen.append(quote.symbol)
        return change(quote, first, chosen[0])

    return changed


def _all_move_as_one(ground: Ground) -> None:
    panel = ground.data.panel
    last = int(np.searchsorted(panel.sessions, np.datetime64(ground.sessions[-1], "D"))) + 1
    rows = slice(last - CORRELATION_DAYS - len(ground.sessions) - 5, last)
    close = panel.close.copy()
    path = np.nanmean(close[rows] / close[rows][0], axis=1, keepdims=True)
    own = 1.0 + 1e-4 * np.random.default_rng(1).standard_normal(close[rows].shape)
    close[rows] = close[rows][0] * path * own
    one = replace(panel, close=close, open=None, high=None, low=None)
    play(replace(ground, data=replace(ground.data, panel=one, recorded=None)), Trouble())


class _Unsure(RulesModel):
    """Takes a side on everything, with hardly any confidence in it."""

    async def complete(self, request: ChatRequest) -> ChatReply:
        reply = await super().complete(request)
        said = json.loads(reply.text)
        for row in said.get("views", []):
            row.update(side="BUY", confidence=10)
        return replace(reply, text=json.dumps(said))


def _nobody_is_sure(ground: Ground) -> None:
    play(ground, Trouble(model=_Unsure()))


def _one_feed_stops(ground: Ground) -> None:
    def change(quote: Quote, first: datetime, chosen: str) -> Quote | None:
        return None if quote.symbol == chosen and quote.ts_event > first else quote

    play(ground, Trouble(tape_of=changed_tape(_of_one_name(change))))


def _spread_is_wide(ground: Ground) -> None:
    play(ground, Trouble(tape_of=changed_tape(lambda quote, first: widened(quote, "0.012"))))


def _nobody_looks(ground: Ground) -> None:
    """A halt that a person lifts without having looked at what was told about it."""

    def act(place: int) -> None:
        if place == 2:
            ground.ask("resume", anyway=True)

    play(ground, Trouble(act=act, venue_of=only_first(rejecting)))


def _play_at(ground: Ground, venue: Callable[[VenueOf], VenueOf]) -> None:
    play(ground, Trouble(venue_of=venue))


BREAKER_DRILLS: tuple[BreakerDrill, ...] = (
    BreakerDrill("daily_loss", "prices fall 40 % just after the desk has bought", _falls("0.6")),
    BreakerDrill("concentration", "one name is worth forty times as much", _one_name_soars),
    BreakerDrill("correlation", "all names move as one for two months", _all_move_as_one),
    BreakerDrill("confidence", "the model is hardly sure of anything", _nobody_is_sure),
    BreakerDrill("drawdown_alert", "prices fall by half just after the desk has bought", _falls("0.5")),
    BreakerDrill("drawdown", "prices fall 95 % just after the desk has bought", _falls("0.05")),
    BreakerDrill("reject_rate", "the venue takes no order", lambda ground: _play_at(ground, rejecting)),
    BreakerDrill("slippage", "the spread is 2.4 % wide", _spread_is_wide),
    BreakerDrill("stale_data", "one name's quotes stop after the open", _one_feed_stops),
    BreakerDrill(
        "drift", "the venue holds other shares than the book", lambda ground: _play_at(ground, with_other_shares)
    ),
    BreakerDrill(
        "unresolved",
        "the line to the venue goes down with the first order",
        lambda ground: _play_at(ground, unreachable),
    ),
    BreakerDrill("unacknowledged", "a halt is lifted and nobody looked at why it was", _nobody_looks),
)
