"""Profits taken apart add up to the cent: by hand on three trades, for any book, and over a whole run of the desk."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from parley.agents.consensus import VOTING_WEIGHTS
from parley.domain.events import (
    GENESIS_HASH,
    Actor,
    Event,
    FillBusted,
    OrderFilled,
    Payload,
    PortfolioMarked,
    PositionCashedOut,
    RunStarted,
)
from parley.domain.instruments import Instrument, Universe
from parley.domain.orders import Fill, Side
from parley.domain.overnight import BorrowCharged, DividendBooked, PositionRenamed, SharesSplit
from parley.domain.views import Agent, Vote
from parley.evals.attribution.cells import Session, run_cells
from parley.evals.attribution.cents import in_cents
from parley.evals.attribution.effects import EFFECTS, Prices, effects
from parley.evals.attribution.errors import BookDoesNotAdd, NothingToSplit
from parley.evals.attribution.factor_split import NOT_EXPLAINED, OTHER_DAYS, by_factor
from parley.evals.attribution.splits import (
    NOBODY,
    by_agent,
    by_decision,
    by_effect,
    by_instrument,
    by_sector,
)
from parley.market.cards import DataSet
from parley.memory.agent_scores import CastVote, votes_of

from ..rehearsal_kit import rehearse

DAY = date(2020, 1, 6)
UNIVERSE = Universe(
    name="two",
    instruments=(Instrument(symbol="AAA", sector="Energy"), Instrument(symbol="BBB", sector="Financials")),
)
CASH = Decimal(10_000)


def started() -> RunStarted:
    return RunStarted(
        run_id="run-1",
        data="two",
        data_fingerprint="",
        universe=UNIVERSE,
        first_session=DAY,
        last_session=DAY,
        seed=1,
        model="rules",
        cash=CASH,
        settings={},
        settings_hash="",
        limits_hash="",
        parley_version="0",
    )


def filled(
    symbol: str, side: Side, quantity: int, price: str, mid: str, fee: str = "0", ident: str = ""
) -> OrderFilled:
    fill = Fill(
        execution_id=ident or f"x-{symbol}-{side}-{price}-{quantity}",
        client_order_id="c",
        order_id="o",
        symbol=symbol,
        side=side,
        quantity=quantity,
        price=Decimal(price),
        fee=Decimal(fee),
        mid_price=Decimal(mid),
        touch_price=Decimal(price),
        venue="paper",
        ts_event=datetime(2020, 1, 6, 15, tzinfo=UTC),
    )
    return OrderFilled(fill=fill)


def marked(place: int, equity: str, **prices: str) -> PortfolioMarked:
    return PortfolioMarked(
        session=DAY + timedelta(days=place),
        equity=Decimal(equity),
        peak_equity=Decimal(equity),
        cash=Decimal(0),
        gross=0.0,
        net=0.0,
        prices={name: Decimal(price) for name, price in prices.items()},
        benchmark=None,
        traded=Decimal(0),
        fees=Decimal(0),
    )


def cells(*payloads: tuple[Payload, str] | Payload) -> tuple[Session, ...]:
    """Sessions of a log that holds these facts, each alone or with the decision it belongs to."""
    events: list[Event] = []
    for place, item in enumerate((started(), *payloads), start=1):
        payload, decision_id = item if isinstance(item, tuple) else (item, "dec-1")
        events.append(
            Event(
                seq=place,
                id=f"e{place}",
                stream="book",
                version=place,
                type=type(payload).__name__,
                schema_version=payload.schema_version,
                event_time=datetime(2020, 1, 6, 21, tzinfo=UTC),
                run_id="run-1",
                decision_id=decision_id,
                order_id=None,
                cause_id=None,
                actor=Actor(kind="desk", name="days"),
                payload=payload.model_dump(mode="json"),
                prev_hash=GENESIS_HASH,
                hash=GENESIS_HASH,
            )
        )
    return run_cells(events)


def test_three_trades_reckoned_by_hand() -> None:
    # Buys 100 AAA at 10.02 (mid 10.00, fee 1), close 10.50: trading +50, spread -2, fee -1.
    # Next day holds to 11.00 (+50), sells 40 at 10.90 (mid 10.95, fee 0.50): spread -2, trading 40 x (10.95 - 11) = -2.
    # Third day sells the other 60 at 11.20 = mid, no fee: 60 x 0.20 = +12, all of it held until then.
    sessions = cells(
        marked(0, "10000"),
        (filled("AAA", Side.BUY, 100, "10.02", "10.00", "1"), "dec-1"),
        marked(1, "10047", AAA="10.50"),
        (filled("AAA", Side.SELL, 40, "10.90", "10.95", "0.50"), "dec-2"),
        marked(2, "10092.50", AAA="11.00"),
        (filled("AAA", Side.SELL, 60, "11.20", "11.20"), "dec-3"),
        marked(3, "10104.50"),
    )

    first, second, third = (session.cells[0] for session in sessions[1:])
    parts = [(cell.holding, cell.trading, cell.spread_impact, cell.fees) for cell in (first, second, third)]
    assert parts == [
        (Decimal(0), Decimal(50), Decimal(-2), Decimal(-1)),
        (Decimal(50), Decimal(-2), Decimal(-2), Decimal("-0.5")),
        (Decimal(12), Decimal(0), Decimal(0), Decimal(0)),
    ]
    assert by_instrument(sessions).parts == {"AAA": Decimal("104.50")}
    assert by_decision(sessions).parts == {
        "dec-1": Decimal("97.00"),
        "dec-2": Decimal("7.50"),
    }


def test_nights_belong_to_the_name_and_add_up() -> None:
    # 101 shares at 10, split 2:1 after a dividend of 0.10 each; then renamed, charged nothing, cashed out at 5.30.
    sessions = cells(
        marked(0, "10000"),
        filled("AAA", Side.BUY, 101, "10", "10"),
        DividendBooked(symbol="AAA", quantity=101, cash_per_share=Decimal("0.10"), ex_date=DAY, paid=None),
        SharesSplit(symbol="AAA", quantity=101, old_shares=1, new_shares=2, fraction_price=None, ex_date=DAY),
        marked(1, "10030.30", AAA="5.10"),
        PositionRenamed(symbol="AAA", quantity=202, new_symbol="BBB", ex_date=DAY),
        marked(2, "10050.50", BBB="5.20"),
        PositionCashedOut(
            symbol="BBB", quantity=202, price=Decimal("5.30"), priced_at=datetime(2020, 1, 9, tzinfo=UTC), reason="gone"
        ),
        marked(3, "10070.70"),
    )

    assert by_instrument(sessions).parts == {"BBB": Decimal("40.40"), "AAA": Decimal("30.30")}
    bought = sessions[1].cells[0]
    assert (bought.trading, bought.carry, bought.holding) == (Decimal("20.20"), Decimal("10.10"), Decimal(0))


def test_a_short_position_pays_borrow_and_a_fill_taken_back_leaves_nothing() -> None:
    sessions = cells(
        marked(0, "10000"),
        filled("AAA", Side.SELL, 10, "20", "20", ident="short"),
        wrong := filled("BBB", Side.BUY, 5, "30", "29", "1", ident="busted"),
        FillBusted(execution_id="busted", fill=wrong.fill, reason="error"),
        BorrowCharged(symbol="AAA", quantity=-10, price=Decimal(20), rate_frac=0.1, nights=1, amount=Decimal("0.06")),
        marked(1, "10009.94", AAA="19"),
    )

    found = {cell.symbol: cell for cell in sessions[1].cells}
    assert found["AAA"].carry == Decimal("-0.06")
    assert found["AAA"].profit == Decimal("9.94")
    assert found["BBB"].profit == 0


def test_a_book_that_does_not_add_is_refused() -> None:
    with pytest.raises(BookDoesNotAdd, match=r"cells come to 0, equity moved by 1"):
        cells(marked(0, "10001"))


def test_only_those_who_voted_for_a_leg_share_in_it() -> None:
    sessions = cells(
        marked(0, "10000"),
        filled("AAA", Side.BUY, 100, "10", "10"),
        filled("BBB", Side.BUY, 10, "10", "10"),
        marked(1, "10110", AAA="11", BBB="11"),
    )
    said = {Agent.ANALYST: (1, 75), Agent.RISK: (1, 100), Agent.OPTIMIZER: (-1, 90), Agent.EXECUTION: (1, 50)}
    votes = [
        CastVote("dec-1", 1, datetime(2020, 1, 6, tzinfo=UTC), True, vote, 0.25)
        for agent, (value, confidence) in said.items()
        for vote in [Vote(agent=agent, symbol="AAA", value=value, confidence=confidence)]  # pyright: ignore[reportArgumentType]
    ]

    # Edges 0.5 and 1 at equal weights: a third and two thirds of 100; nobody voted on BBB's 10.
    assert by_agent(sessions, votes).parts == {
        "risk_manager": Decimal("66.67"),
        "market_analyst": Decimal("33.33"),
        NOBODY: Decimal("10.00"),
    }
    assert set(VOTING_WEIGHTS) == set(Agent)


@settings(max_examples=40, deadline=None)
@given(
    amounts=st.lists(st.decimals(-10_000, 10_000, places=6, allow_nan=False), min_size=1, max_size=30),
    shift=st.decimals("-0.004", "0.004", places=6),
)
def test_cents_sum_to_the_total_and_no_part_moves_by_more_than_two(amounts: list[Decimal], shift: Decimal) -> None:
    parts = {f"p{place}": amount for place, amount in enumerate(amounts)}
    total = sum(amounts, Decimal(0)) + shift

    found = in_cents(parts, total)

    assert sum(found.values()) == total.quantize(Decimal("0.01"))
    assert all(abs(found[name] - parts[name]) <= Decimal("0.02") for name in parts)


def test_parts_that_miss_the_total_are_refused() -> None:
    with pytest.raises(BookDoesNotAdd, match="miss the total 3 by"):
        in_cents({"a": 1.0, "b": 1.5}, Decimal(3))


def test_the_effects_of_a_day_by_hand() -> None:
    # Equity 10,000: 5,000 AAA (+2 %), nothing else. 1/N of two names that made +2 % and -1 %: 0.5 %.
    # Invested half of it: market 0.5 x 50 = 25. Of what is invested the benchmark has 25 % of equity in each sector:
    # Energy (0.5 - 0.25)(2 % - 0.5 %) = 0.375 %, Financials (0 - 0.25)(-1 % - 0.5 %) = 0.375 %: 75. Selection nothing.
    sessions = cells(
        marked(0, "10000"),
        filled("AAA", Side.BUY, 50, "100", "100"),
        marked(1, "10000", AAA="100"),
        marked(2, "10100", AAA="102"),
    )
    prices = Prices(("AAA", "BBB"), np.array([[100.0, 50.0], [100.0, 50.0], [102.0, 49.5]]))

    found = effects(sessions, prices, UNIVERSE)

    last = {name: round(float(found.by_effect[name][-1]), 6) for name in EFFECTS}
    mean = 0.25
    assert found.mean_exposure == pytest.approx(mean)
    assert last["market at the mean exposure"] == pytest.approx(50 * mean)
    assert last["timing of the exposure"] == pytest.approx(50 * (0.5 - mean))
    assert last["allocation to sectors"] == pytest.approx(75.0)
    assert last["selection within sectors"] == pytest.approx(0.0)
    assert {name: round(parts[0], 6) for name, parts in found.sectors.items()} == {"Energy": 37.5, "Financials": 37.5}
    assert by_effect(sessions, found).total == Decimal("100.00")


def test_a_run_of_one_session_has_nothing_to_split() -> None:
    with pytest.raises(NothingToSplit):
        effects(cells(marked(0, "10000")), Prices(("AAA",), np.ones((1, 1))), UNIVERSE)


def test_a_profit_that_is_one_factor_is_that_factors(market: DataSet) -> None:
    sessions = cells(
        marked(0, "10000"),
        filled("AAA", Side.BUY, 100, "100", "100"),
        *(
            marked(place + 1, str(price * 100), AAA=str(price))
            for place, price in enumerate((100, 101, 99, 104, 103, 108))
        ),
    )
    made = np.array([float(item.equity / item.equity_before - 1) for item in sessions[2:]])
    days = [str(item.day) for item in sessions[2:]]

    found = by_factor("factor", "By factor", sessions, ("one",), days, made[:, None])

    assert found.parts["one"] == Decimal("800.00")
    assert found.parts[NOT_EXPLAINED] == 0
    assert found.parts[OTHER_DAYS] == 0


def test_every_split_of_a_whole_run_adds_up_to_the_cent(market: DataSet) -> None:
    days = market.history().sessions_between()[-9:]
    events = rehearse(market, days)
    sessions = run_cells(events)
    profit = (sessions[-1].equity - sessions[0].equity_before).quantize(Decimal("0.01"))
    history = market.history()
    view = history.as_of(history.close_time(days[-1]))
    votes = [
        vote
        for event in events
        if event.type == "DecisionMade"
        for vote in votes_of(event.decoded().decision, event.seq)  # pyright: ignore[reportAttributeAccessIssue]
    ]

    found = effects(sessions, Prices(view.symbols, view.close[history.rows_of(days)]), market.universe)
    splits = [
        by_instrument(sessions),
        by_sector(sessions, market.universe),
        by_decision(sessions),
        by_agent(sessions, votes),
        by_effect(sessions, found),
    ]

    assert profit != 0
    assert [split.total for split in splits] == [profit] * 5
    assert len(splits[0].parts) > 3
    assert set(splits[3].parts) <= {agent.value for agent in Agent} | {NOBODY}
