"""A session whose log refuses a write: run as live it ends there, whoever caught the refusal."""

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest
from parley.domain.trading import UNRESTRICTED
from parley.evals.session_walk import SessionWalk
from parley.storage.errors import StoreUnwritable

NOON = datetime(2024, 3, 8, 12, tzinfo=UTC)


def steering(*, is_live: bool) -> Any:
    """What a walk asks of the controls of a log that stands at its head."""
    log = SimpleNamespace(is_rewalking=False, retake=lambda now=None: None)
    controls = SimpleNamespace(states=lambda now: UNRESTRICTED)
    return SimpleNamespace(log=log, controls=controls, halts_restarts=is_live, restarts=0)


def walk(*, is_live: bool) -> tuple[SessionWalk, list[Any]]:
    """Its disk is full for the first write alone."""
    told: list[Any] = []

    def emit(event: Any) -> None:
        told.append(event)
        if len(told) == 1:
            raise StoreUnwritable("the disk is full")

    found = SessionWalk(steering(is_live=is_live), emit, NOON)
    with pytest.raises(StoreUnwritable):
        found.emit("the intent of an order")  # pyright: ignore[reportArgumentType]
    return found, told


def test_run_as_live_nothing_is_told_or_allowed_after_a_refused_write() -> None:
    found, told = walk(is_live=True)

    with pytest.raises(StoreUnwritable, match="the disk is full"):
        found.states(NOON)
    with pytest.raises(StoreUnwritable, match="the disk is full"):
        found.emit("another")  # pyright: ignore[reportArgumentType]
    assert told == ["the intent of an order"]


def test_on_recorded_days_it_goes_on_and_the_gate_says_what_is_refused() -> None:
    found, told = walk(is_live=False)

    assert found.states(NOON) == UNRESTRICTED
    found.emit("another")  # pyright: ignore[reportArgumentType]
    assert told[1:] == ["another"]
