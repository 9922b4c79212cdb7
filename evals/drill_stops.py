"""The drill of stops at the venue: the process dies in mid-session, then the kill flag goes up, and all that is held is
protected all the time."""

from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta

from ..desk.settings import VenueSettings
from ..memory.sent_orders import SentOrders, rests
from .book_at_rest import standing_of
from .drill_facts import Problems, at_place, at_rest, held, need
from .drill_ground import Ground, Trouble, play

INTO_SESSION = timedelta(hours=2)


def standing_stops(ground: Ground) -> Problems:
    """Carried out with stops of its own where the settings have none, at the exchange, as live."""
    # Nothing is asked of the venue between the death and the start: what stands there must protect by itself.
    frac, exchange = ground.settings.stop_loss_frac or 0.08, VenueSettings(kind="exchange")
    resting = {"stop_loss_frac": frac, "stop_orders": "resting", "venue": exchange, "as_live": True}
    ground = replace(ground, settings=ground.settings.model_copy(update=resting))
    place = len(ground.sessions) // 2
    opens_at = ground.data.history().opening_time(ground.sessions[place])
    with suppress(_Died):
        play(ground, Trouble(venue_of=None, pace=_Dies(opens_at + INTO_SESSION)))
    stood = _protected(ground)
    again = play(ground, Trouble(venue_of=None), resumes=True)
    for ident in tuple(standing_of(ground.folder).unacknowledged):
        at_rest(ground, "acknowledge", detail={"notification_id": ident})
    problems = [
        *need(bool(stood), "no stop stood at the venue when the process died"),
        *need(again is not None and again.kind == "halted", "it traded again without a person"),
        *_unprotected(ground, "after the restart"),
    ]
    at_rest(ground, "resume")
    play(ground, Trouble(act=at_place(place + 1, ground.raise_flag), venue_of=None), resumes=True)
    return [*problems, *_unprotected(ground, "under the kill flag")]


def _unprotected(ground: Ground, when: str) -> Problems:
    """What is held without as many shares on a stop at the venue."""
    stops, shares = _protected(ground), held(ground)
    bare = sorted(symbol for symbol, count in shares.items() if count > 0 and stops.get(symbol) != count)
    over = sorted(symbol for symbol, count in stops.items() if count > shares.get(symbol, 0))
    return [
        *need(not bare, f"held without a stop {when}: {', '.join(bare)}"),
        *need(not over, f"stops would sell more than is held {when}: {', '.join(over)}"),
    ]


def _protected(ground: Ground) -> dict[str, int]:
    """Shares on protective orders that are open, by name."""
    sent, found = SentOrders(), Counter[str]()
    for event in ground.events():
        sent.fold(event.decoded())
    for item in sent.open:
        if rests(item.child):
            found[item.child.symbol] += item.open_quantity
    return dict(found)


class _Dies:
    """A session's time in which the process ends at a moment, as by `kill -9`."""

    def __init__(self, at: datetime) -> None:
        self._at = at

    def until(self, moment: datetime, is_called: Callable[[], bool] = lambda: False) -> None:
        if moment >= self._at:
            raise _Died


class _Died(Exception):
    """Nothing of the process is left but its log."""
