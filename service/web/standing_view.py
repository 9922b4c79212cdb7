"""The state of the desk that people's requests go to: what it may do, what is restricted, what waits."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from ...domain.levels import in_words
from ...execution.standing import Standing
from ...storage.flag import FlagNote
from ..answers.reader import Reading
from ..pages.limit_units import Written, limit_title, limit_unit
from .parts import Asked


@dataclass(frozen=True, slots=True)
class Restriction:
    """One cause for which a scope is not free, the state it asks for, and why."""

    scope: str
    state: str
    by: str
    reason: str


@dataclass(frozen=True, slots=True)
class Waiting:
    """A critical notification that nobody has acknowledged."""

    ident: str
    code: str
    text: str


@dataclass(frozen=True, slots=True)
class StandingView:
    """`run` is the one that requests go to, which may be another than the one that is looked at."""

    run: str
    is_shown: bool
    state: str
    flag: FlagNote | None
    restrictions: tuple[Restriction, ...]
    waiting: tuple[Waiting, ...]
    approvals: int
    notes: int
    """Requests in the inbox that the desk has not taken yet."""
    beat_age_s: float | None
    tightened: tuple[tuple[str, float, Written], ...]
    """Each limit's title, the bound asked for, and how it is written."""

    @property
    def may_open(self) -> bool:
        return self.state != "HALTED" and not self.waiting


def standing_view(asked: Asked) -> StandingView:
    """How the desk stands; raises RunUnknown while there is no run."""
    with operated(asked) as reading:
        standing = reading.standing
        post = reading.post
        flag = post.flag.read()
        return StandingView(
            run=reading.run_id,
            is_shown=reading.run_id == asked.reading.run_id,
            state="HALTED" if flag else standing.account.value,
            flag=flag,
            restrictions=_restrictions(standing),
            waiting=tuple(
                Waiting(item.notification_id, item.code, in_words(item.text))
                for _, item in sorted(standing.unacknowledged.items())
            ),
            approvals=len(standing.awaiting),
            notes=len(post.inbox.waiting()[0]),
            beat_age_s=post.heartbeat.age_s(),
            tightened=tuple(
                (limit_title(name), bound, limit_unit(name, bound))
                for name, bound in sorted(standing.tightened.items())
            ),
        )


@contextmanager
def operated(asked: Asked) -> Iterator[Reading]:
    """The run that requests go to: the one that is looked at, most of the time."""
    name = asked.desk.book.operated().run_id
    if name == asked.reading.run_id:
        yield asked.reading
        return
    with asked.desk.reader(name).reading() as reading:
        yield reading


def _restrictions(standing: Standing) -> tuple[Restriction, ...]:
    return tuple(
        Restriction(str(change.scope), change.after.value, change.name or change.cause, in_words(change.reason))
        for change in standing.all_causes
    )
