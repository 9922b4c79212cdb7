"""Who is told, and when: a table of severity and minutes without an answer, and nothing else."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from .rules import Severity

ChannelKind = Literal["log", "web", "webhook", "email", "sms", "everyone"]
"""`log` is a file, `web` the alert book itself; `everyone` is a list of its own, for when nobody answers."""


@dataclass(frozen=True, slots=True)
class Rung:
    """From so long without an answer on, these are told as well."""

    severity: Severity
    after: timedelta
    kinds: tuple[ChannelKind, ...]


@dataclass(frozen=True, slots=True)
class Told:
    """One kind of channel on one level of an alert: each is told once."""

    level: int
    kind: ChannelKind


@dataclass(frozen=True, slots=True)
class Ladder:
    """The rungs in force, of all severities."""

    rungs: tuple[Rung, ...]

    def reached(self, severity: Severity, raised_at: datetime, until: datetime) -> tuple[Told, ...]:
        """Who is to be told of an alert that nobody has answered from when it was raised `until` then.

        A longer wait never tells fewer, and the first rung is told at once whatever the clock says.
        """
        waited = max(until - raised_at, timedelta(0))
        rungs = [rung for rung in self.rungs if rung.severity == severity]
        return tuple(
            Told(level, kind) for level, rung in enumerate(rungs) if waited >= rung.after for kind in rung.kinds
        )


def usual_ladder(sms_after: timedelta, everyone_after: timedelta) -> Ladder:
    """Info is written down, a warning goes to the webhook, a critical one to people at once, and on to more of them."""
    at_once = timedelta(0)
    return Ladder(
        (
            Rung("info", at_once, ("log", "web")),
            Rung("warning", at_once, ("log", "web", "webhook")),
            Rung("critical", at_once, ("log", "web", "webhook", "email")),
            Rung("critical", sms_after, ("log", "sms")),
            Rung("critical", max(sms_after, everyone_after), ("log", "webhook", "email", "sms", "everyone")),
        )
    )


FIRST_RETRY_S, LONGEST_RETRY_S = 15.0, 900.0


def retry_after(tries: int) -> timedelta:
    """How long a channel that failed so many times is left alone: twice as long each time, at most a quarter hour."""
    return timedelta(seconds=min(FIRST_RETRY_S * 2.0 ** min(tries - 1, 10), LONGEST_RETRY_S))
