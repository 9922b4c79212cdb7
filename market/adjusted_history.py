"""History of prices as they were traded, read in the shares of the moment of reading: by the actions known by then.

At a moment, every earlier price of a name is restated for the splits and dividends since: closes then compare over a
split, and the last one is that of the shares held. An action counts from the close before its ex-date on, since it is
for what is decided there, and it is announced before. Nothing later is used, so a later action changes no earlier
reading. A renamed instrument goes on from the prices of its old name.
"""

import hashlib
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from ..domain.instruments import Universe
from ..domain.market import TextItem
from .corporate_actions import CorporateAction
from .errors import PanelError
from .history import History, MarketView
from .panel import FloatArray, Panel

if TYPE_CHECKING:
    from .cards import DataCard


@dataclass(frozen=True, slots=True)
class _Effect:
    """One action on one column: rows before `row` are of the old shares, and worth `ratio` of the new ones each."""

    epoch: int
    row: int
    column: int
    ratio: float
    volume_ratio: float
    action: CorporateAction


class AdjustedHistory(History):
    """See the module. Benchmark and volatility index stay as they are."""

    def __init__(
        self,
        panel: Panel,
        universe: Universe,
        card: "DataCard",
        texts: Iterable[TextItem] = (),
        *,
        actions: Sequence[CorporateAction],
    ) -> None:
        super().__init__(panel, universe, card, texts)
        known = [item for item in actions if item.symbol in panel.symbols]
        self._effects = _effects(panel, known)
        self._epochs = [effect.epoch for effect in self._effects]
        self._views: dict[tuple[int, int], MarketView] = {}

    def as_of(self, moment: datetime) -> MarketView:
        view = super().as_of(moment)
        count = bisect_right(self._epochs, moment.timestamp())
        if not count:
            return view
        key = len(view.sessions), count
        if key not in self._views:
            # The days go forward, so only the latest reading is asked for again.
            self._views = {key: _restated(view, self._effects[:count])}
        return replace(self._views[key], as_of=moment)


def _effects(panel: Panel, actions: Iterable[CorporateAction]) -> list[_Effect]:
    found: list[_Effect] = []
    closes = panel.close_times.astype("datetime64[s]").astype(np.int64)
    for action in actions:
        row = int(np.searchsorted(panel.sessions, np.datetime64(action.ex_date, "D")))
        if not 0 < row <= len(panel.sessions) or _is_after_all(panel, action.ex_date):
            continue
        column = panel.column(action.symbol)
        ratio, volume_ratio = _ratios(panel, action, row, column)
        found.append(_Effect(int(closes[row - 1]), row, column, ratio, volume_ratio, action))
    return sorted(found, key=lambda effect: effect.epoch)


def _is_after_all(panel: Panel, day: date) -> bool:
    """An action long after the last bar: nothing held here sees it. One right after it is for the next session."""
    return (day - panel.sessions[-1].item()).days > 7


def _ratios(panel: Panel, action: CorporateAction, row: int, column: int) -> tuple[float, float]:
    """What an old price is in new shares, and what an old volume is."""
    if action.kind == "split":
        return action.old_shares / action.new_shares, action.new_shares / action.old_shares
    if action.kind != "dividend":
        return 1.0, 1.0
    before = panel.close[:row, column]
    before = before[~np.isnan(before)]
    if not len(before):
        return 1.0, 1.0
    last, cash = float(before[-1]), float(action.cash)
    if cash >= last:
        raise PanelError(
            f"{action.symbol}: a dividend of {cash:g} on {action.ex_date}, and its close before is {last:g}.",
            remedy="Use prices as they were traded with the actions of the same shares; adjusted prices hold them.",
        )
    return 1.0 - cash / last, 1.0


def _restated(view: MarketView, effects: Sequence[_Effect]) -> MarketView:
    price, volume = np.ones_like(view.close), np.ones_like(view.close)
    for effect in effects:
        price[: effect.row, effect.column] *= effect.ratio
        volume[: effect.row, effect.column] *= effect.volume_ratio
    close, rows = view.close * price, view._last_rows.copy()
    fields = {"open": view.open, "high": view.high, "low": view.low}
    fields = {name: None if values is None else values * price for name, values in fields.items()}
    volumes = None if view.volume is None else view.volume * volume
    for effect in effects:
        if effect.action.kind == "rename" and effect.action.new_symbol in view.symbols:
            new = view.symbols.index(effect.action.new_symbol)
            for values in (close, *fields.values(), volumes):
                if values is not None:
                    _go_on(values[: effect.row], effect.column, new)
            rows[new] = max(rows[new], rows[effect.column])
    return replace(
        view,
        close=_frozen(close),
        **{name: None if values is None else _frozen(values) for name, values in fields.items()},
        volume=None if volumes is None else _frozen(volumes),
        fingerprint=_fingerprint(view.fingerprint, effects),
        _last_rows=rows,
    )


def _go_on(values: FloatArray, old: int, new: int) -> None:
    gaps = np.isnan(values[:, new])
    values[gaps, new] = values[gaps, old]


def _frozen(values: FloatArray) -> npt.NDArray[np.float64]:
    values.setflags(write=False)
    return values


def _fingerprint(of_rows: str, effects: Sequence[_Effect]) -> str:
    digest = hashlib.sha256(of_rows.encode())
    for effect in effects:
        digest.update(f"|{effect.action.symbol} {effect.action.ex_date} {effect.action.text}".encode())
    return digest.hexdigest()
