"""Books, queues, latency and fills of a replay against recorded snapshots and a plain reference engine."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from parley.market.raw_feed import read_raw_feed
from parley.quant.errors import ParameterError, SampleError
from parley.quant.event_replay import (
    Features,
    MakerTerms,
    Quotes,
    ReplayTerms,
    book_after,
    count_best,
    crossed_books,
    lognormal_latency_ns,
    replay_hook,
    replay_maker,
)
from parley.quant.feed_rows import BREAK, BUY, CLEAR, DEPTH, FEED_ROW, SELL, SNAPSHOT, TRADE, repeated

STEP = 1000
MAKER = MakerTerms(half_spread_ticks=1.0, skew_ticks=1.0, size=1.0, most_held=3.0)


def feed(*events: tuple[Any, ...]) -> Any:
    """(kind, side, exchange_ns, local_ns, price, quantity) each, in both orders."""
    return np.array([(kind, side, 3, *rest) for kind, side, *rest in events], dtype=FEED_ROW)


def snapshot(ns: int, bid: float, ask: float, size: float = 5.0) -> list[tuple[Any, ...]]:
    return [
        (CLEAR, BUY, ns, ns, bid, 0.0),
        (SNAPSHOT, BUY, ns, ns, bid, size),
        (CLEAR, SELL, ns, ns, ask, 0.0),
        (SNAPSHOT, SELL, ns, ns, ask, size),
    ]


def buy_at(price: float) -> Any:
    return lambda features: Quotes(price, None)


def test_the_book_equals_every_recorded_snapshot(recorded_data: Path) -> None:
    folder = recorded_data / "orderbook"
    recorded = read_raw_feed(folder / "btcusdt_perp_20240808_raw_feed.gz")
    frame = pd.read_parquet(folder / "btcusdt_perp_20240808_l2_top10_100ms.parquet")
    names = [f"{side}{level}_{{}}" for side in ("bid", "ask") for level in range(1, 11)]
    times = frame["ts"].dt.tz_localize(None).to_numpy().astype("datetime64[ns]").astype(np.int64)

    prices, sizes = book_after(recorded.rows, 0.1, times + recorded.clock_shift_ns, 10)

    assert len(frame) == 3226
    np.testing.assert_allclose(prices, frame[[name.format("px") for name in names]].to_numpy(), rtol=0, atol=1e-6)
    np.testing.assert_array_equal(sizes, frame[[name.format("sz") for name in names]].to_numpy())
    assert crossed_books(recorded.rows, 0.1).tolist() == [0, 0, -1, -1]


def test_a_resting_order_waits_for_the_queue_ahead_of_it() -> None:
    # 5 stand at 99 before us; 4 + 3 trade: 2 of the second print are ours.
    rows = feed(
        *snapshot(0, 99.0, 101.0),
        (TRADE, SELL, 3500, 3500, 99.0, 4.0),
        (TRADE, SELL, 4500, 4500, 99.0, 3.0),
        (TRADE, SELL, 9000, 9000, 99.0, 0.5),
    )

    fills = replay_hook(rows, ReplayTerms(1.0, STEP, (10,), (10,)), buy_at(99.0), 2.5).fills

    assert fills["quantity"].tolist() == [2.0, 0.5]
    assert fills["exchange_ns"].tolist() == [4500, 9000]
    assert fills["is_maker"].tolist() == [1, 1]


def test_cancellations_ahead_help_only_under_the_shared_queue() -> None:
    # Of 5 ahead and 5 behind, 4 cancel: none of them ahead by the averse model, 2 by the power law.
    rows = feed(
        *snapshot(0, 99.0, 101.0),
        (DEPTH, BUY, 3500, 3500, 99.0, 10.0),
        (DEPTH, BUY, 3600, 3600, 99.0, 6.0),
        (TRADE, SELL, 4500, 4500, 99.0, 4.0),
        (TRADE, SELL, 9000, 9000, 99.0, 9.0),
    )

    first = [
        replay_hook(rows, ReplayTerms(1.0, STEP, queue_power=power), buy_at(99.0), 1.0).fills["exchange_ns"][0]
        for power in (0.0, 1.0)
    ]

    assert first == [9000, 4500]


def test_a_taker_uses_up_the_levels_it_takes() -> None:
    rows = feed(
        *snapshot(0, 99.0, 101.0, 2.0),
        (DEPTH, SELL, 10, 10, 102.0, 3.0),
        (TRADE, BUY, 9000, 9000, 101.0, 1.0),
    )
    terms = ReplayTerms(1.0, STEP, (300,), (40,), taker_fee=0.001)

    result = replay_hook(rows, terms, buy_at(102.0), 6.0, lasts="immediate")

    assert result.fills["price"].tolist() == [101.0, 102.0]
    assert result.fills["quantity"].tolist() == [2.0, 3.0]
    assert result.fills["shown"].tolist() == [2.0, 3.0]
    assert result.fills["exchange_ns"].tolist() == [1300, 1300]
    assert result.fees == pytest.approx((2 * 101 + 3 * 102) * 0.001)
    assert result.cash == pytest.approx(-(2 * 101 + 3 * 102) - result.fees)


def test_nothing_is_quoted_or_filled_while_the_feed_is_broken() -> None:
    rows = feed(
        *snapshot(0, 99.0, 101.0, 1.0),
        (BREAK, 0, 3500, 3500, 0.0, 0.0),
        (DEPTH, BUY, 3600, 3600, 99.0, 1.0),
        (DEPTH, SELL, 3600, 3600, 101.0, 1.0),
        (TRADE, SELL, 5500, 5500, 98.0, 9.0),
        *snapshot(7000, 99.0, 101.0, 1.0),
        (TRADE, SELL, 9500, 9500, 98.0, 9.0),
        (TRADE, SELL, 12000, 12000, 98.0, 9.0),
    )

    fills = replay_maker(rows, ReplayTerms(1.0, STEP), MAKER).fills

    assert len(fills) > 0
    assert fills["exchange_ns"].min() > 7000


def test_same_seed_same_bytes() -> None:
    rows = random_feed(3, 400)
    drawn = [lognormal_latency_ns(300, 0.5, 64, np.random.default_rng(7)) for _ in range(2)]

    runs = [replay_maker(rows, ReplayTerms(1.0, STEP, each, each, queue_power=2.0), MAKER) for each in drawn]

    assert runs[0].fills.tobytes() == runs[1].fills.tobytes()
    assert len(runs[0].fills) > 0


def test_the_counter_reads_what_the_book_shows() -> None:
    rows = random_feed(5, 300)
    first, last = int(rows["exchange_ns"].min()), int(rows["local_ns"].max())
    prices, _ = book_after(rows, 1.0, np.arange(first + STEP, last, STEP), 1)
    both = np.isfinite(prices).all(axis=1)

    counted = count_best(rows, 1.0, STEP)

    assert (counted.steps, counted.two_sided) == (len(prices), int(both.sum()))
    assert counted.mean_bid == pytest.approx(prices[both, 0].mean())
    assert counted.mean_ask == pytest.approx(prices[both, 1].mean())


def test_copies_of_a_feed_follow_each_other() -> None:
    rows = random_feed(5, 50)

    copies = repeated(rows, 3)

    assert len(copies) == 3 * len(rows)
    assert (np.diff(copies["exchange_ns"]) >= 0).all()


@pytest.mark.parametrize(
    ("rows", "terms", "error"),
    [
        (feed(), ReplayTerms(1.0, STEP), SampleError),
        (feed(*snapshot(0, 99.0, 101.0)), ReplayTerms(0.0, STEP), ParameterError),
        (feed(*snapshot(0, 99.0, 101.0)), ReplayTerms(1.0, 0), ParameterError),
        (feed(*snapshot(0, 99.0, 101.0)), ReplayTerms(1.0, STEP, ()), ParameterError),
        (feed(*snapshot(0, 99.0, 101.0)), ReplayTerms(1.0, STEP, (-1,)), ParameterError),
        (feed(*snapshot(0, 99.0, 1e12)), ReplayTerms(1.0, STEP), SampleError),
        (feed(*snapshot(0, 99.0, 101.0, -1.0)), ReplayTerms(1.0, STEP), SampleError),
    ],
)
def test_bad_input_is_refused(rows: Any, terms: ReplayTerms, error: type[Exception]) -> None:
    with pytest.raises(error):
        replay_maker(rows, terms, MAKER)


def random_feed(seed: int, n: int) -> Any:
    """A snapshot, then level changes and prints around a mid that walks; no news overtakes another."""
    rng = np.random.default_rng(seed)
    events, ns, known, mid = [*snapshot(1000, 99.0, 101.0)], 1000, 1000, 100
    for _ in range(n):
        ns += int(rng.integers(1, 900))
        known = max(known, ns + int(rng.integers(1, 400)))
        mid += int(rng.integers(-1, 2)) if rng.random() < 0.2 else 0
        side = BUY if rng.random() < 0.5 else SELL
        away = int(rng.integers(0, 4))
        if rng.random() < 0.3:
            events.append((TRADE, side, ns, known, float(mid + side * away), float(rng.integers(1, 9))))
        else:
            size = float(rng.integers(0, 6))
            events.append((DEPTH, side, ns, known, float(mid - side * (1 + away)), size))
    return feed(*events)


class Reference:
    """The same rules over dicts and lists: one order a side, constant latencies, a queue averse to risk."""

    def __init__(self, rows: Any, terms: ReplayTerms, lasts: str, size: float) -> None:
        self.market = sorted(rows.tolist(), key=lambda row: row[3])
        self.news = sorted(rows.tolist(), key=lambda row: row[4])
        self.lowest, self.highest = rows["price"].min(), rows["price"].max()
        self.terms, self.lasts, self.size = terms, lasts, size
        self.true: dict[int, dict[float, float]] = {BUY: {}, SELL: {}}
        self.seen: dict[int, dict[float, float]] = {BUY: {}, SELL: {}}
        self.resting: dict[int, dict[str, Any]] = {}
        self.phase = {BUY: "free", SELL: "free"}
        self.price = {BUY: 0.0, SELL: 0.0}
        self.requests: list[tuple[Any, ...]] = []
        self.reports: list[tuple[Any, ...]] = []
        self.fills: list[tuple[Any, ...]] = []

    def run(self, wanted: list[tuple[float | None, float | None]]) -> list[tuple[Any, ...]]:
        now = min(min(row[3], row[4]) for row in self.market)
        end = max(max(row[3], row[4]) for row in self.market)
        quotes, calls = (None, None), 0
        while now < end:
            for side, price in zip((BUY, SELL), quotes, strict=True):
                self._quote(now, side, price)
            now += self.terms.step_ns
            self._go_on(now)
            best = [max(self.seen[BUY], default=None), min(self.seen[SELL], default=None)]
            quotes = (None, None)
            if best[0] is not None and best[1] is not None and best[0] < best[1]:
                quotes = wanted[calls % len(wanted)]
                calls += 1
        return self.fills

    def _quote(self, now: int, side: int, price: float | None) -> None:
        due = now + self.terms.order_latency_ns[0]
        if self.phase[side] == "working" and price != self.price[side]:
            self.phase[side] = "canceling"
            self.requests.append((due, side, None, now))
        elif self.phase[side] == "free" and price is not None and self._known(price):
            self.phase[side], self.price[side] = "sent", price
            self.requests.append((due, side, price, now))

    def _known(self, price: float) -> bool:
        return self.lowest <= price <= self.highest

    def _go_on(self, now: int) -> None:
        while True:
            row_ns = self.market[0][3] if self.market else now + 1
            ask_ns = self.requests[0][0] if self.requests else now + 1
            if min(row_ns, ask_ns) > now:
                break
            if row_ns <= ask_ns:
                self._row(self.market.pop(0))
            else:
                self._arrive(*self.requests.pop(0))
        while self.news and self.news[0][4] <= now:
            self._apply(self.seen, self.news.pop(0))
        while self.reports and self.reports[0][0] <= now:
            _, side, self.phase[side] = self.reports.pop(0)

    def _apply(self, book: dict[int, dict[float, float]], row: Any) -> None:
        kind, side, _, _, _, price, size = row
        if kind == CLEAR:
            for level in [each for each in book[side] if (each - price) * side >= 0]:
                del book[side][level]
        elif kind in (DEPTH, SNAPSHOT):
            book[side].pop(price, None)
            if size > 0:
                book[side][price] = size

    def _row(self, row: Any) -> None:
        kind, side, _, ns, _, price, size = row
        if kind == TRADE:
            order = self.resting.get(-side)
            if order and (price - order["price"]) * -side <= 0:
                free = size
                if price == order["price"]:
                    free, order["ahead"] = size - order["ahead"], max(order["ahead"] - size, 0.0)
                if free > 0:
                    self._fill(ns, -side, order, min(free, order["leaves"]), order["price"])
            return
        self._apply(self.true, row)
        if kind == CLEAR:
            return
        mine, other = self.resting.get(side), self.resting.get(-side)
        if mine and mine["price"] == price:
            mine["ahead"] = min(mine["ahead"], size)
        if other and size > 0 and (price - other["price"]) * side >= 0:
            taken = min(size, other["leaves"])
            self._use_up(side, price, taken)
            self._fill(ns, -side, other, taken, other["price"])

    def _arrive(self, ns: int, side: int, price: float | None, decided: int) -> None:
        if price is None:
            if side in self.resting:
                self._over(ns, side)
            return
        order = {"price": price, "leaves": self.size, "ahead": 0.0, "decided": decided}
        self.resting[side] = order
        touches = sorted(self.true[-side], key=lambda level: level * side)
        crosses = bool(touches) and (price - touches[0]) * side >= 0
        if crosses and self.lasts == "post_only":
            self._over(ns, side)
            return
        self.reports.append((ns + self.terms.report_latency_ns[0], side, "working"))
        for level in touches:
            if order["leaves"] > 0 and (price - level) * side >= 0:
                taken = min(order["leaves"], self.true[-side][level])
                self._use_up(-side, level, taken)
                self._fill(ns, side, order, taken, level)
        if side in self.resting and self.lasts == "immediate":
            self._over(ns, side)
        order["ahead"] = self.true[side].get(price, 0.0)

    def _use_up(self, side: int, price: float, taken: float) -> None:
        self.true[side][price] -= taken
        if self.true[side][price] <= 0:
            del self.true[side][price]

    def _fill(self, ns: int, side: int, order: dict[str, Any], size: float, price: float) -> None:
        order["leaves"] -= size
        self.fills.append((side, order["decided"], ns, price, size))
        if order["leaves"] <= 0:
            self._over(ns, side)

    def _over(self, ns: int, side: int) -> None:
        del self.resting[side]
        self.reports.append((ns + self.terms.report_latency_ns[0], side, "free"))


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    order_ns=st.integers(0, 2500),
    report_ns=st.integers(0, 2500),
    lasts=st.sampled_from(["post_only", "limit", "immediate"]),
    offsets=st.lists(st.tuples(st.integers(-3, 3), st.integers(-3, 3)), min_size=1, max_size=12),
)
def test_fills_are_those_of_the_plain_reference_engine(
    seed: int, order_ns: int, report_ns: int, lasts: Any, offsets: list[tuple[int, int]]
) -> None:
    rows = random_feed(seed, 120)
    terms = ReplayTerms(1.0, STEP, (order_ns,), (report_ns,))
    wanted = [(99.0 + low if low > -3 else None, 101.0 + high if high < 3 else None) for low, high in offsets]
    asked: list[Features] = []

    def hook(features: Features) -> Quotes:
        asked.append(features)
        return Quotes(*wanted[(len(asked) - 1) % len(wanted)])

    result = replay_hook(rows, terms, hook, 4.0, lasts=lasts)
    expected = Reference(rows, terms, lasts, 4.0).run(wanted)

    fills = result.fills
    assert fills[["side", "decided_ns", "exchange_ns", "price", "quantity"]].tolist() == expected
    assert (fills["exchange_ns"] >= fills["decided_ns"] + order_ns).all()
    assert (fills["local_ns"] == fills["exchange_ns"] + report_ns).all()
    assert (fills["quantity"] <= fills["shown"]).all()
    takers = fills[fills["is_maker"] == 0]
    assert ((takers["price"] - takers["touch"]) * takers["side"] >= 0).all()
