"""The order of instruments, and of columns, is an accident of a file: decisions may not depend on it."""

from dataclasses import replace

import numpy as np

from ...domain.decisions import Decision
from ...domain.events import DecisionMade, Event
from ...domain.instruments import Universe
from ...market.cards import DataSet
from ...market.panel import BAR_FIELDS
from .finding import Finding, Ground, caught, clean
from .playing import Rig, play

WEIGHT_TOLERANCE = 1e-9
"""Sums in another order differ in their last bits; weights do not in anything that can be traded."""


def order_probe(here: Ground, rig: Rig) -> Finding:
    """Every decision up to the cut: its kind, orders to the share, and weights, with the columns turned around."""
    usual = _decided(play(here.data, here.days, here.cut, rig))
    turned = _decided(play(reordered(here.data), here.days, here.cut, rig))
    if len(usual) != len(turned):
        return caught(f"{len(usual)} decisions, and {len(turned)} in another order", len(usual))
    for one, other in zip(usual, turned, strict=True):
        fault = _difference(one, other)
        if fault:
            return caught(f"{one.snapshot.session}: {fault}", len(usual))
    return clean("the same orders and weights in another order of names", len(usual))


def reordered(data: DataSet) -> DataSet:
    """The same data with the last name first."""
    panel = data.panel
    place = np.arange(len(panel.symbols))[::-1]
    fields = {name: getattr(panel, name) for name in ("close", *BAR_FIELDS)}
    columns = {name: None if values is None else values[:, place] for name, values in fields.items()}
    universe = Universe(
        name=data.universe.name,
        instruments=tuple(data.universe.instruments[column] for column in place.tolist()),
        benchmark=data.universe.benchmark,
    )
    symbols = tuple(panel.symbols[column] for column in place.tolist())
    return replace(data, panel=replace(panel, symbols=symbols, **columns), universe=universe)


def _decided(events: tuple[Event, ...]) -> list[Decision]:
    payloads = (event.decoded() for event in events if event.type == DecisionMade.__name__)
    return [payload.decision for payload in payloads if isinstance(payload, DecisionMade)]


def _difference(one: Decision, other: Decision) -> str:
    if one.kind != other.kind:
        return f"{one.kind} became {other.kind}"
    if _legs(one) != _legs(other):
        symbol = next(symbol for symbol, _ in sorted(set(_legs(one).items()) ^ set(_legs(other).items())))
        return f"{symbol}: {_legs(one).get(symbol)} became {_legs(other).get(symbol)}"
    before, after = (item.targets.weights if item.targets else {} for item in (one, other))
    moved = [
        name
        for name in sorted({*before, *after})
        if abs(before.get(name, 0.0) - after.get(name, 0.0)) > WEIGHT_TOLERANCE
    ]
    return f"the weight of {moved[0]} moved" if moved else ""


def _legs(decision: Decision) -> dict[str, int]:
    return {} if decision.plan is None else {leg.symbol: leg.side.sign * leg.quantity for leg in decision.plan.legs}
