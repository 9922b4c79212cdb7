"""Parts that planted bugs are made of: views, doors to data, estimators, venues, clients, each wrong in one way."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import numpy as np

from ...agents.errors import ModelFailed
from ...agents.llm.port import ChatModel, ChatReply, ChatRequest
from ...agents.llm.rules import rules_reply
from ...agents.views import View
from ...desk.desk import Desk
from ...domain.market import TextItem
from ...domain.portfolio import Portfolio
from ...domain.reflections import Reflection, Setup
from ...domain.views import Source
from ...execution.hours import SessionHours
from ...execution.venues.fees import FeeModel
from ...execution.venues.paper import PaperVenue
from ...execution.venues.venue import Venue
from ...graph.ports import Ports
from ...market.cards import DataSet
from ...market.history import History, MarketView
from ...market.texts import TextLog
from ...memory.recall import Recall
from ...prompts.loader import parse_prompt
from ...quant.arrays import FloatArray
from ...quant.calibration import Calibration
from ...tools.estimators import Estimators
from ...tools.ledger import Ledger, figure
from ...tools.market import technical_indicators
from ...tools.scene import Scene
from ..tape import Tape
from ..venues import VenueOf

EARLY = timedelta(days=1)
EARLY_TEXT = timedelta(days=4)
"""Longer than a long weekend, or a cut on a Friday would have nothing to be early about."""
LONG_EARLY = timedelta(days=30)
TILT = 0.002
"""How much more the first column rises a day, where the order of columns matters."""


def oracle_view(data: DataSet) -> Iterable[View]:
    """A feature that is tomorrow's return."""
    close = data.panel.close
    ahead = np.vstack([close[1:] / close[:-1] - 1.0, np.zeros((1, close.shape[1]))])
    return (_view("tomorrow", data, np.tanh(20.0 * ahead)),)


def whole_sample_view(data: DataSet) -> Iterable[View]:
    """A feature that is scaled by the mean and deviation of all days, those to come among them."""
    close = data.panel.close
    return (_view("scaled_close", data, np.tanh((close - np.nanmean(close, axis=0)) / np.nanstd(close, axis=0))),)


def _view(name: str, data: DataSet, scores: FloatArray) -> View:
    """A further view whose scores were worked out on a whole data set, by the rows of its panel."""
    prompt = parse_prompt(name, f"---\nname: {name}\nversion: 1\ninputs: [{name}]\n---\nRead it as it stands.\n")

    def measure(ledger: Ledger, scene: Scene) -> tuple[str, Mapping[str, float]]:
        evidence_id, _ = technical_indicators(ledger, scene)
        row = scores[len(scene.view.close) - 1]
        return evidence_id, {name: figure(value) for name, value in zip(data.panel.symbols, row.tolist(), strict=True)}

    return View(name, Source.TECHNICAL, prompt, measure)


class _EarlyTexts(TextLog):
    """Hands out a text before it arrived, as a join by day or week does."""

    def as_of(self, moment: datetime, since: datetime | None = None, symbol: str | None = None) -> tuple[TextItem, ...]:
        return super().as_of(moment + EARLY_TEXT, since, symbol)


class _EarlyTextHistory(History):
    def as_of(self, moment: datetime) -> MarketView:
        return replace(super().as_of(moment), _texts=_EarlyTexts(self.all_texts))

    all_texts: tuple[TextItem, ...] = ()


class _EarlyBarHistory(History):
    """Counts a bar from its own day on, and not from its close."""

    def as_of(self, moment: datetime) -> MarketView:
        return replace(super().as_of(moment + EARLY), as_of=moment)


class _EarlyTextData(DataSet):
    def history(self) -> History:
        found = _EarlyTextHistory(self.panel, self.universe, self.card, self.texts)
        found.all_texts = self.texts
        return found


class _EarlyBarData(DataSet):
    def history(self) -> History:
        return _EarlyBarHistory(self.panel, self.universe, self.card, self.texts)


def texts_by_their_week(data: DataSet) -> DataSet:
    return _EarlyTextData(**_parts(data))


def bars_by_their_day(data: DataSet) -> DataSet:
    return _EarlyBarData(**_parts(data))


def first_column_favoured(data: DataSet) -> DataSet:
    """Something that is done to whatever stands first."""
    close = data.panel.close.copy()
    close[:, 0] *= np.exp(TILT * np.arange(len(close)))
    return replace(data, panel=replace(data.panel, close=close, open=None, high=None, low=None))


def _parts(data: DataSet) -> dict[str, Any]:
    return {item.name: getattr(data, item.name) for item in fields(data)}


class _KeepsTheLatest(Estimators):
    """A cache that does not ask for which day: what was learnt last is what is known."""

    _latest: Calibration | None = None

    def calibration(self, view: MarketView) -> Calibration:
        found = super().calibration(view)
        if self._latest is None or len(found.week_rows) > len(self._latest.week_rows):
            self._latest = found
        return self._latest


def estimators_without_a_clock(ports: Ports) -> Ports:
    return replace(ports, estimators=_KeepsTheLatest())


class RecallWithoutAClock(Recall):
    """Finds lessons of decisions whose outcome is weeks away."""

    def known(self, *, as_of: datetime) -> tuple[Reflection, ...]:
        return super().known(as_of=as_of + LONG_EARLY)

    def similar(self, setups: Mapping[str, Setup], *, as_of: datetime, limit: int) -> dict[str, tuple[Reflection, ...]]:
        return super().similar(setups, as_of=as_of + LONG_EARLY, limit=limit)


def venue_without_fees(desk: Desk) -> VenueOf:
    def made(hours: SessionHours, tape: Tape, portfolio: Portfolio) -> Venue:
        free = FeeModel(value_bps=Decimal(0))
        most = desk.limits.max_participation_frac
        return PaperVenue(hours, tape.liquidity, free, participation_frac=most, portfolio=portfolio)

    return made


@dataclass
class HoldsOnFailure:
    """A client that answers a failed call itself, with HOLD for everything: the bug of StockBench and others."""

    inner: ChatModel

    @property
    def name(self) -> str:
        return self.inner.name

    @property
    def is_deterministic(self) -> bool:
        return self.inner.is_deterministic

    async def complete(self, request: ChatRequest) -> ChatReply:
        try:
            return await self.inner.complete(request)
        except ModelFailed:
            said = json.loads(rules_reply(request.prompt.name, request.facts))
            held = [view | {"side": "HOLD", "confidence": 50, "driver": "none"} for view in said.get("views", [])]
            return ChatReply(json.dumps({"views": held}), 1, 1)
