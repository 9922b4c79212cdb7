"""The one place that reads the machine's clock: for stamps and durations outside the hashed part of the log."""

from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter, process_time, time


def wall_time() -> str:
    """Now, in UTC, to the millisecond."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


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
