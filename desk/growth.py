"""Runs whose data grow while they go on: which sessions they have so far, and what their data are called.

Such a run is named by what it began with. Every decision names the data it was made on, so that a replay finds out
what was changed behind it; the session after the last recorded one is there already, because its hours are known.
"""

from datetime import date

from ..market.cards import DataSet
from ..market.history import History
from .settings import Settings


def sessions_so_far(history: History, first: date | None) -> tuple[date, ...]:
    """From the first, or the last that is recorded, to the one whose bar is awaited."""
    recorded = history.sessions_between(first or history.last_session, None)
    return (*recorded, history.next_session(recorded[-1]))


def is_recorded(history: History, session: date) -> bool:
    """Whether the session's bar is in the data; a later one's hours are known, and nothing else."""
    return session <= history.last_session


def named_data(settings: Settings, data: DataSet, first: date) -> str:
    """The fingerprint a run's data go by: of all there are; of those that grow, up to its first session."""
    if not settings.growing:
        return data.panel.fingerprint()
    history = data.history()
    return history.as_of(history.close_time(first)).fingerprint
