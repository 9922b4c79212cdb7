"""One session as the market has it and as the feed shows it: gaps, bad prices, bursts, splits, shocks, odd stamps."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal

from ...domain.market import Quote
from .clock import SimulatedClock
from .faults import MOMENTS, Schedule

BURST = 100
CENT = Decimal("0.01")


@dataclass(slots=True)
class SessionFeed:
    """`truth` is what the venue matches against, moment by moment; `shown` is what reaches the desk.

    `bad` names the symbols whose shown quote is nonsense at a moment, and why: nothing may be sent on it.
    """

    first: int
    times: list[datetime]
    truth: list[dict[str, Quote]]
    shown: list[list[Quote]]
    bad: dict[tuple[int, str], str] = field(default_factory=dict[tuple[int, str], str])
    _moments: dict[int, int] = field(default_factory=dict[int, int])

    def __post_init__(self) -> None:
        self._moments = {id(quote): self.first + k for k, batch in enumerate(self.shown) for quote in batch}

    def moment_of(self, quote: Quote) -> int:
        """The moment at which this very quote was shown."""
        return self._moments[id(quote)]

    def since(self, moment: int) -> Iterator[Quote]:
        """What is shown from a moment on."""
        for batch in self.shown[max(moment - self.first, 0) :]:
            yield from batch


def session_feed(schedule: Schedule, quotes: Iterable[Quote], symbols: tuple[str, ...], first: int) -> SessionFeed:
    """The session whose first moment has this number."""
    by_time: dict[datetime, dict[str, Quote]] = {}
    for quote in quotes:
        by_time.setdefault(quote.ts_event, {})[quote.symbol] = quote
    times = sorted(by_time)
    assert len(times) == MOMENTS, "the tape has as many moments as faults are placed by"
    truth = [_moved(schedule, by_time[at], symbols, first, first + k) for k, at in enumerate(times)]
    bad: dict[tuple[int, str], str] = {}
    clock = SimulatedClock(schedule)
    shown = [_shown(schedule, clock, truth, times, symbols, first, k, bad) for k in range(MOMENTS)]
    return SessionFeed(first, times, truth, shown, bad)


def _moved(
    schedule: Schedule, quotes: dict[str, Quote], symbols: tuple[str, ...], first: int, moment: int
) -> dict[str, Quote]:
    """The market itself: halts, splits and shocks last until the close."""
    found = dict(quotes)
    for kind in ("symbol_halted", "symbol_split", "price_shock"):
        for fault in schedule.of(kind):
            if not first <= fault.at <= moment:
                continue
            name = symbols[fault.which % len(symbols)]
            if kind == "price_shock":
                found = {key: _scaled(quote, Decimal(100 - fault.size) / 100) for key, quote in found.items()}
            elif kind == "symbol_halted":
                found.pop(name, None)
            elif name in found:
                half = _scaled(found[name], Decimal("0.5"))
                found[name] = replace(half, bid_size=2 * half.bid_size, ask_size=2 * half.ask_size)
    return found


def _shown(
    schedule: Schedule,
    clock: SimulatedClock,
    truth: list[dict[str, Quote]],
    times: list[datetime],
    symbols: tuple[str, ...],
    first: int,
    k: int,
    bad: dict[tuple[int, str], str],
) -> list[Quote]:
    moment = first + k
    stamp = clock.stamp(moment, times, first)
    batch = {name: replace(quote, ts_event=stamp) for name, quote in truth[k].items()}
    gap = schedule.during("feed_gap", moment)
    if gap:
        batch.pop(symbols[gap.which % len(symbols)], None)
    for kind, change in _BAD.items():
        fault = schedule.during(kind, moment)
        name = symbols[fault.which % len(symbols)] if fault else ""
        if name in batch:
            batch[name] = change(batch[name])
            bad[moment, name] = kind
    for fault in schedule.of("symbol_split"):
        if first <= fault.at <= moment:
            bad[moment, symbols[fault.which % len(symbols)]] = "symbol_split"
    locked = schedule.during("feed_locked", moment)
    name = symbols[locked.which % len(symbols)] if locked else ""
    if name in batch:
        batch[name] = replace(batch[name], bid=batch[name].ask)
    return [*batch.values(), *_extra(schedule, truth, batch, symbols, moment, k, stamp)]


def _extra(
    schedule: Schedule,
    truth: list[dict[str, Quote]],
    batch: dict[str, Quote],
    symbols: tuple[str, ...],
    moment: int,
    k: int,
    stamp: datetime,
) -> list[Quote]:
    """Quotes beyond the one a symbol has at a moment: an old one again, or a burst."""
    found: list[Quote] = []
    stale = schedule.at("feed_stale", moment)
    name = symbols[stale.which % len(symbols)] if stale else ""
    if k and name in truth[k - 1]:
        found.append(replace(truth[k - 1][name], ts_event=stamp - timedelta(minutes=1)))
    burst = schedule.at("feed_burst", moment)
    name = symbols[burst.which % len(symbols)] if burst else ""
    if name in batch:
        found += [replace(batch[name], ts_event=stamp + timedelta(milliseconds=n + 1)) for n in range(BURST)]
    return found


def _scaled(quote: Quote, factor: Decimal) -> Quote:
    bid = max((quote.bid * factor).quantize(quote.bid), CENT)
    return replace(quote, bid=bid, ask=max((quote.ask * factor).quantize(quote.ask), bid))


def _crossed(quote: Quote) -> Quote:
    return replace(quote, bid=quote.ask + CENT, ask=quote.bid)


def _zero(quote: Quote) -> Quote:
    return replace(quote, bid=Decimal(0), ask=Decimal(0))


def _negative(quote: Quote) -> Quote:
    return replace(quote, bid=-quote.ask, ask=-quote.bid)


def _spiked(quote: Quote) -> Quote:
    return replace(quote, bid=quote.bid * 10, ask=quote.ask * 10)


_BAD = {"feed_crossed": _crossed, "feed_zero": _zero, "feed_negative": _negative, "feed_spike": _spiked}
