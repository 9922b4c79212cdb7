"""Loads a daily file at prices as they were traded, with the corporate actions that explain where they jump."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from ..domain.instruments import Instrument, Universe
from .cards import FINE_TICK, DataSet
from .corporate_actions import read_actions
from .errors import DataFileError
from .files import checked_table, data_set_of
from .grids import quoted_tick
from .panel_checks import panel_findings

ADJUSTMENTS = ("adj_factor", "adj_close")
"""Columns that are of no use here: what they hold is booked instead."""
MOST_NAMED = 5


def load_as_traded(
    path: Path,
    actions_path: Path,
    *,
    symbols_path: Path | None = None,
    texts_path: Path | None = None,
    benchmark: str | None = None,
    calendar: str = "XNYS",
) -> DataSet:
    """The file's prices unchanged; options as in `load_file`. The card tells of splits that no action explains.

    An instrument's tick is the one its prices show, since orders at such prices go to a venue that has one.

    Raises DataFileError for rows within the day, which are as they were traded and need no actions.
    """
    table, sessions = checked_table(path, calendar)
    if table.kind != "daily":
        raise DataFileError(
            f"{path.name}: rows within the day, with corporate actions in {actions_path.name}.",
            remedy="Give actions to daily bars only; intraday prices are as they were traded.",
            reason="wrong_type",
        )
    numbers = {name: values for name, values in table.numbers.items() if name not in ADJUSTMENTS}
    data = data_set_of(
        replace(table, numbers=numbers),
        sessions,
        symbols_path=symbols_path,
        texts_path=texts_path,
        benchmark=benchmark,
    )
    actions = tuple(item for item in read_actions(actions_path) if item.symbol in data.panel.symbols)
    data = replace(data, actions=actions, universe=_with_ticks(data))
    note = f"prices as they were traded; {len(actions)} corporate actions of {actions_path.name} are booked at night"
    return replace(data, card=replace(data.card, notes=(*data.card.notes, note, *_gridless(data), *_unexplained(data))))


def _with_ticks(data: DataSet) -> Universe:
    """Each name's tick by what was recorded of it; where that shows none, the fine grid stays."""
    panel = data.panel
    fields = [values for values in (panel.open, panel.high, panel.low, panel.close) if values is not None]

    def ticked(item: Instrument) -> Instrument:
        tick = quoted_tick(np.concatenate([values[:, panel.column(item.symbol)] for values in fields]))
        return item if tick is None else item.model_copy(update={"tick": tick})

    return data.universe.model_copy(update={"instruments": tuple(map(ticked, data.universe.instruments))})


def _gridless(data: DataSet) -> tuple[str, ...]:
    names = [item.symbol for item in data.universe.instruments if item.tick == FINE_TICK]
    if not names:
        return ()
    return (f"prices of {', '.join(names[:MOST_NAMED])} show no tick of an exchange; orders are on {FINE_TICK}",)


def _unexplained(data: DataSet) -> tuple[str, ...]:
    """Moves that still look like splits once all actions are taken out: a book would lose or win by them."""
    history = data.history()
    view = history.as_of(history.close_time(history.last_session))
    restated = replace(data.panel, close=view.close, open=view.open, high=view.high, low=view.low, volume=None)
    found = [item for item in panel_findings(restated) if item.code == "split_like"]
    if not found:
        return ()
    named = ", ".join(f"{item.symbol} {item.session}" for item in found[:MOST_NAMED])
    more = f" and {len(found) - MOST_NAMED} more" if len(found) > MOST_NAMED else ""
    return (f"moves that look like splits and that no action explains: {named}{more}",)
