"""A small desk to decide on: a seeded market of twenty quiet names, texts, a book, and a model that does as told."""

import asyncio
import json
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from parley.agents.ask import Asking
from parley.agents.llm.port import ChatReply, ChatRequest
from parley.agents.llm.rules import RulesModel
from parley.domain.canonical import canonical_bytes
from parley.domain.decisions import Decision, Intent, IntentKind, Snapshot
from parley.domain.events import DecisionMade, Event
from parley.domain.instruments import Instrument, Universe
from parley.domain.market import TextItem
from parley.domain.portfolio import Portfolio, Position
from parley.gate.limits import Limits, load_limits
from parley.graph.ports import Ports
from parley.graph.run import DecisionGraph
from parley.market.cards import FINE_TICK, DataCard
from parley.market.datasets import load_data
from parley.market.history import History
from parley.market.panel import Panel
from parley.market.sessions import session_calendar
from parley.memory.log import EventLog
from parley.quant.policy import PolicyParams
from parley.storage.sql import open_in_memory
from parley.tools.estimators import Estimators
from parley.tools.scene import CostParams, on_grid

COSTS = CostParams(
    half_spread_bps=2.0,
    fee_bps=1.0,
    impact_coefficient=1.0,
    assumed_daily_volume=200e6,
    max_slices=13,
    min_child_notional=5000.0,
    budget_bps=25.0,
)
LIMITS = load_limits()
N_NAMES = 20
BAD_NEWS = "profits collapse, guidance cut, losses widen"
QUESTIONS = ("sentiment/read", "analyst/views", "risk/opinion", "optimizer/opinion", "execution/opinion")


def copied(row: dict[str, str]) -> dict[str, str]:
    """The facts of a row as a reply has to copy them: the first word of each phrase."""
    return {"symbol": row["symbol"], **{name: row[name].partition(" ")[0] for name in ("trend", "outlook")}}


def reply_to(request: ChatRequest, confidence: int, side: str = "BUY", vote: str = "FOR") -> str:
    """A reply in the right form to any of the desk's questions, the same for every row."""
    facts = json.loads(request.facts)
    if request.prompt.name == "sentiment/read":
        rows = [
            {"id": i["id"], "symbol": i["symbol"], "polarity": "POSITIVE", "confidence": confidence}
            for i in facts["items"]
        ]
        return json.dumps({"readings": rows})
    if request.prompt.name == "analyst/views":
        rows = [{**copied(r), "side": side, "confidence": confidence, "driver": "technical"} for r in facts["rows"]]
        return json.dumps({"views": rows})
    rows = [{"symbol": r["symbol"], "vote": vote, "confidence": confidence} for r in facts["legs"]]
    return json.dumps({"votes": rows})


class ScriptedModel:
    """Answers by a function of the request; `asked` keeps every request, `delay_s` keeps it waiting."""

    name = "scripted"
    is_deterministic = False

    def __init__(
        self, script: Callable[[ChatRequest], Any], delay_s: Callable[[ChatRequest], float] | None = None
    ) -> None:
        self._script = script
        self._delay_s = delay_s
        self.asked: list[ChatRequest] = []

    async def complete(self, request: ChatRequest) -> ChatReply:
        self.asked.append(request)
        if self._delay_s is not None:
            await asyncio.sleep(self._delay_s(request))
        said = self._script(request)
        if isinstance(said, Exception):
            raise said
        return ChatReply(said, prompt_tokens=100, completion_tokens=10)


class MoodyModel:
    """Never says the same thing twice: its confidence is counted up each time a prompt is put to it.

    The count is kept in a file, so that a process that dies leaves its mood to the next.
    """

    name = "moody"
    is_deterministic = False

    def __init__(self, diary: Path) -> None:
        self._diary = diary

    async def complete(self, request: ChatRequest) -> ChatReply:
        with self._diary.open("a") as diary:
            diary.write(f"{request.prompt.name}\n")
        return ChatReply(reply_to(request, 60 + self.asked()[request.prompt.name]), 100, 10)

    def asked(self) -> Counter[str]:
        return Counter(self._diary.read_text().split() if self._diary.exists() else ())


@dataclass
class Bench:
    """A desk over one history; every test changes one thing."""

    history: History
    universe: Universe
    panel: Panel
    model: Any = field(default_factory=RulesModel)
    limits: Limits = LIMITS
    policy: PolicyParams = field(default_factory=PolicyParams)
    log: EventLog = field(default_factory=lambda: EventLog(open_in_memory()))
    estimators: Estimators = field(default_factory=Estimators)

    Scripted = ScriptedModel
    Moody = MoodyModel
    reply_to = staticmethod(reply_to)
    copied = staticmethod(copied)
    questions = QUESTIONS

    def with_(self, **changes: Any) -> "Bench":
        """A bench of its own, with an empty log unless one is given."""
        return replace(self, **{"log": EventLog(open_in_memory()), **changes})

    def with_texts(self, items: Iterable[TextItem], **changes: Any) -> "Bench":
        """The same market with other news."""
        return self.with_(history=History(self.panel, self.universe, self.history.card, items), **changes)

    def tightened(self, **limits: Any) -> "Bench":
        return self.with_(limits=self.limits.tighten(**limits))

    def quarrel(self, strength: str = "STRONG") -> "Bench":
        """The same with texts that are bad where prices are good, and a model with a strong bull and a weak bear."""

        def script(request: ChatRequest) -> str:
            if request.prompt.name == "sentiment/read":
                return self.reply_to(request, 90).replace("POSITIVE", "NEGATIVE")
            if not request.prompt.name.startswith("debate/"):
                return self.reply_to(request, 80)
            is_bull = request.node == "bull"
            cases = [
                {
                    "symbol": row["symbol"],
                    "leans_on": "technical" if is_bull else "sentiment",
                    "copied": "GOOD" if is_bull else "BAD",
                    "strength": strength if is_bull else "WEAK",
                    "words": "",
                }
                for row in json.loads(request.facts)["rows"]
            ]
            return json.dumps({"cases": cases})

        items = [
            item.model_copy(update={"headline": f"{item.symbol}: {BAD_NEWS}"})
            for item in self.history.as_of(self.snapshot().as_of).texts(since=self.snapshot().as_of.replace(year=2000))
        ]
        return self.with_texts(items, model=self.Scripted(script))

    @property
    def ports(self) -> Ports:
        return Ports(
            run_id="run-test",
            history=self.history,
            universe=self.universe,
            limits=self.limits,
            policy=self.policy,
            costs=COSTS,
            asking=Asking(self.model),
            estimators=self.estimators,
            log=self.log,
        )

    def graph(self, checkpoint_path: Path | None = None) -> DecisionGraph:
        return DecisionGraph(self.ports, str(checkpoint_path) if checkpoint_path else None)

    def snapshot(self, session: date | None = None, held: dict[str, int] | None = None, **changes: Any) -> Snapshot:
        """The frozen start at a close: a million in all, cash and positions."""
        as_of = self.history.close_time(session or self.history.last_session)
        view = self.history.as_of(as_of)
        lasts = dict(zip(view.symbols, view.last_closes().tolist(), strict=True))
        prices = {symbol: on_grid(last, FINE_TICK) for symbol, last in lasts.items() if last == last}
        positions = tuple(
            Position(symbol=symbol, quantity=quantity, average_price=Decimal(1))
            for symbol, quantity in sorted((held or {}).items())
        )
        equity = changes.pop("equity", Decimal(1_000_000))
        worth = sum((prices[item.symbol] * item.quantity for item in positions), Decimal(0))
        values = {
            "as_of": as_of,
            "session": view.session,
            "symbols": view.symbols,
            "prices": prices,
            "portfolio": Portfolio(cash=equity - worth, positions=positions),
            "equity": equity,
            "peak_equity": max(equity, Decimal(1)),
            "previous_equity": max(equity, Decimal(1)),
            "limits_hash": self.limits.hash(),
            "settings_hash": "0" * 64,
            "data_fingerprint": view.fingerprint,
            "model": self.model.name,
        }
        return Snapshot(**{**values, **changes})

    def decide(self, snapshot: Snapshot | None = None, intent: Intent | None = None) -> Decision:
        return asyncio.run(self.graph().decide(snapshot or self.snapshot(), intent))

    def intent(self, *symbols: str, kind: IntentKind = IntentKind.FLATTEN, keep_frac: float = 0.0) -> Intent:
        return Intent(
            intent_id="int-1", kind=kind, symbols=symbols, keep_frac=keep_frac, by="operator", reason="less risk"
        )

    def shares_worth(self, symbol: str, money: float) -> int:
        return int(Decimal(money) / self.snapshot().prices[symbol])

    def bytes_of(self, decision: Decision) -> bytes:
        return canonical_bytes(decision)

    def events(self) -> list[Event]:
        return list(self.log.read())

    def decisions_logged(self) -> int:
        return sum(1 for _ in self.log.read(types=(DecisionMade,)))


def made_market(n_days: int = 320, *, spoil: Callable[[np.ndarray], None] | None = None, vol: float = 0.01) -> Bench:
    """Twenty names in ten sectors on real session days; the last three days have a text about each of three names."""
    rng = np.random.default_rng(11)
    market = rng.normal(0.0003, vol / 2, (n_days, 1))
    close = 50.0 * np.exp(np.cumsum(market + rng.normal(0.0, vol, (n_days, N_NAMES)), axis=0))
    if spoil is not None:
        spoil(close)
    calendar = session_calendar("XNYS", date(2018, 1, 2), date(2020, 1, 1))
    days = calendar.days[:n_days]
    symbols = tuple(f"N{place:02d}" for place in range(N_NAMES))
    panel = Panel(symbols=symbols, sessions=days, close_times=calendar.closes[:n_days], close=close)
    instruments = tuple(
        Instrument(symbol=symbol, sector=f"s{place // 2}", tick=FINE_TICK) for place, symbol in enumerate(symbols)
    )
    universe = Universe(name="made", instruments=instruments)
    first, last = days[0].item(), days[-1].item()
    card = DataCard("made", "made", "seeded", "none", first, last, "daily", True, True, "none")
    return Bench(History(panel, universe, card, texts(calendar.close_time(last), symbols[:3])), universe, panel)


def texts(as_of: Any, symbols: Iterable[str], headline: str = "Orders rise") -> list[TextItem]:
    arrived = as_of - timedelta(hours=5)
    return [
        TextItem(
            id=f"text-{symbol}",
            symbol=symbol,
            source="wire",
            ts_event=arrived,
            available_at=arrived,
            headline=f"{symbol}: {headline}",
        )
        for symbol in symbols
    ]


@pytest.fixture(scope="session")
def quiet_market() -> Bench:
    """The market of most tests; made once, since nothing in it changes."""
    return made_market()


@pytest.fixture
def bench(quiet_market: Bench) -> Bench:
    """Decides by the rules, unless a test gives it another model."""
    return quiet_market.with_(estimators=Estimators())


@pytest.fixture
def market() -> Callable[..., Bench]:
    """Makes a bench over another market."""
    return made_market


@pytest.fixture
def willing(bench: Bench) -> Bench:
    """Asks a model that is for everything, at eighty percent."""
    return bench.with_(model=ScriptedModel(lambda request: reply_to(request, 80)))


@pytest.fixture
def steady(market: Callable[..., Bench]) -> Bench:
    """A market whose names keep their ways, so that the desk's rule takes sides in it."""

    def lasting(close: np.ndarray) -> None:
        close *= np.exp(np.arange(len(close))[:, None] * np.linspace(0.002, -0.002, close.shape[1]))

    return market(spoil=lasting)


@pytest.fixture
def data_bench() -> Callable[[str], Bench]:
    """A bench over a shipped data set."""

    def of(name: str) -> Bench:
        data = load_data(name)
        return Bench(data.history(), data.universe, data.panel)

    return of
