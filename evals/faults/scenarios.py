"""The named scenarios: which faults belong together, how they are drawn, which rows of the fault list they cover."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ..errors import FaultUnknown
from .faults import KINDS, MOMENTS, Fault, draw_faults
from .files import CUTS
from .files import KINDS as FILE_KINDS
from .recall import RECALL_KINDS
from .versions import LOG_KINDS, PROGRAM

TRADING_SESSIONS = 2
STOP_SESSIONS = 3
"""To buy, to hold, and to go on after a halt."""
SOAK_SESSIONS = 30
ENUMERATED_WORLD = 7
"""The one world in which places are enumerated: then every n of it has been tried."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """What goes wrong together. `enumerated` tries one fault at place 0, 1, 2, ... instead of drawing several;
    with `calms` the faults stop half way, and the desk has to recover; `always` is a kind that is never missing.
    `weight` is its share of a mixed run; a scenario without one runs only when it is asked for."""

    name: str
    text: str
    rows: tuple[int, ...]
    kinds: tuple[str, ...]
    most: int = 3
    weight: int = 1
    enumerated: bool = False
    calms: bool = False
    always: str = ""
    sessions: int = TRADING_SESSIONS
    remembers: bool = False
    """Its desk writes lessons and is shown them."""
    rests: bool = False
    """Its desk has its stops at the venue."""


@dataclass(frozen=True, slots=True)
class Case:
    """One run of the laboratory: all it takes to make it again."""

    scenario: str
    world_seed: int
    sessions: int
    faults: tuple[Fault, ...]


_CRASHES = ("crash_before_commit", "crash_after_commit", "record_torn")
_SENDS = ("crash_before_send", "crash_after_send", "crash_before_cancel")
_ACKS = ("ack_lost", "send_lost", "ack_twice", "ack_last", "ack_late")
_BLIND = ("queries_fail", "ack_lost", "send_lost", "fill_lost", "fill_late", "cancel_lost")
_FILLS = ("fill_twice", "fill_late", "fill_lost", "fill_busted")
_CANCELS = ("cancel_refused", "cancel_lost", "cancel_raced", "fill_late", "ack_late")
_REFUSALS = ("rejects_all", "throttles", "session_ends")
_BAD = ("feed_crossed", "feed_locked", "feed_zero", "feed_negative", "feed_spike")
_MODEL = tuple(name for name, rule in KINDS.items() if rule.port == "model" and name != "model_slow")
_DISK = ("disk_full", "disk_readonly", "disk_locked", "fsync_failed")
_CLOCK = tuple(name for name, rule in KINDS.items() if rule.port == "clock")
_NTH = ("send_lost", "ack_lost", "cancel_lost", "fill_lost", "model_500")
_GAPS = ("feed_gap", "feed_stale", "symbol_halted", "symbol_split")
_VERSIONS = (*LOG_KINDS, PROGRAM)
_TOOLS = tuple(name for name, rule in KINDS.items() if rule.port == "tools")
_LEFT = ("order_outlives", "cancel_refused", "cancel_lost", "fill_late", "crash_at_moment", "model_slow")
_STOPS = (
    *_SENDS,
    *("crash_after_commit", "crash_at_moment", "stops_lost", "stops_traded", "price_shock", "kill_in_session"),
    *("send_lost", "ack_lost", "cancel_lost", "cancel_refused", "cancel_raced", "fill_late"),
    *("operator_halts", "operator_reduces"),
)
_ANYTHING = tuple(name for name in KINDS if not name.startswith("stops_"))
"""In a world in which no stops rest at the venue."""
_OPERATOR = tuple(name for name, rule in KINDS.items() if rule.port == "operator" and not name.startswith("kill"))

SCENARIOS: tuple[Scenario, ...] = (
    Scenario("calm", "nothing goes wrong", (), ()),
    Scenario("crash_points", "one crash at every commit in turn", (1, 26), _CRASHES, weight=6, enumerated=True),
    Scenario("send_points", "one crash around every send and cancel", (2, 26), _SENDS, weight=3, enumerated=True),
    Scenario(
        "crashes", "several crashes anywhere, some with time away", (1, 2), (*_CRASHES, *_SENDS, "crash_at_moment")
    ),
    Scenario("acks", "acknowledgements lost, late, twice, behind the fill", (3,), _ACKS, weight=2),
    Scenario("fills", "executions repeated, reordered, late, lost, taken back", (4,), (*_FILLS, "ack_last"), weight=2),
    Scenario("unknown_fills", "executions of orders that were never sent", (4,), ("fill_unknown", *_FILLS)),
    Scenario("outages", "the line is down while orders fill", (5,), ("disconnects", "ack_lost", "fill_late"), weight=2),
    Scenario("blind", "answers are lost while the venue can't be asked", (3, 5), _BLIND, most=4, weight=2),
    Scenario("cancels", "cancels refused, unanswered, racing with fills", (6,), _CANCELS, weight=2),
    Scenario("refusals", "rejects, pacing, an early close", (7,), _REFUSALS),
    Scenario("positions", "the venue starts with other shares than the book", (8,), ("positions_differ",), most=1),
    Scenario("clock", "the clock jumps or stands still", (9,), _CLOCK, most=2),
    Scenario("bad_quotes", "crossed, locked, zero, negative and tenfold prices", (10,), _BAD, weight=2),
    Scenario("missing_quotes", "gaps, old quotes, halts, splits", (10,), _GAPS),
    Scenario("bursts", "a hundred quotes at once", (11,), ("feed_burst",)),
    Scenario("model", "timeouts, errors and nonsense from the model", (12,), _MODEL, most=6),
    Scenario(
        "slow_model", "the decision comes when the session runs already, or is over", (13,), ("model_slow",), most=1
    ),
    Scenario("disk_points", "the n-th write fails, for every n in turn", (14, 26), _DISK, weight=5, enumerated=True),
    Scenario("disk", "writes that fail in a row, and commits that do", (14,), _DISK, weight=2),
    Scenario("torn", "the log's last record is torn in the crash", (15,), ("record_torn",)),
    Scenario("two_processes", "a second process on the same book", (16,), ("second_instance", "crash_at_moment")),
    Scenario(
        "operator",
        "a person halts or restricts while orders work",
        (20,),
        (*_OPERATOR, "cancel_refused", "ack_lost"),
        weight=2,
    ),
    Scenario(
        "breaker",
        "prices fall, and the daily loss breaker has to hold",
        (21,),
        ("price_shock",),
        most=2,
        weight=2,
    ),
    Scenario(
        "left_orders",
        "orders outlive their plan at the venue, and a person lets the next day begin",
        (6,),
        _LEFT,
        most=5,
        weight=3,
        always=_LEFT[0],
    ),
    Scenario(
        "stop_points",
        "one crash around every send and cancel of a desk whose stops rest at the venue",
        (2, 26),
        _SENDS,
        weight=3,
        enumerated=True,
        sessions=STOP_SESSIONS,
        rests=True,
    ),
    Scenario(
        "stops",
        "stops at the venue are lost, fill while nobody is there, stand in halts, and are placed again",
        (1, 2, 5, 6, 20, 23),
        _STOPS,
        most=4,
        weight=4,
        sessions=STOP_SESSIONS,
        rests=True,
    ),
    Scenario(
        "file_points", "settings or limits change under the desk", (19, 26), FILE_KINDS, weight=3, enumerated=True
    ),
    Scenario(
        "changed_files",
        "changed files among crashes",
        (19,),
        (*FILE_KINDS, "crash_after_commit", "crash_after_send"),
        most=4,
    ),
    Scenario(
        "vector_store",
        "the index of lessons is gone, damaged or empty after a crash",
        (18,),
        RECALL_KINDS,
        sessions=4,
        remembers=True,
    ),
    Scenario("tools", "estimates and figures that fail, starve, or take too long", (22,), _TOOLS, most=4, weight=2),
    Scenario(
        "kill_points",
        "the flag goes up at each moment, and the log takes nothing any more",
        (23, 26),
        ("kill_in_session",),
        weight=2,
        enumerated=True,
    ),
    Scenario(
        "kill",
        "the flag goes up while log and model are down and orders go astray",
        (23,),
        ("kill_in_session", "kill_in_model", "cancel_refused", "ack_lost", "queries_fail"),
        most=4,
    ),
    Scenario("version_points", "another version was here", (24, 26), _VERSIONS, weight=2, enumerated=True),
    Scenario("checkpoints", "a decision's checkpoint is of another version", (24,), ("checkpoint_other",), most=2),
    Scenario("drain_points", "asked to end while it trades", (25, 26), ("asked_to_end",), weight=2, enumerated=True),
    Scenario("drains", "asked to end, in a decision too", (25,), ("asked_in_model", "asked_to_end"), most=3),
    Scenario("call_points", "each port's n-th call fails, for every n in turn", (26,), _NTH, weight=4, enumerated=True),
    Scenario("mixed", "anything, anywhere", (27,), _ANYTHING, most=8, weight=4),
    Scenario("recovery", "anything in the first half, then calm", (27,), _ANYTHING, most=8, weight=4, calms=True),
    Scenario(
        "soak",
        "thirty sessions with a fault now and then",
        (28,),
        (*_ACKS, *_FILLS, "crash_after_commit"),
        most=6,
        weight=0,
        sessions=SOAK_SESSIONS,
    ),
)

BY_NAME: Mapping[str, Scenario] = {scenario.name: scenario for scenario in SCENARIOS}

NOT_COVERED: Mapping[int, str] = {
    17: "the desk has no message bus yet: everything is called in one process",
}
"""Rows of the fault list that no scenario covers, and who does."""

ROWS: Mapping[int, str] = {
    1: "kill before and after every node and append",
    2: "kill between append and send, and between send and ack",
    3: "ack lost, twice, after the fill; fill before the ack",
    4: "fill duplicated, reordered, corrected, for an unknown order",
    5: "partial fill, then a disconnect; fills at the reconnect",
    6: "cancel and fill race; cancel rejected",
    7: "venue rejects all, throttles; session ends in mid-order",
    8: "venue positions differ at the start",
    9: "clock an hour off either way, frozen",
    10: "stale feed, gap, crossed, locked, zero, negative, spike, halt, split",
    11: "feed burst",
    12: "model times out, errors, or answers nonsense",
    13: "model slow: the order's deadline passes",
    14: "database down, locked, disk full, read-only, fsync error",
    15: "torn last record",
    16: "two instances at once",
    17: "message bus duplicates, reorders, drops, delays",
    18: "vector store missing, corrupt, empty",
    19: "settings changed on disk, unknown key, NaN limit",
    20: "operator halts in mid-run",
    21: "breaker trips while orders work",
    22: "out of memory, infeasible optimizer, bad covariance",
    23: "kill switch with database, web and model down",
    24: "old log with new code",
    25: "SIGTERM in market hours",
    26: "the n-th call fails, over all ports",
    27: "random seeds of mixed faults, and liveness",
    28: "soak of thirty days in one process",
}


def scenario_named(name: str) -> Scenario:
    found = BY_NAME.get(name)
    if found is None:
        raise FaultUnknown(f"there is no scenario {name!r}", remedy=f"Use one of: {', '.join(BY_NAME)}.")
    return found


def remembers(case: Case) -> bool:
    """Whether the desk of a case has a memory."""
    return case.scenario in BY_NAME and BY_NAME[case.scenario].remembers


def has_stops(case: Case) -> bool:
    """Whether the desk of a case has its stops at the venue."""
    return case.scenario in BY_NAME and BY_NAME[case.scenario].rests


def mixed_order() -> tuple[Scenario, ...]:
    """One round of a mixed run: every scenario as often as its weight says, spread out."""
    weights = [(scenario, turn / scenario.weight) for scenario in SCENARIOS for turn in range(scenario.weight)]
    return tuple(scenario for scenario, _ in sorted(weights, key=lambda item: item[1]))


def case_of_seed(seed: int, only: Scenario | None = None) -> Case:
    """The case of a seed: in a mixed run the seed also chooses the scenario."""
    if only is not None:
        return make_case(only, seed, seed)
    order = mixed_order()
    scenario = order[seed % len(order)]
    earlier = sum(item is scenario for item in order[: seed % len(order)])
    return make_case(scenario, seed, (seed // len(order)) * scenario.weight + earlier)


def make_case(scenario: Scenario, seed: int, turn: int) -> Case:
    """The scenario's case for a seed; `turn` counts its cases, for those that enumerate places."""
    kinds = scenario.kinds
    if scenario.enumerated:
        kind = kinds[turn % len(kinds)]
        place, size = turn // len(kinds), 1 + turn % KINDS[kind].max_size if kind == "record_torn" else 1
        fault = Fault(kind, place, size, place % CUTS if kind == "settings_cut" else 0)
        return Case(scenario.name, ENUMERATED_WORLD, scenario.sessions, (fault,))
    rng = np.random.default_rng([seed, 3])
    calm_after = scenario.sessions * MOMENTS // (2 if scenario.calms else 1)
    count = 1 + int(rng.integers(scenario.most)) if kinds else 0
    faults = draw_faults(rng, kinds, count, calm_after=calm_after)
    if scenario.always and all(fault.kind != scenario.always for fault in faults):
        faults = tuple(sorted((*faults, *draw_faults(rng, (scenario.always,), 1, calm_after=calm_after))))
    return Case(scenario.name, seed, scenario.sessions, faults)
