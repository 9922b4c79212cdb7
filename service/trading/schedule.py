"""The jobs of a trading day: when each is due, how late it may be, and what is done about what was missed."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Literal

from ...market.errors import JobTimeInvalid
from ...market.job_times import Edge, Every, JobTime, parse_job_time
from .errors import JobInvalid

CatchUp = Literal["none", "latest"]
Kind = Literal["trade", "decide", "preflight", "health", "verify"]


@dataclass(frozen=True, slots=True)
class Job:
    """One kind of work and its times.

    Late by up to `grace` it runs once, as late; beyond that it is missed, and says so. With catch-up `latest` the
    newest of several missed times is made up for; with `none` nothing is.
    """

    kind: Kind
    when: JobTime
    grace: timedelta
    catch_up: CatchUp
    what: str

    @property
    def is_step(self) -> bool:
        """Whether it is a part of the day loop, which follows its own order."""
        return self.kind in ("trade", "decide")


USUAL: tuple[Job, ...] = (
    Job(
        "preflight",
        Edge("open", -timedelta(minutes=30)),
        timedelta(minutes=30),
        "none",
        "the checks of an open, early enough for a person to do something",
    ),
    Job("trade", Edge("open"), timedelta(hours=1), "none", "work the plan of the close before, to the close"),
    Job("health", Every(timedelta(minutes=5)), timedelta(minutes=5), "none", "can the desk act safely now"),
    Job("decide", Edge("close"), timedelta(hours=16), "latest", "decide on the session that closed"),
    Job("verify", Edge("close", timedelta(hours=1)), timedelta(hours=12), "latest", "walk what the log has gained"),
)
"""In the order in which they are done when they are due at one time. The decision's grace ends with the next open."""

DAILY = "the desk decides on daily closes"


def parse_jobs(text: str | None) -> tuple[Job, ...]:
    """The usual jobs, with other times where `kind=time` says so: `decide=close+15m,health=every 1m in session`."""
    pairs = [_pair(part) for part in (text or "").split(",") if part.strip()]
    named = [kind for kind, _ in pairs]
    if twice := sorted({kind for kind in named if named.count(kind) > 1}):
        raise JobInvalid(f"job {', '.join(twice)} is named twice", remedy="Give each job one time.")
    return with_times(dict(pairs))


def with_times(asked: Mapping[str, str]) -> tuple[Job, ...]:
    """Raises JobInvalid for a kind that is not in the table, or a time at which it cannot be done."""
    known = {job.kind for job in USUAL}
    if unknown := sorted(set(asked) - known):
        raise JobInvalid(f"no job is called {', '.join(unknown)}", remedy=f"Name one of: {', '.join(sorted(known))}.")
    return tuple(_timed(job, asked[job.kind]) if job.kind in asked else job for job in USUAL)


def _pair(part: str) -> tuple[str, str]:
    kind, equals, when = part.partition("=")
    if not equals:
        raise JobInvalid(f"{part.strip()!r} is no job", remedy="Write kind=time, such as decide=close+15m.")
    return kind.strip(), when.strip()


def _timed(job: Job, text: str) -> Job:
    try:
        when = parse_job_time(text)
    except JobTimeInvalid as error:
        raise JobInvalid(f"job {job.kind}: {error.message}", remedy=error.remedy) from error
    if job.kind == "trade" and when != Edge("open"):
        raise JobInvalid(
            f"job trade at {when}: a session is worked from its open to its close",
            remedy="Leave it at open; slices, algorithms and limits say how an order is spread over the session.",
        )
    if job.kind == "decide" and not _is_after_close(when):
        raise JobInvalid(
            f"job decide at {when}: {DAILY}, and within the session the newest one is yesterday's",
            remedy="Use close, or up to 8 hours after it, such as close+15m.",
        )
    if job.kind == "health" and not isinstance(when, Every):
        raise JobInvalid(f"job health at {when}: uptime is counted by it", remedy="Use every 5m in session.")
    grace = when.step if job.kind == "health" and isinstance(when, Every) else job.grace
    return replace(job, when=when, grace=grace)


def _is_after_close(when: JobTime) -> bool:
    return isinstance(when, Edge) and when.base == "close" and when.offset >= timedelta(0)
