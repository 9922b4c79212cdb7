"""The book of jobs: one claim for each due time, whoever asks, and what a dead process left is found."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from parley.desk.job_book import open_job_book
from parley.storage.errors import StoreLocked, StoreMissing

DUE = datetime(2024, 3, 8, 14, 30, tzinfo=UTC)
RUN = "run-1"


def test_a_due_time_is_claimed_once(tmp_path: Path) -> None:
    with open_job_book(tmp_path, RUN) as jobs:
        assert jobs.claim("trade", DUE, DUE)
        assert not jobs.claim("trade", DUE, DUE + timedelta(minutes=1))
        assert jobs.claim("trade", DUE + timedelta(days=1), DUE)
        assert jobs.claim("decide", DUE, DUE)
        assert not jobs.record("trade", DUE, "missed", DUE, "")


def test_a_claim_that_its_process_did_not_live_to_settle_is_found_by_the_next(tmp_path: Path) -> None:
    with open_job_book(tmp_path, RUN) as jobs:
        jobs.claim("trade", DUE, DUE)
        jobs.claim("decide", DUE, DUE)
        jobs.settle("decide", DUE, "done", DUE + timedelta(minutes=2), "fine")

    with open_job_book(tmp_path, RUN) as jobs:
        (left,) = jobs.claimed()
        assert (left.job, left.due, left.ended) == ("trade", DUE, None)
        done = jobs.row("decide", DUE)
        assert done is not None
        assert (done.state, done.started, done.ended, done.said) == ("done", DUE, DUE + timedelta(minutes=2), "fine")


def test_rows_are_those_of_the_run_the_latest_and_in_order(tmp_path: Path) -> None:
    with open_job_book(tmp_path, "another") as jobs:
        jobs.record("health", DUE, "done", DUE, "able")
    with open_job_book(tmp_path, RUN) as jobs:
        for minute in (10, 0, 5):
            jobs.record("health", DUE + timedelta(minutes=minute), "missed" if minute else "done", DUE, "able")

        assert [row.due.minute for row in jobs.rows()] == [30, 35, 40]
        assert [row.due.minute for row in jobs.rows(2)] == [35, 40]
        assert jobs.rows(job="trade") == ()
        assert jobs.counts() == {"health": {"done": 1, "missed": 2}}
        assert jobs.last_time("health") == DUE + timedelta(minutes=10)
        assert jobs.last_time() == DUE


def test_notes_are_kept_over_processes(tmp_path: Path) -> None:
    with open_job_book(tmp_path, RUN) as jobs:
        assert jobs.noted("fired") is None
        jobs.note("fired", ["a"])
        jobs.note("fired", ["a", "b"])
    with open_job_book(tmp_path, RUN, readonly=True) as jobs:
        assert jobs.noted("fired") == ["a", "b"]


def test_a_second_writer_and_a_book_without_jobs_are_refused(tmp_path: Path) -> None:
    with pytest.raises(StoreMissing), open_job_book(tmp_path, RUN, readonly=True):
        pass
    with open_job_book(tmp_path, RUN), pytest.raises(StoreLocked), open_job_book(tmp_path, RUN):
        pass
