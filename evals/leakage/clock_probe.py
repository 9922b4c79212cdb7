"""Publication lag: at every moment around the cut, all that could be read had arrived, and all that had could be."""

from dataclasses import replace
from datetime import date, datetime, timedelta

import numpy as np

from ...domain.market import TextItem
from ...market.cards import DataSet
from ...market.corporate_actions import CorporateAction
from ...market.history import History
from .finding import Finding, Ground, caught, clean
from .playing import Rig

MOMENTS = (timedelta(hours=-4), timedelta(seconds=-1), timedelta(0), timedelta(seconds=1), timedelta(hours=9))
"""Around a close: noon, just before and after it, and the next morning."""
ACTION_AFTER_DAYS = 5


def publication_probe(here: Ground, rig: Rig) -> Finding:
    """Prices by their close times, texts by their arrival, and restated rows by the action that restates them."""
    # Actions of its own restate what a data set holds: they are looked at apart.
    plain = replace(here.data, actions=())
    history, looked = (plain if rig.data_of is None else rig.data_of(plain)).history(), 0
    for day in here.days:
        for step in MOMENTS:
            moment = history.close_time(day) + step
            looked += 1
            fault = _early_price(plain, history, moment) or _early_text(here.data.texts, history, moment)
            if fault:
                return caught(f"at {moment.isoformat()} {fault}", looked)
    fault, rows = _restated(here, rig)
    looked += rows
    return caught(fault, looked) if fault else clean("nothing read before it arrived, nothing withheld", looked)


def _early_price(data: DataSet, history: History, moment: datetime) -> str:
    """Checked against the data set itself and not against what the view says of its own rows."""
    view, panel = history.as_of(moment), data.panel
    known = int((panel.close_times <= np.datetime64(moment.replace(tzinfo=None), "s")).sum())
    if len(view.close) != known:
        return f"{len(view.close)} bars could be read, and {known} had closed"
    return "" if np.array_equal(view.close, panel.close[:known], equal_nan=True) else "a closed bar reads differently"


def _early_text(texts: tuple[TextItem, ...], history: History, moment: datetime) -> str:
    arrived = {item.id for item in texts if item.available_at <= moment}
    read = {item.id for item in history.as_of(moment).texts()}
    early, withheld = sorted(read - arrived), sorted(arrived - read)
    if early:
        return f"the text {early[0]} could be read before it arrived"
    return f"the text {withheld[0]} had arrived and could not be read" if withheld else ""


def _restated(here: Ground, rig: Rig) -> tuple[str, int]:
    """A split after the cut restates every earlier price from then on, and none before."""
    sessions: tuple[date, ...] = here.data.history().sessions_between()
    place = sessions.index(here.cut) + ACTION_AFTER_DAYS
    if place >= len(sessions):
        return "", 0
    symbol = here.data.panel.symbols[0]
    split = CorporateAction(symbol, "split", sessions[place], old_shares=1, new_shares=2)
    ahead = replace(here.data, actions=(*here.data.actions, split))
    with_split = (ahead if rig.data_of is None else rig.data_of(ahead)).history()
    without = (here.data if rig.data_of is None else rig.data_of(here.data)).history()
    for day in (day for day in here.days if day <= here.cut):
        moment = without.close_time(day)
        if not np.array_equal(with_split.as_of(moment).close, without.as_of(moment).close, equal_nan=True):
            return f"at {moment.isoformat()} prices were restated for a split of {split.ex_date}", len(here.days)
    column = here.data.panel.column(symbol)
    first = without.close_time(sessions[0])
    later = with_split.as_of(with_split.close_time(sessions[-1])).close[0, column]
    if later == without.as_of(first).close[0, column]:
        return f"prices were not restated after a split of {split.ex_date}", len(here.days)
    return "", len(here.days)
