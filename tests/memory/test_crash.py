"""Crashes: a kill at any append, a failure of any write; what is left ends at a commit, verifies, and goes on."""

import os
import signal
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import pytest
from parley.memory.history import last_session_boundary, portfolio_at
from parley.memory.verify import verify_log
from parley.storage.errors import StoreUnwritable
from parley.storage.sql import SqliteDatabase, SqlValue

GROUP = 3


class FailingDatabase(SqliteDatabase):
    """A file whose n-th write fails, once; n counts statements, begins and commits alike."""

    fails_at = 0
    writes = 0

    def execute(self, sql: str, values: Sequence[SqlValue] = ()) -> int:
        self._count()
        return super().execute(sql, values)

    def execute_many(self, sql: str, rows: Iterable[Sequence[SqlValue]]) -> None:
        self._count()
        super().execute_many(sql, rows)

    def _count(self) -> None:
        self.writes += 1
        if self.writes == self.fails_at:
            raise StoreUnwritable("the disk had a bad moment")


def _in_a_process_that_dies(work: Callable[[], None]) -> None:
    """Run work in a forked child that is killed by its own hand at the end, without any clean-up."""
    child = os.fork()
    if child == 0:
        try:
            work()
        finally:
            os.kill(os.getpid(), signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    assert os.WTERMSIG(status) == signal.SIGKILL


@pytest.mark.parametrize("last_append", [0, 1, 2, 3, 4, 7, 11, 12, 16])
def test_a_log_killed_at_an_append_reopens_at_its_last_commit(
    story: Any, open_log: Any, log_path: Path, last_append: int
) -> None:
    facts = [story.started(), *story.session(1), *story.session(2)]

    def append_until_killed() -> None:
        log, _ = open_log(log_path)
        with log.batch():
            for index, fact in enumerate(facts):
                log.append([fact])
                if index == last_append:
                    os.kill(os.getpid(), signal.SIGKILL)
                if index % GROUP == GROUP - 1:
                    log.commit()

    _in_a_process_that_dies(append_until_killed)

    kept = last_append // GROUP * GROUP
    report = verify_log(log_path)
    assert report.ok, report
    assert report.events == kept
    log, views = open_log(log_path)
    log.rewind(last_session_boundary(log))
    log.append(facts[log.head()[0] :])
    assert log.head()[0] == len(facts)
    assert views.portfolio() == portfolio_at(log, len(facts))
    log.close()
    assert verify_log(log_path).ok


def test_a_kill_loses_no_event_of_a_finished_append(story: Any, open_log: Any, log_path: Path) -> None:
    def append_and_die() -> None:
        log, _ = open_log(log_path)
        log.append([story.started()])
        log.append(story.session(1))
        os.kill(os.getpid(), signal.SIGKILL)

    _in_a_process_that_dies(append_and_die)

    assert verify_log(log_path).events == 9


def test_whichever_write_fails_the_log_is_at_a_commit_and_goes_on(
    story: Any, open_log: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("parley.storage.sql.SqliteDatabase", FailingDatabase)
    appends = [[story.started()], story.session(1)[:4], story.session(1)[4:]]
    fails_at, failures = 0, 0

    while failures == fails_at:
        fails_at += 1
        path = tmp_path / f"{fails_at}.db"
        log, _ = open_log(path)
        database = log._database
        database.writes, database.fails_at = 0, fails_at
        done = 0
        for facts in appends:
            try:
                log.append(facts)
            except StoreUnwritable:
                failures += 1
                assert log.head()[0] == done
                log.append(facts)
            done += len(facts)
            assert log.head()[0] == done
        log.close()
        assert verify_log(path).ok
        assert verify_log(path).events == 9

    # Every write of the three appends has failed once; the last round had no write left to fail.
    assert failures > 30
