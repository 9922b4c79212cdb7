"""Folds over a log that go on where they stopped, so that a longer log costs only what was added to it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import reduce
from threading import Lock
from typing import Any, Generic, TypeVar, cast, overload

from ...domain.events import Event, Payload
from ...memory.stored_events import StoredEvents

State = TypeVar("State")
Item = TypeVar("Item")
PLACES_KEPT = 2
"""The newest place of a fold and the one before, for a question that began before the log grew."""


class Gathered(Sequence[Item]):
    """Items in the order they came. One that grew out of another shares its items, so that adding one copies none."""

    def __init__(self, items: list[Item] | None = None) -> None:
        self._items: list[Item] = [] if items is None else items
        self._count = len(self._items)

    def with_item(self, item: Item) -> "Gathered[Item]":
        """These and one more; these stay as they are."""
        # Another one may have grown out of this already: then the way parts here.
        items = self._items if len(self._items) == self._count else self._items[: self._count]
        items.append(item)
        return Gathered(items)

    def __len__(self) -> int:
        return self._count

    @overload
    def __getitem__(self, place: int) -> Item: ...
    @overload
    def __getitem__(self, place: slice) -> list[Item]: ...
    def __getitem__(self, place: int | slice) -> Item | list[Item]:
        if isinstance(place, slice):
            return [self._items[index] for index in range(*place.indices(self._count))]
        return self._items[range(self._count)[place]]


@dataclass(frozen=True, slots=True)
class _Place:
    """A fold as far as one event, by the event's hash."""

    seq: int
    hash: str
    state: Any


@dataclass(slots=True)
class _Fold:
    lock: Lock = field(default_factory=Lock)
    places: tuple[_Place, ...] = ()


class Onward(Generic[State]):
    """The newest result of a work that goes on from the one before; `step` checks that it may."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._newest: State | None = None

    def next(self, step: Callable[[State | None], State]) -> State:
        with self._lock:
            self._newest = newest = step(self._newest)
            return newest


class Grown:
    """The folds of one book, by name; two that ask at once fold once. No state is changed: `add` gives a new one."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._folds: dict[str, _Fold] = {}

    def state(
        self,
        name: str,
        stored: StoredEvents,
        stop: int,
        types: Sequence[type[Payload]],
        begin: State,
        add: Callable[[State, Event], State],
    ) -> State:
        """The fold of all events of some kinds, of every kind without types, up to a place."""

        def step(state: State, after: int) -> State:
            return reduce(add, stored.read(after, stop, None, types, None, None), state)

        return self.onward(name, stored, stop, lambda: step(begin, 0), step)

    def onward(
        self,
        name: str,
        stored: StoredEvents,
        stop: int,
        whole: Callable[[], State],
        step: Callable[[State, int], State],
    ) -> State:
        """What is known of a log up to a place: `step` goes on from an earlier state and the place it was of, `whole`
        makes it where there is none."""
        with self._lock:
            fold = self._folds.setdefault(name, _Fold())
        with fold.lock:
            known = _known(fold.places, stored, stop)
            if known is not None and known.seq == stop:
                return cast(State, known.state)
            state = whole() if known is None else step(cast(State, known.state), known.seq)
            kept = fold.places if known else ()
            fold.places = (*kept, _Place(stop, stored.hash_at(stop), state))[-PLACES_KEPT:]
            return state


def _known(places: Sequence[_Place], stored: StoredEvents, stop: int) -> _Place | None:
    """The newest place that this log has as well; none of a log that was begun again."""
    return next(
        (place for place in reversed(places) if place.seq <= stop and stored.hash_at(place.seq) == place.hash), None
    )
