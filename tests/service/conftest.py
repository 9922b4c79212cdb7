"""A hand-made run for the report tests, chained of every event type; and the CLI in this process on a small market."""

import json
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from parley.domain.canonical import content_hash, short_id
from parley.domain.decisions import CheckResult, Decision, DecisionKind, Evidence, ModelCall, Snapshot, Verdict
from parley.domain.events import (
    GENESIS_HASH,
    Actor,
    ChildClosed,
    ChildSubmitted,
    DecisionMade,
    Event,
    EvidenceRecorded,
    ModelReplied,
    OrderClosed,
    OrderFilled,
    OrderOpened,
    Payload,
    PlanApproved,
    PortfolioMarked,
    RunFinished,
    RunStarted,
    chain_hash,
)
from parley.domain.instruments import Instrument, Universe
from parley.domain.orders import ChildOrder, ExecutionAdvice, Fill, OrderState, ParentOrder, Plan, Side
from parley.domain.portfolio import Portfolio, Position
from parley.domain.views import (
    AbstainReason,
    Abstention,
    Agent,
    Assessment,
    Consensus,
    Hedge,
    LegConsensus,
    Regime,
    RiskMetrics,
    Signal,
    SizingStep,
    Source,
    SourceView,
    Stance,
    TargetWeights,
    Vote,
)
from parley.market.sessions import session_calendar
from pydantic import JsonValue

SYMBOLS = ("AAPL", "AMD", "BAC", "BBY", "CVX", "GE", "HD", "JNJ", "JPM", "KO", "LLY", "MRK", "MSFT", "PEP", "PFE")
WEIGHTS = {Agent.ANALYST: 0.4, Agent.RISK: 0.3, Agent.OPTIMIZER: 0.2, Agent.EXECUTION: 0.1}


@dataclass
class Log:
    """Chains payloads into events, as the event log does."""

    run_id: str = "run-0123456789abcdef"
    events: list[Event] = field(default_factory=list)

    def add(
        self, payload: Payload, when: datetime, decision_id: str | None = None, order_id: str | None = None
    ) -> Event:
        seq = len(self.events) + 1
        body = {
            "seq": seq,
            "id": short_id("evt", self.run_id, seq),
            "stream": order_id or decision_id or self.run_id,
            "version": seq,
            "type": type(payload).__name__,
            "schema_version": payload.schema_version,
            "event_time": when.isoformat(),
            "run_id": self.run_id,
            "decision_id": decision_id,
            "order_id": order_id,
            "cause_id": None,
            "actor": Actor(kind="desk", name="desk").model_dump(mode="json"),
            "payload": payload.model_dump(mode="json"),
        }
        before = self.events[-1].hash if self.events else GENESIS_HASH
        event = Event.model_validate({**body, "prev_hash": before, "hash": chain_hash(before, body)})
        self.events.append(event)
        return event


@dataclass
class Script:
    """What one hand-made run should hold; texts may be hostile."""

    sessions: int = 80
    decide_every: int = 20
    seed: int = 7
    kinds: tuple[DecisionKind, ...] = ("trade", "no_trade", "vetoed", "refused")
    reason: str = "expected residual return of 0.42% over 21 days, confidence 52%"
    model: str = "rules"
    synthetic: bool = True
    benchmark: bool = True


def make_run(script: Script | None = None) -> list[Event]:
    """All events of a run: one decision every few sessions, of each kind in turn."""
    script = script or Script()
    rng = np.random.default_rng(script.seed)
    log = Log()
    days = _weekdays(script.sessions)
    paths = 100 * np.exp(np.cumsum(rng.normal(0.0004, 0.012, (script.sessions, len(SYMBOLS))), axis=0))
    equity = 1e6 * np.exp(np.cumsum(rng.normal(0.0003, 0.006, script.sessions)))
    index = 1000 * np.exp(np.cumsum(rng.normal(0.0003, 0.011, script.sessions)))
    log.add(_started(log.run_id, days, script), _at(days[0], 9))
    for k, day in enumerate(days):
        closes = {s: Decimal(f"{paths[k, j]:.6f}") for j, s in enumerate(SYMBOLS)}
        mark = PortfolioMarked(
            session=day,
            equity=Decimal(f"{equity[k]:.2f}"),
            peak_equity=Decimal(f"{equity[: k + 1].max():.2f}"),
            cash=Decimal("250000.00"),
            gross=float(0.5 + 0.3 * np.sin(k / 9)),
            net=0.5,
            prices=closes,
            benchmark=float(index[k]) if script.benchmark else None,
            traded=Decimal("31250.55") if k % 20 == 1 else Decimal(0),
            fees=Decimal("15.62") if k % 20 == 1 else Decimal(0),
        )
        log.add(mark, _at(day, 21))
        if k % script.decide_every == 0:
            kind = script.kinds[(k // script.decide_every) % len(script.kinds)]
            _decide(log, script, kind, day, closes, Decimal(f"{equity[k]:.2f}"), rng)
    finished = RunFinished(
        run_id=log.run_id, sessions=len(days), decisions=4, orders=15, fills=195, vetoes=1, abstentions=2,
        llm_calls=0, equity=Decimal(f"{equity[-1]:.2f}"),
    )  # fmt: skip
    log.add(finished, _at(days[-1], 22))
    return log.events


def _weekdays(count: int) -> list[date]:
    days, day = [], date(2013, 9, 3)
    while len(days) < count:
        if day.weekday() < 5:
            days.append(day)
        day += timedelta(days=1)
    return days


def _at(day: date, hour: int, minute: int = 0) -> datetime:
    return datetime.combine(day, time(hour, minute), tzinfo=UTC)


def _started(run_id: str, days: list[date], script: Script) -> RunStarted:
    return RunStarted(
        run_id=run_id, data="us20", data_fingerprint=content_hash("data"),
        universe=Universe(name="us20", instruments=tuple(Instrument(symbol=s) for s in SYMBOLS), benchmark="SPX"),
        first_session=days[0], last_session=days[-1], seed=7, model=script.model, cash=Decimal("1000000"),
        settings={"vol_target": 0.06}, settings_hash=content_hash("settings"), limits_hash=content_hash("limits"),
        parley_version="0.1.0",
    )  # fmt: skip


def _decide(
    log: Log, script: Script, kind: DecisionKind, day: date, closes: dict[str, Decimal], equity: Decimal,
    rng: np.random.Generator,
) -> None:  # fmt: skip
    decision_id = short_id("dec", log.run_id, day)
    when = _at(day, 21, 1)
    plan = _plan(decision_id, when, closes, script.reason)
    verdict = _verdict(plan, when, approved=kind != "vetoed")
    decision = Decision(
        decision_id=decision_id, run_id=log.run_id, as_of=when, kind=kind,
        summary=f"{len(plan.legs)} legs wanted, 2 of them sells; gross goes to 61.3%",
        snapshot=_snapshot(day, when, closes, equity, script), regime=Regime.CALM,
        views=_views(rng) if kind != "refused" else (),
        signals=_signals(rng, script.reason) if kind != "refused" else (),
        assessment=_assessment(rng) if kind != "refused" else None,
        targets=_targets(kind) if kind != "refused" else None,
        drafts=(plan,) if kind in ("trade", "vetoed") else (),
        votes=_votes(rng) if kind in ("trade", "vetoed") else (),
        consensus=_consensus(rng) if kind in ("trade", "vetoed") else None,
        verdicts=(verdict,) if kind in ("trade", "vetoed") else (),
        plan=plan if kind == "trade" else None,
        abstentions=(Abstention(who="sentiment", reason=AbstainReason.NO_DATA, text="no text in 5 days"),),
        llm_calls=0, prompt_tokens=0,
    )  # fmt: skip
    log.add(EvidenceRecorded(decision_id=decision_id, entries=_evidence(decision_id, when, rng)), when, decision_id)
    if script.model != "rules":
        call = ModelCall(
            node="analyst", prompt="analyst/merge", prompt_version=3, model=script.model,
            request_hash=content_hash("request"), reply='{"views": [{"symbol": "AAPL", "confidence": 52}]}',
            prompt_tokens=812, completion_tokens=96,
        )  # fmt: skip
        log.add(ModelReplied(decision_id=decision_id, calls=(call,)), when, decision_id)
    log.add(DecisionMade(decision=decision), when, decision_id)
    if kind == "trade":
        log.add(PlanApproved(plan=plan, verdict=verdict), when, decision_id)
        for place, leg in enumerate(plan.legs):
            _work(log, script, leg, day + timedelta(days=1), place, rng)


def _plan(decision_id: str, when: datetime, closes: dict[str, Decimal], reason: str) -> Plan:
    legs = tuple(
        ParentOrder(
            order_id=short_id("ord", decision_id, symbol), decision_id=decision_id, symbol=symbol,
            side=Side.SELL if symbol in ("BAC", "GE") else Side.BUY, quantity=312 + 10 * k,
            reference_price=closes[symbol], reason=reason,
            advice=ExecutionAdvice(slices=13, expected_cost_bps=6.5),
        )
        for k, symbol in enumerate(SYMBOLS)
    )  # fmt: skip
    return Plan(plan_id=short_id("plan", decision_id), decision_id=decision_id, as_of=when, legs=legs)


def _snapshot(day: date, when: datetime, closes: dict[str, Decimal], equity: Decimal, script: Script) -> Snapshot:
    held = (
        Position(symbol="BAC", quantity=800, average_price=Decimal("98.1234")),
        Position(symbol="GE", quantity=500, average_price=Decimal("101.5")),
        Position(symbol="KO", quantity=0, average_price=Decimal(0), realized=Decimal("120.5")),
    )
    return Snapshot(
        as_of=when, session=day, symbols=SYMBOLS, prices=closes,
        portfolio=Portfolio(cash=Decimal("861234.56"), positions=held), equity=equity,
        peak_equity=equity * Decimal("1.01"), previous_equity=equity, limits_hash=content_hash("limits"),
        settings_hash=content_hash("settings"), data_fingerprint=content_hash("data"), model=script.model,
    )  # fmt: skip


def _views(rng: np.random.Generator) -> tuple[SourceView, ...]:
    scores = {s: float(rng.uniform(-1, 1)) for s in SYMBOLS}
    return (
        SourceView(source=Source.TECHNICAL, scores=scores, evidence=("ev-1",)),
        SourceView(source=Source.SENTIMENT, abstention=Abstention(who="sentiment", reason=AbstainReason.NO_DATA)),
    )


def _signals(rng: np.random.Generator, text: str) -> tuple[Signal, ...]:
    return tuple(
        Signal(
            symbol=symbol, side=Stance.BUY, confidence=int(rng.integers(45, 60)), horizon_days=21,
            expected_return=float(rng.normal(0, 0.006)), risk_adjusted_return=float(rng.normal(0, 0.1)),
            regime=Regime.CALM, attribution={Source.TECHNICAL: 0.71, Source.MACRO: 0.29}, explanation=text,
        )
        for symbol in SYMBOLS
    )  # fmt: skip


def _assessment(rng: np.random.Generator) -> Assessment:
    return Assessment(
        metrics=RiskMetrics(
            var_99_historical=0.0113, var_99_parametric=0.0108, es_975_historical=0.0121,
            es_975_parametric=0.0117, volatility_annual=0.0731, beta=float(rng.uniform(0.3, 0.6)), gross=0.1336,
        ),
        regime=Regime.CALM, max_weights=dict.fromkeys(SYMBOLS, 0.1), max_gross=1.0,
        alerts=("VaR is 38% of its limit",),
        hedge=Hedge(instrument="SPX", notional=-41000.0, text="short 41,000 USD of SPX would remove the beta"),
        explanation="quiet book",
    )  # fmt: skip


def _targets(kind: DecisionKind) -> TargetWeights:
    weights = {s: 0.04 + 0.002 * k for k, s in enumerate(SYMBOLS)}
    path = (
        SizingStep(name="risk_book", value=1.0, text="equal risk, sum of weights 1"),
        SizingStep(name="vol_target", value=0.72, text="forecast 8.3% against 6%"),
        SizingStep(name="vix", value=0.72, text="VIX 14.2, cap 20"),
        SizingStep(name="drawdown", value=0.61, text="drawdown 1.0%"),
    )
    return TargetWeights(
        weights=weights, held={"BAC": 0.08, "GE": 0.05}, gross=0.61, turnover=0.55, volatility_annual=0.058,
        expected_return=0.021, exposures={"market": 0.5}, rebalance=kind != "no_trade", path=path,
    )  # fmt: skip


def _votes(rng: np.random.Generator) -> tuple[Vote, ...]:
    votes = []
    for symbol in SYMBOLS:
        votes += [
            Vote(agent=Agent.ANALYST, symbol=symbol, value=1, confidence=int(rng.integers(48, 55))),
            Vote(agent=Agent.RISK, symbol=symbol, value=-1, confidence=60),
            Vote(agent=Agent.OPTIMIZER, symbol=symbol, value=1, confidence=71),
            Vote(agent=Agent.EXECUTION, symbol=symbol, value=None, abstention=AbstainReason.NO_DATA),
        ]
    return tuple(votes)


def _consensus(rng: np.random.Generator) -> Consensus:
    legs = tuple(
        LegConsensus(
            symbol=s, support=0.34, size_multiplier=float(rng.uniform(0.8, 1)), voters=3, dissent=(Agent.RISK,)
        )
        for s in SYMBOLS
    )
    return Consensus(weights=WEIGHTS, legs=legs)


def _verdict(plan: Plan, when: datetime, approved: bool) -> Verdict:
    rows = (
        ("instrument_weight", "AAPL", 0.0412, 0.1, "fraction", True),
        ("order_notional", "MSFT", 45120.55, 250000.0, "money", True),
        ("legs", None, 15.0, 50.0, "legs", True),
        ("var_99", None, 0.0113 if approved else 0.0412, 0.03, "fraction", approved),
        ("daily_loss", None, -0.0012, 0.02, "fraction", True),
        ("participation", "AAPL", None, None, "fraction", True),
        ("price_age", "AAPL", 0.0, 4.0, "days", True),
    )
    checks = tuple(
        CheckResult(check=c, symbol=s, value=v, limit=x, unit=u, passed=p, text=f"{c} is {v} {u}, at most {x}")
        for c, s, v, x, u, p in rows
    )
    return Verdict(
        approved=approved, checks=checks, content_hash=content_hash(plan), limits_hash=content_hash("limits"),
        state_version="seq-41", as_of=when,
    )  # fmt: skip


def _evidence(decision_id: str, when: datetime, rng: np.random.Generator) -> tuple[Evidence, ...]:
    table: JsonValue = {
        s: {"rsi_14": float(rng.uniform(20, 80)), "roc_21": float(rng.normal(0, 0.05))} for s in SYMBOLS
    }
    outputs: tuple[tuple[str, str, JsonValue], ...] = (
        ("technical_table", "number", table),
        ("portfolio_var", "fraction", 0.0113),
        ("expected_residual", "fraction", {s: float(rng.normal(0, 0.005)) for s in SYMBOLS}),
        ("regime", "probability", {"calm": 0.91, "stressed": 0.09}),
    )
    return tuple(
        Evidence(
            id=short_id("ev", decision_id, tool), tool=tool, tool_version=1, inputs_hash=content_hash(tool),
            as_of=when, unit=unit, output=output,
        )
        for tool, unit, output in outputs
    )  # fmt: skip


def _work(log: Log, script: Script, leg: ParentOrder, day: date, place: int, rng: np.random.Generator) -> None:
    """Thirteen slices for most legs; the second is filled in part and the third not at all."""
    mid = float(leg.reference_price) * 1.0012
    ids = {"decision_id": leg.decision_id, "order_id": leg.order_id}
    arrival = Decimal(f"{mid:.6f}")
    log.add(OrderOpened(order=leg, arrival_price=arrival), _at(day, 13, 30), **ids)
    slices = {1: 4, 2: 0}.get(place, 13)
    fills: list[Fill] = []
    for k in range(max(slices, 1)):
        quantity = leg.quantity // 13 + (leg.quantity % 13 if k == 12 else 0)
        when = _at(day, 13, 30) + timedelta(minutes=30 * k)
        mid *= float(np.exp(rng.normal(0, 0.002)))
        child = ChildOrder(
            client_order_id=short_id("cli", leg.order_id, k), order_id=leg.order_id, decision_id=leg.decision_id,
            symbol=leg.symbol, side=leg.side, quantity=quantity, sequence=k, created_at=when,
        )  # fmt: skip
        log.add(ChildSubmitted(child=child, verdict_hash=content_hash(k)), when, **ids)
        if k >= slices:
            gone = ChildClosed(
                client_order_id=child.client_order_id, order_id=leg.order_id, state=OrderState.EXPIRED,
                unfilled=quantity, reason="day order expired at 16:00",
            )  # fmt: skip
            log.add(gone, when, **ids)
            continue
        fill = Fill(
            execution_id=short_id("exe", child.client_order_id), client_order_id=child.client_order_id,
            order_id=leg.order_id, symbol=leg.symbol, side=leg.side, quantity=quantity,
            price=Decimal(f"{mid * (1 + 0.0004 * leg.side.sign):.6f}"), fee=Decimal("0.42"),
            mid_price=Decimal(f"{mid:.6f}"),
            touch_price=Decimal(f"{mid:.6f}"), venue="paper", ts_event=when, synthetic=script.synthetic,
        )  # fmt: skip
        fills.append(fill)
        log.add(OrderFilled(fill=fill), when, **ids)
    filled = sum(fill.quantity for fill in fills)
    average = sum((fill.notional for fill in fills), Decimal(0)) / filled if filled else None
    closed = OrderClosed(
        order_id=leg.order_id, decision_id=leg.decision_id, filled=filled, unfilled=leg.quantity - filled,
        average_price=average, arrival_price=arrival, fees=sum((fill.fee for fill in fills), Decimal(0)),
        shortfall_bps=float((average / arrival - 1) * 10000) * leg.side.sign if average else 0.0,
        status="filled" if filled == leg.quantity else "partial" if filled else "unfilled",
    )  # fmt: skip
    log.add(closed, _at(day, 20), **ids)


@pytest.fixture(scope="session")
def scripted_run() -> Callable[..., list[Event]]:
    """Makes the events of a run from keyword overrides of `Script`."""
    return lambda **changes: make_run(Script(**changes))


@pytest.fixture(scope="session")
def run_events() -> list[Event]:
    return make_run()


@dataclass(frozen=True)
class Outcome:
    """How a command ended and what it said."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        """The one JSON document on stdout; anything beside it does not parse."""
        return json.loads(self.out)


@pytest.fixture
def parley(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    """Runs one command of the CLI in this process, in an empty folder and with no setting of this machine."""
    monkeypatch.chdir(tmp_path)
    for name in list(os.environ):
        if name == "OPENAI_API_KEY" or (name.startswith("PARLEY_") and name != "PARLEY_SHARED_DATA"):
            monkeypatch.delenv(name)

    def run(*arguments: object) -> Outcome:
        from parley.service.cli import main

        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main([str(item) for item in arguments])
        said = capsys.readouterr()
        return Outcome(int(ended.value.code or 0), said.out, said.err)

    return run


@pytest.fixture(scope="session")
def six_names(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A CSV of 262 daily bars of six made-up names: the last ten sessions can be decided on."""
    sessions = session_calendar("XNYS", date(2015, 1, 2), date(2016, 12, 30)).days[:262]
    noise = np.random.default_rng(3).normal(0.0006, 0.01, (len(sessions), 6))
    closes = 40.0 * np.exp(np.cumsum(noise, axis=0))
    rows = [
        f"N{name},{day},{close * 1.004:.2f},{close * 0.996:.2f},{close:.2f},2000000"
        for name in range(6)
        for day, close in zip(sessions, closes[:, name], strict=True)
    ]
    path = tmp_path_factory.mktemp("market") / "six.csv"
    path.write_text("\n".join(["symbol,date,high,low,close,volume", *rows]) + "\n")
    return path
