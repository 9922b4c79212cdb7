"""The one place that reads the machine's clock: for stamps and durations outside the hashed part of the log."""

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from time import perf_counter, process_time, time, time_ns

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def wall_time() -> str:
    """Now, in UTC, to the millisecond."""
    return _told(time_ns() // 1_000_000)


def wall_now() -> datetime:
    """The same as a moment: what a person's clock shows, for what is dated by it."""
    return EPOCH + timedelta(milliseconds=time_ns() // 1_000_000)


@lru_cache(maxsize=1)
def _told(now_ms: int) -> str:
    """One text for all that happens within a millisecond: an order makes three events in a third of one."""
    return (EPOCH + timedelta(milliseconds=now_ms)).isoformat(timespec="milliseconds")


def wall_s() -> float:
    """Now, in seconds since 1970: what a clock of the market is tied to."""
    return time()


def elapsed_s() -> float:
    """A steadily rising number of seconds, for differences."""
    return perf_counter()


def cpu_s() -> float:
    """CPU seconds of this process, for differences."""
    return process_time()


def file_age_s(path: Path) -> float | None:
    """Seconds since a file was last written; None when it is not there."""
    try:
        return max(time() - path.stat().st_mtime, 0.0)
    except FileNotFoundError:
        return None
