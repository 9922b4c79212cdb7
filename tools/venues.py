"""Where a run's shares were traded: each venue's fills, price, fees and speed; and where a child was sent, and why."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from statistics import median

from ..domain.decisions import Evidence
from ..domain.events import ChildClosed, ChildSubmitted, EvidenceRecorded, FillBusted, OrderFilled
from ..domain.orders import ChildOrder, Fill
from ..memory.log import EventLog
from ..memory.sent_orders import rests
from .ledger import Ledger, figure

ROUTED_FROM = (ChildSubmitted, EvidenceRecorded, OrderFilled, FillBusted, ChildClosed)
"""The facts that say where a child was sent and what came of it, in the types the log is asked for."""


def routing_choice(
    ledger: Ledger, child: ChildOrder, touch: Decimal, rule: str, slices: Mapping[str, int], split: Mapping[str, int]
) -> Evidence:
    """Where a child goes: shares by venue, the best opposite price it was spread at, and how many slices each
    venue's record stands on."""
    inputs = {"child": child.client_order_id, "quantity": child.quantity, "rule": rule, "slices": {**slices}}
    output = {"child": child.client_order_id, "touch": f"{touch:f}", "rule": rule, "split": {**split}}
    return ledger.record("routing", 1, "shares", inputs, output)


def routed_split(entry: Evidence) -> tuple[str, Decimal, dict[str, int]] | None:
    """The child, the touch and the shares by venue of a `routing_choice`; None for any other entry."""
    if entry.tool != "routing" or not isinstance(entry.output, dict):
        return None
    split = entry.output["split"]
    assert isinstance(split, dict), "as routing_choice writes it"
    shares = {name: int(str(count)) for name, count in split.items()}
    return str(entry.output["child"]), Decimal(str(entry.output["touch"])), shares


MADE_FROM = {"T0": "bars", "T1": "quotes", "T2": "depth"}
"""What the fills of a tier of fidelity were matched against."""


@dataclass(slots=True)
class _Venue:
    """Sums over one venue's executions that stand."""

    sent: int = 0
    fills: list[Fill] = field(default_factory=list)
    waits_s: list[float] = field(default_factory=list)


def venue_performance(ledger: Ledger, run: Mapping[str, str], log: EventLog) -> tuple[str, dict[str, object]]:
    """Each venue of a run: fills, fill ratio, effective spread, what was paid past the touch, fees, time to fill.

    Costs are in bps of the value traded, positive when money was paid. The effective spread is twice the distance
    of the price from the mid at the fill; the time is from the child's making to its executions, by the venue's
    clock. A child that was not spread counts as sent to the one venue that filled it, or to nobody known.
    """
    venues = _by_venue(log)
    output: dict[str, object] = {"venues": {name: _row(venues[name]) for name in sorted(venues)}}
    return ledger.record("venue_performance", 1, "bps, fractions, seconds", {**run}, output).id, output


def _by_venue(log: EventLog) -> dict[str, _Venue]:
    children: dict[str, ChildOrder] = {}
    splits: dict[str, dict[str, int]] = {}
    fills: dict[str, Fill] = {}
    for event in log.read(types=ROUTED_FROM):
        payload = event.decoded()
        match payload:
            case ChildSubmitted():
                children[payload.child.client_order_id] = payload.child
            case EvidenceRecorded():
                splits |= {found[0]: found[2] for entry in payload.entries if (found := routed_split(entry))}
            case OrderFilled():
                fills.setdefault(payload.fill.execution_id, payload.fill)
            case FillBusted():
                fills.pop(payload.execution_id, None)
            case _:
                pass
    return _summed(children, splits, fills.values())


def _summed(
    children: Mapping[str, ChildOrder], splits: Mapping[str, Mapping[str, int]], fills: Iterable[Fill]
) -> dict[str, _Venue]:
    venues: dict[str, _Venue] = defaultdict(_Venue)
    met: dict[str, str] = {}
    for fill in fills:
        venue, child = venues[fill.venue], children.get(fill.client_order_id)
        venue.fills.append(fill)
        met.setdefault(fill.client_order_id, fill.venue)
        if child is not None and rests(child):
            venue.sent += fill.quantity  # It waited for its price, and not for the venue.
        elif child is not None:
            venue.waits_s.append(_seconds(child.created_at, fill.ts_event))
    for name, child in children.items():
        if rests(child):
            continue
        only = {met[name]: child.quantity} if name in met else {}
        for place, shares in splits.get(name, only).items():
            venues[place].sent += shares
    return venues


def _seconds(start: datetime, end: datetime) -> float:
    return (end - start).total_seconds()


def _row(venue: _Venue) -> dict[str, object]:
    shares = sum(fill.quantity for fill in venue.fills)
    value = sum((fill.notional for fill in venue.fills), Decimal(0))
    fees = sum((fill.fee for fill in venue.fills), Decimal(0))
    row: dict[str, object] = {
        "fills": len(venue.fills),
        "sent": venue.sent,
        "filled": shares,
        "value": f"{value:f}",
        "fees": f"{fees:f}",
        "made_from": _counted([MADE_FROM[fill.tier] for fill in venue.fills]),
        "synthetic": sum(fill.synthetic for fill in venue.fills),
    }
    if not venue.fills:
        return row
    from_mid = sum((fill.side.sign * (fill.price - fill.mid_price) * fill.quantity for fill in venue.fills), Decimal(0))
    past = sum((fill.side.sign * (fill.price - fill.touch_price) * fill.quantity for fill in venue.fills), Decimal(0))
    return row | {
        "fill_frac": figure(shares / venue.sent),
        "effective_spread_bps": figure(float(2 * from_mid / value) * 1e4),
        "past_touch_bps": figure(float(past / value) * 1e4),
        "fee_bps": figure(float(fees / value) * 1e4),
        "median_wait_s": figure(median(venue.waits_s)) if venue.waits_s else 0.0,
        "longest_wait_s": figure(max(venue.waits_s, default=0.0)),
    }


def _counted(names: Sequence[str]) -> dict[str, int]:
    return {name: names.count(name) for name in sorted(set(names))}
