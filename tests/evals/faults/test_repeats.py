"""I9 over runs whose log refused writes: equal before the first, equal again from the close after the last."""

from typing import Any, cast

import pytest
from parley.evals.faults.faults import Fault
from parley.evals.faults.scenarios import Case
from parley.evals.faults.stage import Stage
from parley.evals.faults.suite import run_case
from parley.execution.recorder import Recorder
from parley.storage.errors import StoreError


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["disk_full", "disk_readonly", "disk_locked", "fsync_failed"])
def test_refused_writes_change_nothing_before_the_first_and_nothing_after_the_last_close(kind: str) -> None:
    for place in (3, 60):
        found = run_case(Case("named", 7, 2, (Fault(kind, place, 3),)))

        assert found.ok, found.violations


def test_a_log_that_is_distrusted_into_the_next_session_breaks_i9(monkeypatch: pytest.MonkeyPatch) -> None:
    """The session that met the refusal is compared with none; the next one is, and there the bug shows."""
    tell = Recorder._tell
    sick = list[Stage]()

    def telling(self: Recorder, event: Any) -> None:
        life = cast(Any, self.emit).__self__
        try:
            tell(self, event)
        except StoreError:
            sick.append(life._stage)
            raise
        self.health.is_writable = life._stage not in sick

    monkeypatch.setattr(Recorder, "_tell", telling)

    found = run_case(Case("named", 7, 2, (Fault("fsync_failed", 60),)))

    assert {item.invariant for item in found.violations} == {"I9"}


def test_a_run_that_differs_before_anything_struck_breaks_i9(monkeypatch: pytest.MonkeyPatch) -> None:
    """A world whose market opens otherwise as soon as a fault is on the list, long before it strikes."""
    starts_at = Stage.starts_at
    monkeypatch.setattr(Stage, "starts_at", lambda self, feed: starts_at(self, feed) + len(self.schedule.faults))

    found = run_case(Case("named", 7, 2, (Fault("fsync_failed", 90),)))

    assert {item.invariant for item in found.violations} == {"I9"}
    assert "no fault had struck yet" in found.violations[0].text
