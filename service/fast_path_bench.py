"""The timed runs of the fast path: 50 names in one session, events that arrive whether the desk is ready or not.

Open loop: every event has a time at which it arrives, drawn beforehand, and its latency counts from there. What waits
behind a slow event is charged with the wait, so a pause shows in every event that it held up (no coordinated
omission). The session, gate, orders, venue and log are those of a run. A yardstick is timed in between: a figure of
another machine, or of this one under load, is read by its ratio to that.

By the wall clock this holds all that the machine does beside it, waking up after a gap and a cache that others filled
meanwhile included: the wider the gaps, the more. A process kept "warm" trades in a session of no account until the next
event is there. The rows "by CPU" are the same arrivals in the same line, each event served for the CPU time that it
took when nothing lay between: what would be left on a machine with nothing else to do. No figure leaves out what the
bench itself takes, a few looks at the clock.
"""

from collections.abc import Callable, Sequence
from time import sleep
from typing import NamedTuple

import numpy as np

from ..desk.clock import cpu_s, elapsed_s
from ..domain.market import Quote
from ..execution.board import Board
from ..execution.fast_path import without_pauses
from ..gate.approval import ApprovedPlan
from .console import Console
from .fast_path_load import LEGS, Log, Marks, Sparring, approved_plan, arrivals, in_memory, on_disk, opened, quotes_of
from .gate_timing import NAMES
from .one_line import Served, in_line
from .timing import Row

CALM_PER_S, BUSY_PER_S = 500, 2000
"""Events a second. Two in five make an order."""
CPU_ROUNDS = 5
WARM_UP_FRAC = 0.05
YARDSTICK_STEPS, YARDSTICK_US = 10_000, 500.0
"""A loop of plain Python, and what it takes on a machine like the one that the goals were set for."""
YARDSTICKS = 20
FOLLOWED_TURNS, FOLLOWED_US = 3, 2.0
SPIN_S = 0.0003
"""The last stretch before an arrival is waited for awake: a sleep ends this much too late."""
SPAR_EVERY_S = 0.0001
"""Between two events of no account."""


LEGEND = f"""\
{NAMES} names in one session; events arrive ready or not, and latency counts from there.
warm: kept so by a session of no account that trades in the gaps; checked: the gate has let the order through;
sent: it is in the log, and at the venue's door; an order's end: filled, booked and measured; the log commits in groups;
the yardstick: {YARDSTICK_STEPS:,} steps of a loop
"""


class Taken(NamedTuple):
    """Seconds from arrival: to the checked order and to the venue's door where there was one, and to the end of all."""

    checked_s: list[float]
    sent_s: list[float]
    worked_s: list[float]
    pauses_s: list[float]


def bench_fast_path(console: Console) -> list[Row]:
    """Latency of a session's events in memory and with its log, and what an order costs in CPU time."""
    approved = approved_plan()
    quotes, ordering = quotes_of(range(NAMES)), quotes_of(range(LEGS))
    checked_us, order_us, logged_us, followed_us, yardsticks_us = (list[float]() for _ in range(5))
    with console.progress("fast path"):
        runs = [
            _open_loop(approved, quotes, per_s, log, keeps_warm=keeps_warm)
            for per_s, keeps_warm in ((CALM_PER_S, False), (CALM_PER_S, True), (BUSY_PER_S, True))
            for log in (in_memory, on_disk)
        ]
        lined = _by_cpu(approved, quotes, in_memory, _to_check)
        lined_logged = _by_cpu(approved, quotes, on_disk, _to_door)
        for _ in range(CPU_ROUNDS):
            yardsticks_us += [_yardstick_us() for _ in range(YARDSTICKS)]
            checked_us += _checked_us(approved, ordering)
            order_us.append(_order_us(approved, ordering, in_memory))
            logged_us.append(_order_us(approved, ordering, on_disk))
            followed_us.append(_followed_us(quotes))
    plain, logged, warm_plain, warm_logged, busy_plain, busy_logged = runs
    pauses = [1e6 * s for taken in runs for s in taken.pauses_s] or [0.0]
    console.say(LEGEND)
    return [
        _latency(f"{CALM_PER_S:,}/s cold: checked, in memory", plain.checked_s, 50.0, 500.0),
        _latency(f"{CALM_PER_S:,}/s cold: sent, with log", logged.sent_s, 1000.0, 1000.0),
        _latency(f"{CALM_PER_S:,}/s warm: checked, in memory", warm_plain.checked_s, 50.0, 500.0),
        _latency(f"{CALM_PER_S:,}/s warm: sent, with log", warm_logged.sent_s, 1000.0, 1000.0),
        _latency(f"{BUSY_PER_S:,}/s warm: checked, in memory", busy_plain.checked_s, 50.0, 500.0),
        _latency(f"{BUSY_PER_S:,}/s warm: sent, with log", busy_logged.sent_s, 1000.0, 1000.0),
        _latency(f"{CALM_PER_S:,}/s by CPU: checked, in memory", lined, 50.0, 500.0),
        _latency(f"{CALM_PER_S:,}/s by CPU: sent, with log", lined_logged, 1000.0, 1000.0),
        _latency(f"{CALM_PER_S:,}/s warm: to the end, with log", warm_logged.worked_s, 1000.0, 1000.0),
        _row("garbage collections in the session", pauses, 0.0, 0.0),
        _row("CPU to checked order, in memory", checked_us, 50.0, 500.0),
        _row("CPU per order to its end, in memory", order_us, 100.0),
        _row("CPU per order to its end, with log", logged_us, 100.0),
        _row("CPU per quote of a followed name", followed_us, FOLLOWED_US),
        _row("yardstick of this machine, CPU", yardsticks_us, YARDSTICK_US),
    ]


def _yardstick_us() -> float:
    began, total = cpu_s(), 0
    for step in range(YARDSTICK_STEPS):
        total += step * step
    return 1e6 * (cpu_s() - began)


def _followed_us(quotes: Sequence[Quote]) -> float:
    """What a quote costs the board more when its name is followed; the best of a few turns of each."""
    names = sorted({quote.symbol for quote in quotes})
    plain_s = min(_seen_s(quotes, names, ()) for _ in range(FOLLOWED_TURNS))
    followed_s = min(_seen_s(quotes, names, names) for _ in range(FOLLOWED_TURNS))
    return 1e6 * (followed_s - plain_s) / len(quotes)


def _seen_s(quotes: Sequence[Quote], names: Sequence[str], followed: Sequence[str]) -> float:
    board = Board({}, {}, names, followed)
    with without_pauses():
        began = cpu_s()
        for quote in quotes:
            board.see(quote)
        return cpu_s() - began


def _open_loop(approved: ApprovedPlan, quotes: Sequence[Quote], per_s: float, log: Log, *, keeps_warm: bool) -> Taken:
    taken, marks, warm_up = Taken([], [], [], []), Marks(elapsed_s), WARM_UP_FRAC * len(quotes)
    due_s = arrivals(len(quotes), per_s)
    rounds = int(due_s[-1] / SPAR_EVERY_S / len(quotes)) + 1
    sparring = Sparring(approved, quotes, rounds) if keeps_warm else None
    with log() as emit:
        path = opened(approved, emit, marks)
        with without_pauses(elapsed_s) as pauses:
            began = elapsed_s()
            for place, (quote, arrival) in enumerate(zip(quotes, due_s, strict=True)):
                due = began + arrival
                if sparring is not None:
                    _spar_until(due, sparring)
                else:
                    _wait_until(due)
                marks.begin()
                path.on_quote(quote)
                path.on_timer(quote.ts_event)
                if place >= warm_up:
                    taken.worked_s.append(elapsed_s() - due)
                    if marks.checked_at is not None and marks.sent_at is not None:
                        taken.checked_s.append(marks.checked_at - due)
                        taken.sent_s.append(marks.sent_at - due)
        taken.pauses_s.extend(pauses.taken_s)
        path.close(iter(()))
    return taken


def _to_check(marks: Marks) -> float | None:
    return marks.checked_at


def _to_door(marks: Marks) -> float | None:
    return marks.sent_at


def _by_cpu(
    approved: ApprovedPlan, quotes: Sequence[Quote], log: Log, mark_of: Callable[[Marks], float | None]
) -> list[float]:
    """The latencies at the calm pace if every event took its CPU time and nothing more; the log's thread is charged
    to the event that it runs beside."""
    served, marks = list[Served](), Marks(cpu_s)
    with log() as emit:
        path = opened(approved, emit, marks)
        with without_pauses():
            for quote in quotes:
                marks.begin()
                began = cpu_s()
                path.on_quote(quote)
                path.on_timer(quote.ts_event)
                ended, mark = cpu_s(), mark_of(marks)
                served.append(Served(None if mark is None else mark - began, ended - began))
        path.close(iter(()))
    latencies = in_line(arrivals(len(quotes), CALM_PER_S), served)
    return latencies[int(WARM_UP_FRAC * len(latencies)) :]


def _checked_us(approved: ApprovedPlan, quotes: Sequence[Quote]) -> list[float]:
    """CPU time from event to checked order, one event after the other; every quote is one at which an order is due."""
    checked_us, marks = list[float](), Marks(cpu_s)
    with in_memory() as emit:
        path = opened(approved, emit, marks)
        with without_pauses():
            for quote in quotes:
                marks.begin()
                began = cpu_s()
                path.on_quote(quote)
                path.on_timer(quote.ts_event)
                if marks.checked_at is not None:
                    checked_us.append(1e6 * (marks.checked_at - began))
        path.close(iter(()))
    return checked_us


def _order_us(approved: ApprovedPlan, quotes: Sequence[Quote], log: Log) -> float:
    """CPU time of the whole process for one of these orders, until all of them are stored and the log is closed."""
    with log() as emit:
        path = opened(approved, emit, Marks(lambda: 0.0))
        with without_pauses():
            began = cpu_s()
            for quote in quotes:
                path.on_quote(quote)
                path.on_timer(quote.ts_event)
            spent_s = cpu_s() - began
        orders, began = len(path.close(iter(())).fills), cpu_s()
    return 1e6 * (spent_s + cpu_s() - began) / orders


def _spar_until(due: float, sparring: Sparring) -> None:
    """Nobody knows when the next event comes: one that comes while a step is taken waits for its end."""
    next_at = elapsed_s() + SPAR_EVERY_S
    while (now := elapsed_s()) < due:
        if now >= next_at:
            sparring.step()
            next_at = elapsed_s() + SPAR_EVERY_S


def _wait_until(due: float) -> None:
    # Asleep the log's thread runs; awake nothing is asked of the system, whose answer may take as long as an order.
    if (left := due - elapsed_s()) > SPIN_S:
        sleep(left - SPIN_S)
    while elapsed_s() < due:
        pass


def _latency(name: str, taken_s: Sequence[float], goal_us: float, goal_p99_us: float) -> Row:
    return _row(name, [1e6 * s for s in taken_s], goal_us, goal_p99_us)


def _row(name: str, values_us: Sequence[float], goal_us: float, goal_p99_us: float = float("inf")) -> Row:
    p50, p90, p99, p999 = (float(np.percentile(values_us, level)) for level in (50, 90, 99, 99.9))
    ok = p50 <= goal_us and p99 <= goal_p99_us
    return Row(name, p50, p99, "us", goal_us, ok, p90, p999, float(np.max(values_us)))
