"""The one place that reads the machine's clock: for stamps and durations outside the hashed part of the log."""

from datetime import UTC, datetime
from time import perf_counter, process_time


def wall_time() -> str:
    """Now, in UTC, to the millisecond."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def elapsed_s() -> float:
    """A steadily rising number of seconds, for differences."""
    return perf_counter()


def cpu_s() -> float:
    """CPU seconds of this process, for differences."""
    return process_time()
