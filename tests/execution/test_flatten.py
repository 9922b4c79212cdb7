"""The flatten: in steps, within a price band, with a cap on attempts, and always with an answer."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import ROUND_UP, Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from parley.domain.market import Quote
from parley.domain.orders import Fill, Side
from parley.domain.portfolio import Portfolio, Position, book_fills
from parley.execution.flatten import Attempt, FlattenResult, FlattenTerms, flatten
from parley.execution.hours import SessionHours
from parley.execution.session import SessionResult

OPEN = datetime(2022, 3, 1, 14, 30, tzinfo=UTC)
SINCE = OPEN - timedelta(hours=1)


def quote(minute: int, price: str, symbol: str = "AAA") -> Quote:
    mid = Decimal(price)
    return Quote(symbol, OPEN + timedelta(minutes=minute), mid, mid + Decimal("0.02"), 500, 500, synthetic=True)


def holding(**held: int) -> Portfolio:
    positions = [Position(symbol=name, quantity=held[name], average_price=Decimal(50)) for name in sorted(held)]
    return Portfolio(cash=Decimal(0), positions=tuple(positions))


@dataclass
class Market:
    """A stand-in for gate and session: closes what the attempt does not keep, as far as it is able to."""

    takes: int = 1_000_000
    refuses: str = ""
    stops: str = ""
    attempts: list[Attempt] = field(default_factory=list)
    windows: list[tuple[datetime, datetime, list[Decimal]]] = field(default_factory=list)
    seen: list[Portfolio] = field(default_factory=list)

    async def approve(self, attempt: Attempt, portfolio: Portfolio) -> Any:
        self.attempts.append(attempt)
        self.seen.append(portfolio)
        return self.refuses or object()

    def work(self, approved: Any, quotes: Sequence[Quote], hours: SessionHours, portfolio: Portfolio) -> SessionResult:
        attempt = self.attempts[-1]
        self.windows.append((hours.opens_at, hours.closes_at, [item.bid for item in quotes]))
        fills: list[Fill] = []
        for symbol, held in portfolio.holdings().items():
            first = next((item for item in quotes if item.symbol == symbol), None)
            size = abs(held)
            keep_frac = attempt.keep_fracs.get(symbol, attempt.keep_frac)
            count = min(size - int(size * keep_frac), self.takes)
            if first is not None and count > 0 and symbol in attempt.symbols:
                fills.append(self._fill(first, count, Side.SELL if held > 0 else Side.BUY))
        portfolio = book_fills(portfolio, fills)
        return SessionResult(portfolio, tuple(fills), Decimal(0), Decimal(0), 0, (), self.stops, iter(()))

    def _fill(self, at: Quote, count: int, side: Side) -> Fill:
        name = f"{at.symbol}-{len(self.attempts)}"
        return Fill(
            execution_id=f"e-{name}",
            client_order_id=f"o-{name}",
            order_id=f"p-{name}",
            symbol=at.symbol,
            side=side,
            quantity=count,
            price=at.bid if side is Side.SELL else at.ask,
            mid_price=at.mid,
            touch_price=at.bid if side is Side.SELL else at.ask,
            venue="paper",
            ts_event=at.ts_event,
        )

    def run(
        self,
        quotes: Sequence[Quote],
        portfolio: Portfolio,
        *symbols: str,
        keep: Mapping[str, int] | None = None,
        **terms: Any,
    ) -> FlattenResult:
        done = flatten(symbols, quotes, SINCE, portfolio, self.approve, self.work, FlattenTerms(**terms), keep)
        return asyncio.run(done)


DAY = [quote(minute, "50") for minute in range(0, 80, 10)]


def test_it_sells_an_equal_part_in_each_attempt_and_all_in_the_last() -> None:
    market = Market()

    result = market.run(DAY, holding(AAA=400))

    assert (result.outcome, result.attempts, result.left, result.reason) == ("flat", 4, {}, "")
    assert [fill.quantity for fill in result.fills] == [100, 100, 100, 100]
    assert [round(attempt.keep_frac, 2) for attempt in market.attempts] == [0.75, 0.67, 0.5, 0.0]
    assert market.seen[1].quantity("AAA") == 300, "positions are read again before each attempt"


def test_it_stops_at_what_is_to_be_kept() -> None:
    market = Market()

    result = market.run(DAY, holding(AAA=400, BBB=70), "AAA", keep={"AAA": 100})

    assert (result.outcome, result.left) == ("flat", {})
    assert [fill.quantity for fill in result.fills] == [75, 75, 75, 75]
    assert (result.portfolio.quantity("AAA"), result.portfolio.quantity("BBB")) == (100, 70)
    assert market.run(DAY, holding(AAA=100), "AAA", keep={"AAA": 100}).attempts == 0


@settings(max_examples=50, deadline=None)
@given(st.integers(1, 1_000_000), st.integers(0, 1_000_000))
def test_the_last_attempt_sells_neither_less_nor_a_share_more_than_asked(held: int, kept: int) -> None:
    market = Market()

    market.run(DAY, holding(AAA=held), "AAA", keep={"AAA": kept}, max_attempts=1)

    sold = [(held * (1 - Decimal(repr(item.keep_frac)))).to_integral_value(ROUND_UP) for item in market.attempts]
    assert sold == ([held - kept] if held > kept else [])


def test_attempts_share_the_time_and_never_overlap() -> None:
    market = Market()

    market.run(DAY, holding(AAA=400))

    for (_, closed, _), (opened, _, _) in zip(market.windows, market.windows[1:], strict=False):
        assert closed < opened
    assert [attempt.decided_at for attempt in market.attempts[1:]] == [end for _, end, _ in market.windows[:-1]]


def test_a_venue_that_fills_little_is_asked_as_often_as_allowed_and_no_more() -> None:
    market = Market(takes=10)

    result = market.run(DAY, holding(AAA=400))

    assert (result.outcome, result.attempts, result.left) == ("partly", 4, {"AAA": 360})
    assert result.reason == "the venue filled no more"


def test_a_venue_that_fills_nothing_leaves_it_stuck() -> None:
    result = Market(takes=0).run(DAY, holding(AAA=400))

    assert (result.outcome, result.attempts, result.left) == ("stuck", 4, {"AAA": 400})


@pytest.mark.parametrize(
    ("market", "tries"), [(Market(refuses="the gate vetoed it"), 1), (Market(takes=0, stops="halted"), 1)]
)
def test_a_veto_or_a_halt_ends_it_with_the_reason(market: Market, tries: int) -> None:
    result = market.run(DAY, holding(AAA=400))

    assert (result.outcome, result.attempts) == ("stuck", tries)
    assert result.reason == (market.refuses or market.stops)


def test_nothing_is_sold_below_the_price_band() -> None:
    falling = [quote(minute, str(50 - minute / 20)) for minute in range(0, 80, 10)]
    market = Market()

    result = market.run(falling, holding(AAA=400), band_frac=Decimal("0.05"))

    # The limit may lie 1 % below the bid, and even that stays above 47.50.
    offered = [bid for _, _, bids in market.windows for bid in bids]
    assert min(offered) == Decimal(48)
    assert Decimal(48) * Decimal("0.99") >= Decimal("47.50") > Decimal("47.5") * Decimal("0.99")
    assert result.attempts == 3
    stuck = Market(takes=1).run(falling, holding(AAA=400), band_frac=Decimal("0.05"))
    assert stuck.reason == "3 of 8 quotes lay past the price band"


def test_what_is_short_is_bought_back_and_not_above_the_price_band() -> None:
    rising = [quote(minute, str(50 + minute / 20)) for minute in range(0, 80, 10)]
    market = Market()

    result = market.run(rising, holding(AAA=-400), band_frac=Decimal("0.05"))

    assert (result.outcome, result.left) == ("flat", {})
    assert {fill.side for fill in result.fills} == {Side.BUY}
    # The first ask is 50.02: with the band 52.521, and the limit may lie 1 % above the ask.
    offered = [bid + Decimal("0.02") for _, _, bids in market.windows for bid in bids]
    assert max(offered) == Decimal("51.52") and Decimal("52.02") * Decimal("1.01") > Decimal("52.521")
    falling = [quote(minute, str(50 - minute / 5)) for minute in range(0, 80, 10)]
    assert Market(takes=100).run(falling, holding(AAA=-400)).outcome == "flat", "cheaper is no reason to stop"


def test_as_much_of_a_short_position_stays_as_was_asked_for() -> None:
    result = Market().run(DAY, holding(AAA=-400, BBB=10), keep={"AAA": 100, "BBB": 10})

    assert result.portfolio.holdings() == {"AAA": -100, "BBB": 10}


def test_only_the_named_are_sold() -> None:
    both = sorted([*DAY, *(quote(minute, "20", "BBB") for minute in range(0, 80, 10))], key=lambda item: item.ts_event)

    result = Market().run(both, holding(AAA=400, BBB=40), "BBB")

    assert result.outcome == "flat"
    assert result.portfolio.holdings() == {"AAA": 400}


def test_a_session_without_quotes_is_stuck_and_says_so() -> None:
    result = Market().run([], holding(AAA=400))

    assert (result.outcome, result.attempts) == ("stuck", 0)
    assert "no quotes" in result.reason


def test_a_flat_book_is_flat_without_an_attempt() -> None:
    assert Market().run(DAY, holding()).outcome == "flat"


@pytest.mark.parametrize(("moments", "attempts"), [(1, 1), (2, 1), (3, 2), (4, 2), (5, 3), (8, 4)])
def test_few_moments_make_few_attempts_and_the_last_one_has_two_where_there_are_two(
    moments: int, attempts: int
) -> None:
    market = Market()

    result = market.run(DAY[:moments], holding(AAA=400))

    assert (result.outcome, result.attempts) == ("flat", attempts)
    seen = [bids for _, _, bids in market.windows]
    assert len(seen[-1]) >= min(moments, 2)
    assert sum(map(len, seen)) == moments
    for (_, closed, _), (opened, _, _) in zip(market.windows, market.windows[1:], strict=False):
        assert closed < opened


def test_a_first_quote_without_a_bid_takes_the_price_band_away_from_nobody() -> None:
    falling = [quote(minute, str(50 - minute / 20)) for minute in range(0, 80, 10)]
    broken = [replace(falling[0], bid=Decimal(0)), replace(falling[0], bid=Decimal("NaN")), *falling]
    market = Market()

    result = market.run(broken, holding(AAA=400), band_frac=Decimal("0.05"))

    assert min(bid for _, _, bids in market.windows for bid in bids) == Decimal(48)
    assert result == Market().run(falling, holding(AAA=400), band_frac=Decimal("0.05"))


def test_a_name_of_which_some_is_kept_holds_no_other_one_back() -> None:
    market = Market()

    both = [quote(minute, "50", symbol) for minute in range(0, 80, 10) for symbol in ("AAA", "BBB")]

    result = market.run(both, holding(AAA=400, BBB=400), keep={"AAA": 360})

    assert (result.outcome, result.left) == ("flat", {})
    assert result.portfolio.holdings() == {"AAA": 360}
    assert [round(attempt.keep_frac, 3) for attempt in market.attempts] == [0.975, 0.974, 0.974, 0.973]
    assert [round(attempt.keep_fracs["BBB"], 2) for attempt in market.attempts] == [0.75, 0.67, 0.5, 0.0]
    assert all("AAA" not in attempt.keep_fracs for attempt in market.attempts)


def test_an_attempt_needs_as_many_moments_as_orders_take_to_arrive() -> None:
    market = Market()

    result = market.run(DAY[:1], holding(AAA=400), least_moments=2)

    assert (result.attempts, result.left, result.may_go_on) == (0, {"AAA": 400}, True)
    assert market.run(DAY[:1], holding(AAA=400)).attempts == 1


@pytest.mark.parametrize(
    ("market", "quotes", "may_go_on"),
    [
        (Market(), [], True),
        (Market(takes=10), DAY[:2], True),
        (Market(takes=10), DAY, False),  # it has had all its attempts
        (Market(refuses="vetoed"), DAY[:2], False),
        (Market(stops="halted", takes=10), DAY[:2], False),
    ],
)
def test_it_may_go_on_where_only_the_session_was_over(market: Market, quotes: list[Quote], may_go_on: bool) -> None:
    result = market.run(quotes, holding(AAA=400))

    assert result.left
    assert result.may_go_on is may_go_on


def test_it_may_not_go_on_where_quotes_are_left_that_lie_past_the_price_band() -> None:
    market = Market(takes=10)

    result = market.run([quote(0, "50"), quote(10, "40"), quote(20, "40")], holding(AAA=400))

    assert (result.attempts, result.may_go_on) == (1, False)
