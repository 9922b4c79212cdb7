"""Where a drill happens: a few recorded days in a temporary book, with the trouble it is about put in on purpose."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path

from pydantic import JsonValue

from ..agents.llm.port import ChatModel
from ..agents.llm.rules import RulesModel
from ..desk.book import Book, RunFolder, open_log
from ..desk.desk import RunPlan, build_desk, run_started
from ..desk.operator import BookPost, Command, OperatorIntent, book_post
from ..desk.settings import Settings
from ..desk.watchman import Watchman
from ..domain.control_events import BookReconciled
from ..domain.events import Event
from ..domain.levels import in_words
from ..domain.trading import ACCOUNT, Scope
from ..execution.breakers import BREAKERS, Breaker
from ..gate.limits import Limits
from ..market.cards import DataSet
from ..storage.flag import FlagNote
from .day_work import Pace
from .days import RecordedDays
from .steering import Stop
from .tape import session_tape
from .venues import TapeOf, VenueOf

SEED = 7
WHO, WHY = "drill", "a drill"
SHOWN = ("TradingStateChanged", "OperatorAsked", "NotificationRaised", "NotificationAcknowledged", "IncidentRecorded")


@dataclass(frozen=True)
class Ground:
    """The data, settings and days of a drill, and the table of breakers it is done with."""

    book: Book
    data: DataSet
    data_name: str
    settings: Settings
    limits: Limits
    sessions: tuple[date, ...]
    breakers: tuple[Breaker, ...] = BREAKERS

    @property
    def post(self) -> BookPost:
        return book_post(self.book.path)

    @property
    def folder(self) -> RunFolder:
        return self.book.latest()

    def ask(
        self, command: Command, scope: Scope = ACCOUNT, symbols: Sequence[str] = (), *, anyway: bool = False
    ) -> None:
        """Leave a request in the inbox, as a person would."""
        detail: dict[str, JsonValue] = {"anyway": anyway}
        if symbols:
            detail["symbols"] = list[JsonValue](symbols)
        intent = OperatorIntent(command=command, user=WHO, reason=WHY, scope=scope, detail=detail)
        self.post.inbox.put(intent.model_dump(mode="json"))

    def raise_flag(self) -> None:
        self.post.flag.hoist(FlagNote(WHO, WHY, "now"))

    def events(self) -> tuple[Event, ...]:
        with open_log(self.folder, readonly=True) as (log, _):
            return tuple(log.read())


@dataclass(frozen=True)
class Trouble:
    """What is done to the days of a drill; the usual ones where nothing is said."""

    act: Callable[[int], None] = lambda place: None
    """Called as each session begins, with its place."""
    tape_of: TapeOf = session_tape
    venue_of: Callable[[VenueOf], VenueOf] | None = lambda usual: usual
    """What is done to the paper venue; None for the venue of the settings as it is."""
    model: ChatModel = field(default_factory=RulesModel)
    is_watched: bool = False
    """With the watchman beside it, as in `parley run`."""
    pace: Pace | None = None
    """How the time of its sessions passes; at once where nothing is said."""


def play(ground: Ground, trouble: Trouble, *, resumes: bool = False) -> Stop | None:
    """The drill's days through the whole desk."""
    from .venues import paper_venue

    plan = RunPlan(ground.data_name, ground.sessions, trouble.model.name, SEED)
    settings, limits, post = ground.settings, ground.limits, ground.post
    folder = ground.folder if resumes else ground.book.create(plan.run_id(settings, limits))
    with open_log(folder) as (log, _):
        desk = build_desk(settings, limits, ground.data, plan, log, trouble.model, None)
        started = run_started(settings, limits, ground.data, plan)

        def days(watchman: Watchman | None) -> Stop | None:
            loop = RecordedDays(
                desk,
                plan.sessions,
                SEED,
                started,
                post=post,
                watchman=watchman,
                tape_of=trouble.tape_of,
                venue_of=None if trouble.venue_of is None else trouble.venue_of(paper_venue(desk)),
                breakers=ground.breakers,
                pace=trouble.pace,
            )
            return asyncio.run(loop.run(lambda done, total: trouble.act(done)))

        if not trouble.is_watched:
            return days(None)
        with Watchman(post.flag, post.heartbeat) as watchman:
            return days(watchman)


def timeline(events: Sequence[Event]) -> tuple[tuple[str, str], ...]:
    """What the controls say happened, line by line."""
    lines: list[tuple[str, str]] = []
    for event in events:
        if event.type == BookReconciled.__name__:
            payload = event.decoded()
            assert isinstance(payload, BookReconciled), "asked for by type"
            lines += [(_time(event), f"the books differ: {item.text}") for item in payload.differences]
        elif event.type in SHOWN:
            lines.append((_time(event), _line(event)))
        elif event.type in ("CancelRequested", "ChildUnresolved"):
            lines.append((_time(event), f"{event.type} {event.order_id}"))
    return tuple(lines)


def fresh(ground: Ground, folder: Path) -> Ground:
    """The same ground with a book of its own."""
    return replace(ground, book=Book(folder))


def _time(event: Event) -> str:
    return event.event_time.strftime("%Y-%m-%d %H:%M")


def _line(event: Event) -> str:
    payload = event.payload if isinstance(event.payload, dict) else {}
    match event.type:
        case "TradingStateChanged":
            why = in_words(str(payload["reason"]))
            return f"{_scope(payload['scope'])} {payload['before']} -> {payload['after']}: {why}"
        case "OperatorAsked":
            return f"{payload['user']} asks: {payload['command']} {_scope(payload['scope'])}"
        case "NotificationRaised":
            return f"{payload['severity']} {payload['code']}: {in_words(str(payload['text']))}"
        case "NotificationAcknowledged":
            return f"{payload['user']} acknowledges {payload['notification_id']}"
        case _:
            return f"incident {payload['incident_id']} bundled: {payload['cause']}"


def _scope(value: object) -> str:
    return str(Scope.model_validate(value))
