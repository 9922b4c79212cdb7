"""The replay bench: a recorded feed converted, rebuilt and traded in compiled kernels, beside the peer where it is."""

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np

from ..desk.clock import cpu_s
from ..desk.errors import SettingsInvalid
from ..market.raw_feed import RawFeed, book_findings, read_raw_feed
from ..quant.event_replay import (
    Features,
    MakerTerms,
    Quotes,
    ReplayTerms,
    count_best,
    lognormal_latency_ns,
    replay_hook,
    replay_maker,
)
from ..quant.feed_rows import CLEAR, repeated
from .console import Console
from .replay_peer import HOW_TO_INSTALL, PACKAGE, Peer, found_version, installed
from .replay_peer import repeated as repeated_for_peer
from .timing import Row

FEED = Path("orderbook/btcusdt_perp_20240808_raw_feed.gz")
COPIES, ROUNDS = 10, 5
TERMS = ReplayTerms(0.1, 10_000_000, (5_000_000,), (5_000_000,), maker_fee=0.0002, taker_fee=0.0005)
"""Tick of the recorded contract; a decision every 10 ms, 5 ms to the exchange and 5 back; its fees without a rebate."""

MAKER = MakerTerms(half_spread_ticks=5.0, skew_ticks=2.0, size=0.01, most_held=0.1)
LOT = 0.001
CONVERSION_GOAL, BOOKS_GOAL, MAKING_GOAL, HOOK_GOAL = 4.0, 2.0, 1.0, 100_000.0


@dataclass(frozen=True, slots=True)
class ReplayBench:
    """The figures, and what they were measured on."""

    rows: list[Row]
    feed: dict[str, str | int]
    peer: str | None
    """Name and version of the peer that ran beside; None without one."""


def bench_replay(console: Console, feed: Path | None = None) -> ReplayBench:
    """Conversion, books, market making and a Python strategy: CPU times in turns with the peer's.

    Every figure is the median over rounds; kernels are compiled before the first is timed.
    """
    path = _feed(feed)
    peer = Peer() if installed() else None
    peer_name = f"{PACKAGE} {found_version()}" if peer else None
    console.say(f"peer: {peer_name or f'not installed: {HOW_TO_INSTALL}. Only our own figures follow.'}")
    with console.progress("replay") as bar:
        steps = iter(range(1, 5))
        converted = read_raw_feed(path)
        measured = _measured_on(path, converted)
        console.say(
            "feed: {file}, {records:,} records of {lines:,} lines; x{copies} where it says so".format(**measured)
        )
        for finding in (*converted.findings, *book_findings(converted.rows, TERMS.tick)):
            console.say(f"feed: {finding.text}")
        rows = _converting(path, len(converted.rows), peer)
        bar(next(steps), 4)
        once = peer.convert(path) if peer else None
        ours = repeated(converted.rows, COPIES)
        theirs = repeated_for_peer(once, COPIES) if peer else None
        rows += [*_counting(ours, theirs, peer), *_same_books(converted, once, peer)]
        bar(next(steps), 4)
        rows += [*_making(ours, theirs, peer), *_fills(converted, once, peer, console)]
        bar(next(steps), 4)
        rows += [_sampled(converted), *_hooked(converted)]
        bar(next(steps), 4)
    return ReplayBench(rows, measured, peer_name)


def _measured_on(path: Path, feed: RawFeed) -> dict[str, str | int]:
    return {"file": path.name, "lines": feed.lines, "records": len(feed.rows), "copies": COPIES}


def _feed(named: Path | None) -> Path:
    folder = os.environ.get("PARLEY_SHARED_DATA")
    path = named or (Path(folder) / FEED if folder else None)
    if path is None or not path.is_file():
        raise SettingsInvalid(
            f"no recorded feed at {path}" if path else "no recorded feed named",
            remedy="Give one with --feed FILE, or set PARLEY_SHARED_DATA to the folder that holds orderbook/.",
        )
    return path


def _converting(path: Path, n_rows: int, peer: Peer | None) -> list[Row]:
    work = None if peer is None else (lambda: peer.convert(path))
    return _compared("conversion of the raw feed", n_rows, lambda: read_raw_feed(path), work, CONVERSION_GOAL)


def _counting(ours: Any, theirs: Any, peer: Peer | None) -> list[Row]:
    work = None if peer is None else (lambda: peer.count(theirs, TERMS))
    name = f"books, best read every 10 ms, feed x{COPIES}"
    return _compared(name, len(ours), lambda: count_best(ours, TERMS.tick, TERMS.step_ns), work, BOOKS_GOAL)


def _same_books(feed: RawFeed, theirs: Any, peer: Peer | None) -> list[Row]:
    """On the feed as it is: where copies meet, old levels cross new ones, which the peer hides and ours shows."""
    if peer is None:
        return []
    here, there = count_best(feed.rows, TERMS.tick, TERMS.step_ns), peer.count(theirs, TERMS)
    gap = abs(here.mean_bid - there[2] / there[1]) + abs(here.mean_ask - there[3] / there[1])
    # Both average the same tens of thousands of prices, summed in ticks by us and in doubles by the peer.
    return [Row("books: mean best prices, ours less the peer's", gap, gap, "price", 1e-6, gap < 1e-6)]


def _making(ours: Any, theirs: Any, peer: Peer | None) -> list[Row]:
    name = f"market making with latency, queues, fills, feed x{COPIES}"
    n_steps = len(replay_maker(ours, TERMS, MAKER).positions)
    quote_from_ns = int(ours["local_ns"][0])
    work = None if peer is None else (lambda: peer.make(theirs, TERMS, MAKER, quote_from_ns, n_steps))
    return _compared(name, len(ours), lambda: replay_maker(ours, TERMS, MAKER), work, MAKING_GOAL)


def _fills(feed: RawFeed, theirs: Any, peer: Peer | None, console: Console) -> list[Row]:
    """What the same strategy traded in both engines on the feed as it is; no goal but that the difference is told."""
    here = replay_maker(feed.rows, TERMS, MAKER)
    volume = float(here.fills["quantity"].sum())
    rows = [_plain("market making, feed x1: volume of our fills", volume, "units")]
    if peer is None:
        return rows
    known = feed.rows["local_ns"][feed.rows["kind"] == CLEAR]
    quote_from_ns = int(known[0] if len(known) else feed.rows["local_ns"][0])
    there = peer.make(theirs, TERMS, MAKER, quote_from_ns, len(here.positions))
    n = min(len(here.positions), len(there.positions))
    apart = np.abs(here.positions[:n] - there.positions[:n])
    near = float(np.mean(apart <= MAKER.size + 1e-9))
    console.say(
        f"fills: ours {len(here.fills)} of {volume:.3f} units, fees {here.fees:.2f}; the peer's {there.trades} of "
        f"{there.volume:.3f} units, fees {there.fees:.2f}; held within one order of each other at {near:.1%} of {n} "
        "steps."
    )
    console.say(
        "why they differ: once the queue ahead has traded, the peer fills the whole order, ours at most the size that "
        "printed or stands there, and what one order took is not there for the next; so ours are more and smaller, the "
        "maker quotes on from other positions, and the paths part. With orders of one lot, which only fill whole, both "
        "engines must trade alike."
    )
    lot = replace(MAKER, size=LOT, most_held=LOT * MAKER.most_held / MAKER.size)
    one, other = replay_maker(feed.rows, TERMS, lot), peer.make(theirs, TERMS, lot, quote_from_ns, len(here.positions))
    same = float(np.mean(np.abs(one.positions[:n] - other.positions[:n]) < LOT / 2))
    alike = len(one.fills) == other.trades and same == 1.0
    return [
        *rows,
        _plain("market making, feed x1: volume of the peer's fills", there.volume, "units"),
        _plain("market making, feed x1: steps held within one order of each other", near, "fraction"),
        _plain("one-lot market making, feed x1: our fills", len(one.fills), "fills"),
        _plain("one-lot market making, feed x1: the peer's fills", other.trades, "fills"),
        Row("one-lot market making, feed x1: steps held the same", same, same, "fraction", 1.0, alike),
    ]


def _sampled(feed: RawFeed) -> Row:
    """The maker under latencies drawn around the same median, in a queue whose members ahead cancel too."""
    drawn = [lognormal_latency_ns(5_000_000, 0.5, 1024, np.random.default_rng(seed)) for seed in (7, 8)]
    terms = replace(TERMS, order_latency_ns=drawn[0], report_latency_ns=drawn[1], queue_power=2.0)
    fills = replay_maker(feed.rows, terms, MAKER).fills
    return _plain(
        "market making: our volume, sampled latency, shared queue, feed x1", float(fills["quantity"].sum()), "units"
    )


def _hooked(feed: RawFeed) -> list[Row]:
    """Records a second, and how many calls of the strategy that means: it is asked by the feed's clock."""
    asked = count()

    def lean_and_count(features: Features) -> Quotes:
        next(asked)
        return _lean(features)

    replay_hook(feed.rows, TERMS, lean_and_count, MAKER.size)
    n_calls = next(asked)
    times = [_cpu(lambda: replay_hook(feed.rows, TERMS, _lean, MAKER.size)) for _ in range(ROUNDS)]
    name = "Python strategy with all features, every 10 ms"
    p50, p99 = (float(np.percentile(len(feed.rows) / np.array(times), level)) for level in (50, 1))
    per_record = n_calls / len(feed.rows)
    return [
        Row(name, p50, p99, "records/s", HOOK_GOAL, p50 >= HOOK_GOAL),
        Row(f"{name}: its calls", p50 * per_record, p99 * per_record, "calls/s", None, True),
    ]


def _lean(features: Features) -> Quotes:
    """Quote around the micro-price, leaning against what is held and with the order flow, wider when it is wild."""
    tick = TERMS.tick
    lean = MAKER.skew_ticks * tick * features.position / MAKER.size
    center = features.micro_price - lean + tick * (features.imbalance + features.deep_imbalance) / 2.0
    wide = tick * MAKER.half_spread_ticks + features.volatility * features.micro_price * 0.01
    bid = min(center - wide, features.bid) if features.position < MAKER.most_held else None
    ask = max(center + wide, features.ask) if features.position > -MAKER.most_held else None
    return Quotes(bid, ask)


def _compared(
    name: str, n_rows: int, ours: Callable[[], object], peers: Callable[[], object] | None, goal: float
) -> list[Row]:
    """Our rate; with the peer also its rate and our multiple of it, each round's two runs one after the other."""
    ours()
    if peers is not None:
        peers()
    taken = np.array([(_cpu(ours), _cpu(peers) if peers else np.nan) for _ in range(ROUNDS)])
    rates = n_rows / taken / 1e6
    rows = [_rate(f"{name}: ours", rates[:, 0])]
    if peers is None:
        return rows
    ratios = taken[:, 1] / taken[:, 0]
    p50, p99 = float(np.median(ratios)), float(np.percentile(ratios, 1))
    return [*rows, _rate(f"{name}: peer", rates[:, 1]), Row(f"{name}: ratio", p50, p99, "times", goal, p50 >= goal)]


def _rate(name: str, rates: Any) -> Row:
    return Row(name, float(np.median(rates)), float(np.percentile(rates, 1)), "M records/CPU s", None, True)


def _plain(name: str, value: float, unit: str) -> Row:
    return Row(name, value, value, unit, None, True)


def _cpu(work: Callable[[], object]) -> float:
    began = cpu_s()
    work()
    return cpu_s() - began
