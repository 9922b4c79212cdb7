"""Walks the wiring without a framework: for models whose answers need no checkpoint, a fifth of a decision is saved."""

from collections.abc import Sequence
from typing import Annotated, Any, cast, get_origin, get_type_hints

from .state import DeskState
from .wiring import FIRST, Choice, Wiring


async def walk(wiring: Wiring, begin: DeskState) -> DeskState:
    """The state at the end of a pass: the same steps in the same order, on the same states, as LangGraph takes them."""
    state: dict[str, Any] = {name: [] for name in GROWING} | dict(begin)
    due: Sequence[str] = (FIRST,)
    while due:
        before = cast(DeskState, state)
        # Written in the order of their names, as LangGraph does, whoever was done first.
        written = [cast("dict[str, Any]", await wiring.steps[name](before)) for name in sorted(due)]
        state = dict(state)
        for part in written:
            for name, value in part.items():
                state[name] = [*state[name], *value] if name in GROWING else value
        due = await _next(wiring, due, cast(DeskState, state))
    return cast(DeskState, state)


async def _next(wiring: Wiring, done: Sequence[str], state: DeskState) -> list[str]:
    """Each once: steps that ran side by side lead to one and the same."""
    found: dict[str, None] = {}
    for name in done:
        way = wiring.ways[name]
        names = await way.choose(state) if isinstance(way, Choice) else [] if way is None else [way]
        found |= dict.fromkeys(names)
    return list(found)


def _growing() -> frozenset[str]:
    """The lists of the state that have a reducer: each step adds to them."""
    hints = get_type_hints(DeskState, include_extras=True)
    return frozenset(name for name, hint in hints.items() if get_origin(hint) is Annotated)


GROWING = _growing()
