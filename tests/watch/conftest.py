"""Hand-made logs: events chained as the log chains them, and a watch over them."""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from parley.domain.canonical import short_id
from parley.domain.decisions import Decision, DecisionKind, Snapshot
from parley.domain.events import Actor, DecisionMade, Event, Payload, PortfolioMarked, RunFinished
from parley.domain.portfolio import Portfolio
from parley.domain.views import AbstainReason, Abstention, Regime, Signal, Stance
from parley.watch.changes import Change, Cleared, Raised, Seen
from parley.watch.rules import AlertRules, usual_rules
from parley.watch.watch import Watch

RUN = "run-0123456789abcdef"
BEGAN = datetime(2024, 1, 2, 21, tzinfo=UTC)
SYMBOLS = ("AAPL", "JPM")


@dataclass
class Log:
    """Events in the order they are told; one session a day."""

    rows: list[Seen] = field(default_factory=list)
    day: int = 0

    @property
    def now(self) -> datetime:
        return BEGAN + timedelta(days=self.day)

    def add(self, payload: Payload, *, stream: str = "controls", after_ms: float = 0.0) -> Seen:
        seq = len(self.rows) + 1
        event = Event(
            seq=seq,
            id=short_id("evt", seq),
            stream=stream,
            version=seq,
            type=type(payload).__name__,
            schema_version=payload.schema_version,
            event_time=self.now,
            run_id=RUN,
            decision_id=None,
            order_id=None,
            cause_id=None,
            actor=Actor(kind="desk", name="desk"),
            payload=None,
            prev_hash="",
            hash="",
        )
        seen = Seen(event, payload, self.now + timedelta(milliseconds=after_ms))
        self.rows.append(seen)
        return seen

    def mark(self, equity: float, peak: float | None = None) -> Seen:
        """The close of the next day."""
        self.day += 1
        money, top = Decimal(str(equity)), Decimal(str(equity if peak is None else peak))
        return self.add(
            PortfolioMarked(
                session=date(2024, 1, 2) + timedelta(days=self.day),
                equity=money,
                peak_equity=top,
                cash=money,
                gross=0.0,
                net=0.0,
                prices={},
                benchmark=None,
                traded=Decimal(0),
                fees=Decimal(0),
            )
        )

    def decide(
        self,
        kind: DecisionKind = "no_trade",
        *,
        calls: int = 1,
        silent: tuple[AbstainReason, ...] = (),
        after_ms: float = 10.0,
        prices: dict[str, float] | None = None,
        scores: dict[str, float] | None = None,
    ) -> Seen:
        """A decision at this day's close, so long after its mark."""
        found = {symbol: Decimal(f"{price:.6f}") for symbol, price in (prices or {}).items()}
        decision = Decision(
            decision_id=short_id("dec", len(self.rows)),
            run_id=RUN,
            as_of=self.now,
            kind=kind,
            summary="",
            snapshot=Snapshot(
                as_of=self.now,
                session=self.now.date(),
                symbols=SYMBOLS,
                prices=found,
                portfolio=Portfolio(cash=Decimal(1), positions=()),
                equity=Decimal(1),
                peak_equity=Decimal(1),
                previous_equity=Decimal(1),
                limits_hash="",
                settings_hash="",
                data_fingerprint="",
                model="rules",
            ),
            regime=Regime.CALM,
            views=(),
            signals=tuple(_signal(symbol, score) for symbol, score in (scores or {}).items()),
            assessment=None,
            targets=None,
            drafts=(),
            votes=(),
            consensus=None,
            verdicts=(),
            plan=None,
            abstentions=tuple(Abstention(who="analyst", reason=reason) for reason in silent),
            llm_calls=calls,
            prompt_tokens=0,
        )
        return self.add(DecisionMade(decision=decision), after_ms=after_ms)

    def finish(self) -> Seen:
        return self.add(
            RunFinished(
                run_id=RUN,
                sessions=1,
                decisions=1,
                orders=0,
                fills=0,
                vetoes=0,
                abstentions=0,
                llm_calls=0,
                equity=Decimal(1),
            )
        )

    def watched(self, rules: AlertRules | None = None) -> list[Change]:
        """What a watch over all of it says."""
        watch = Watch(usual_rules() if rules is None else rules)
        return [change for seen in self.rows for change in watch.take(seen)]


@pytest.fixture
def log() -> Log:
    return Log()


def raised(changes: list[Change], code: str) -> list[Raised]:
    return [item for item in changes if isinstance(item, Raised) and item.code == code]


def cleared(changes: list[Change], code: str) -> list[Cleared]:
    return [item for item in changes if isinstance(item, Cleared) and item.code == code]


def _signal(symbol: str, score: float) -> Signal:
    return Signal(
        symbol=symbol,
        side=Stance.HOLD,
        confidence=50,
        horizon_days=21,
        expected_return=0.0,
        risk_adjusted_return=0.0,
        regime=Regime.CALM,
        attribution={},
        score=score,
    )
