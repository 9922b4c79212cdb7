"""With the model down the desk still gets out: a flatten, and a protective stop fired by quotes alone."""

import asyncio
from collections.abc import Callable
from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest
from parley.agents.llm.port import ChatReply, ChatRequest
from parley.desk.desk import Desk
from parley.domain.decisions import Decision, Intent, IntentKind, Snapshot
from parley.domain.events import NewEvent, StopFired
from parley.domain.market import Quote
from parley.domain.orders import Side
from parley.domain.portfolio import Portfolio, Position
from parley.execution.fast_path import SessionResult
from parley.execution.hours import SessionHours
from parley.execution.protection import ExitAsked, ProtectionTerms
from parley.execution.session import work_session
from parley.execution.venues.fees import FeeModel
from parley.execution.venues.impact import Liquidity
from parley.execution.venues.paper import PaperVenue
from parley.gate.approval import ApprovedPlan

MakeDesk = Callable[..., Desk]
SHARES = 500


class HangingModel:
    """Takes every question and never answers."""

    name = "hanging"
    is_deterministic = True

    def __init__(self) -> None:
        self.asked = 0

    async def complete(self, request: ChatRequest) -> ChatReply:
        self.asked += 1
        await asyncio.Event().wait()
        raise AssertionError("an event that nobody sets")


@pytest.fixture
def model() -> HangingModel:
    return HangingModel()


@pytest.fixture
def desk(make_desk: MakeDesk, model: HangingModel) -> Desk:
    return make_desk(model=model)


def held(desk: Desk) -> Portfolio:
    price = desk.snapshot(_sessions(desk)[0], Portfolio(cash=Decimal(1)), Decimal(1), Decimal(1)).prices["N0"]
    position = Position(symbol="N0", quantity=SHARES, average_price=price)
    return Portfolio(cash=Decimal(900_000), positions=(position,))


def start(desk: Desk, portfolio: Portfolio, at: datetime | None = None) -> Snapshot:
    equity = desk.snapshot(_sessions(desk)[0], portfolio, Decimal(1), Decimal(1)).equity
    return desk.snapshot(_sessions(desk)[0], portfolio, equity, equity, at=at)


def flatten(reason: str) -> Intent:
    return Intent(intent_id=f"int-{reason}", kind=IntentKind.FLATTEN, symbols=("N0",), by="test", reason=reason)


def _sessions(desk: Desk) -> tuple[date, ...]:
    return tuple(desk.history.sessions_between()[-2:])


def worked(
    desk: Desk,
    approved: ApprovedPlan,
    portfolio: Portfolio,
    prices: list[Decimal],
    log: list[NewEvent],
    protection: ProtectionTerms | None = None,
) -> SessionResult:
    """The next session, a quote each quarter of an hour."""
    decided, session = _sessions(desk)
    opens, closes = desk.history.opening_time(session), desk.history.close_time(session)
    hours = SessionHours(desk.history.close_time(decided), opens, closes)
    cent = Decimal("0.01")
    quotes = [
        Quote("N0", opens + timedelta(minutes=15 * place), price - cent, price + cent, 100_000, 100_000, synthetic=True)
        for place, price in enumerate(prices)
    ]
    venue = PaperVenue(hours, {"N0": Liquidity(cent, 1, 0.01, 1e6, True)}, FeeModel())
    return work_session(
        approved, quotes, venue, hours, portfolio, desk.limits, log.append, run_id="r", protection=protection
    )


def test_a_model_that_hangs_holds_up_an_ordinary_decision(desk: Desk, model: HangingModel) -> None:
    with pytest.raises(TimeoutError):
        asyncio.run(asyncio.wait_for(desk.decide(start(desk, held(desk))), 0.5))

    assert model.asked > 0


@pytest.mark.parametrize("through_the_graph", [True, False])
def test_a_flatten_is_decided_approved_and_worked_without_the_model(
    desk: Desk, model: HangingModel, through_the_graph: bool
) -> None:
    portfolio = held(desk)
    snapshot = start(desk, portfolio)

    async def decide() -> Decision:
        return await asyncio.wait_for(desk.decide(snapshot, flatten("out")), 30)

    decision = asyncio.run(decide()) if through_the_graph else desk.decide_at_once(snapshot, flatten("out"))
    approved = desk.approved(decision)
    assert approved is not None, decision.summary
    result = worked(desk, approved, portfolio, [snapshot.prices["N0"]] * 20, [])

    assert result.portfolio.quantity("N0") == 0
    assert {fill.side for fill in result.fills} == {Side.SELL}
    assert model.asked == 0


def test_a_stop_fires_from_quotes_alone_and_closes_the_position(desk: Desk, model: HangingModel) -> None:
    portfolio, log = held(desk), list[NewEvent]()
    price = start(desk, portfolio).prices["N0"]
    other = desk.decide_at_once(
        start(desk, portfolio), flatten("a part").model_copy(update={"kind": IntentKind.REDUCE, "keep_frac": 0.9})
    )
    plan = desk.approved(other)
    assert plan is not None

    def approve(asked: ExitAsked, now: Portfolio) -> ApprovedPlan | str:
        decision = desk.decide_at_once(start(desk, now, asked.decided_at), flatten(asked.reason))
        return desk.approved(decision) or decision.summary

    falling = [(price * (1 - Decimal(step) / 200)).quantize(Decimal("0.01")) for step in range(20)]
    result = worked(desk, plan, portfolio, falling, log, ProtectionTerms(0.03, approve))

    fired = [event.payload for event in log if isinstance(event.payload, StopFired)]
    assert [item.symbol for item in fired] == ["N0"]
    assert result.portfolio.quantity("N0") == 0
    assert model.asked == 0
