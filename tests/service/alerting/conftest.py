"""A wound clock, a real mail server and webhook on private ports, and runs written into a book by hand."""

import json
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from email import message_from_bytes
from email.message import Message as Mail
from email.policy import default
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from parley.desk.book import Book, open_log
from parley.desk.settings import Settings
from parley.domain.control_events import NotificationRaised, TradingStateChanged
from parley.domain.events import Actor, NewEvent, Payload, PortfolioMarked, RunFinished, RunStarted
from parley.domain.instruments import Instrument, Universe
from parley.domain.trading import ACCOUNT, TradingState
from parley.gate.limits import load_limits
from parley.service.alerting.messages import Message
from parley.watch.escalation import ChannelKind

BEGAN = datetime(2024, 1, 2, 15, tzinfo=UTC)
RUN = "run-0123456789abcdef"


@dataclass
class Clock:
    """A clock that a test winds."""

    time: datetime = BEGAN

    def now(self) -> datetime:
        return self.time

    def pass_minutes(self, minutes: float) -> None:
        self.time += timedelta(minutes=minutes)


@dataclass
class Pigeon:
    """A channel in memory, which can be told to fail."""

    kind: ChannelKind
    name: str = ""
    is_down: bool = False
    taken: list[Message] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.name = self.name or f"{self.kind} 1"

    def send(self, message: Message, at: str) -> str:
        if self.is_down:
            return "down"
        self.taken.append(message)
        return ""


@pytest.fixture
def clock() -> Clock:
    return Clock()


@dataclass
class Mailbox:
    """A mail server of this test's own."""

    port: int
    mails: list[Mail] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"mailto://127.0.0.1:{self.port}?from=desk@example.com&to=ada@example.com&mode=insecure"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        self.mails.append(message_from_bytes(envelope.content, policy=default))
        return "250 taken"


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    controllers = pytest.importorskip("aiosmtpd.controller", reason="aiosmtpd is not installed")
    box = Mailbox(free_port())
    server = controllers.Controller(box, "127.0.0.1", box.port)
    server.start()
    yield box
    server.stop()


@dataclass
class Sink:
    """A webhook of this test's own; `status` is what it answers."""

    port: int = 0
    status: int = 200
    documents: list[dict[str, Any]] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"json://127.0.0.1:{self.port}/hook/very-secret-token"


@pytest.fixture
def sink() -> Iterator[Sink]:
    found = Sink()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if found.status == 200:
                found.documents.append(json.loads(body))
            self.send_response(found.status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            return None

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    found.port = server.server_address[1]
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    yield found
    server.shutdown()
    server.server_close()


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


@contextmanager
def writing(book: Path, run: str = RUN) -> Iterator["Writer"]:
    """The one writer of a run's log; the run is begun where it is not there yet."""
    folder = Book(book).run_folder(run)
    if not folder.exists:
        folder = Book(book).create(run)
    with open_log(folder) as (log, _):
        yield Writer(log, run)


@dataclass
class Writer:
    log: Any
    run: str

    def add(self, *payloads: Payload, stream: str = "controls", day: int = 0) -> None:
        at = BEGAN + timedelta(days=day)
        actor = Actor(kind="desk", name="test")
        self.log.append(
            [NewEvent(stream=stream, event_time=at, actor=actor, payload=item, run_id=self.run) for item in payloads]
        )

    def marks(self, equities: Sequence[float], first_day: int = 0) -> None:
        for day, equity in enumerate(equities, first_day):
            self.add(marked(day, equity), stream="book", day=day)


def marked(day: int, equity: float, peak: float = 1000.0) -> PortfolioMarked:
    return PortfolioMarked(
        session=date(2024, 1, 2) + timedelta(days=day),
        equity=Decimal(str(equity)),
        peak_equity=Decimal(str(peak)),
        cash=Decimal(1),
        gross=0.0,
        net=0.0,
        prices={},
        benchmark=None,
        traded=Decimal(0),
        fees=Decimal(0),
    )


def started(run: str = RUN) -> RunStarted:
    """What makes a log one that the operator's commands can write to."""
    return RunStarted(
        run_id=run,
        data="us20",
        data_fingerprint="f",
        universe=Universe(name="us20", instruments=(Instrument(symbol="AAPL"),), benchmark=None),
        first_session=date(2024, 1, 2),
        last_session=date(2024, 12, 31),
        seed=7,
        model="rules",
        cash=Decimal(1000),
        settings={**Settings().public(), "limits": load_limits().model_dump(mode="json")},
        settings_hash="s",
        limits_hash="l",
        parley_version="0.1.0",
    )


def finished(run: str = RUN) -> RunFinished:
    return RunFinished(
        run_id=run,
        sessions=1,
        decisions=1,
        orders=0,
        fills=0,
        vetoes=0,
        abstentions=0,
        llm_calls=0,
        equity=Decimal(1),
    )


def halted(reason: str = "r") -> tuple[TradingStateChanged, NotificationRaised]:
    """A breaker halts the account, with the note that goes with it."""
    change = TradingStateChanged(
        scope=ACCOUNT,
        before=TradingState.ACTIVE,
        after=TradingState.HALTED,
        cause="breaker",
        name="drawdown",
        reason=reason,
        figure=0.11,
        limit=0.1,
    )
    text = f"account is HALTED: {reason}"
    return change, NotificationRaised(notification_id="ntf-1", severity="critical", code="drawdown", text=text)


def freed() -> TradingStateChanged:
    return TradingStateChanged(
        scope=ACCOUNT,
        before=TradingState.HALTED,
        after=TradingState.ACTIVE,
        cause="operator",
        name="resume",
        reason="r",
    )
