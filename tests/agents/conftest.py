"""A model that says what a test tells it to, and the figures that the agents are asked about."""

import asyncio
import importlib.util
import json
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from parley.agents.analyst import Reasoning
from parley.agents.ask import Asking
from parley.agents.budget import Budget
from parley.agents.llm.port import ChatReply, ChatRequest
from parley.agents.opinions import DraftFigures, LegFigures
from parley.domain.market import TextItem
from parley.domain.orders import ParentOrder, Side
from parley.domain.views import Regime

Script = Callable[[ChatRequest], str]


class ScriptedModel:
    """Answers by a function of the request, or with the next of some texts; an exception is raised instead.

    `asked` keeps every request, in the order they came.
    """

    name = "scripted"
    is_deterministic = False

    def __init__(
        self, script: Script | Sequence[str | Exception], delay_s: Callable[[ChatRequest], float] | None = None
    ):
        self._script = script if callable(script) else None
        self._texts = [] if callable(script) else list(script)
        self._delay_s = delay_s
        self.asked: list[ChatRequest] = []

    async def complete(self, request: ChatRequest) -> ChatReply:
        self.asked.append(request)
        if self._delay_s is not None:
            await asyncio.sleep(self._delay_s(request))
        said = self._script(request) if self._script else self._texts.pop(0)
        if isinstance(said, Exception):
            raise said
        return ChatReply(said, prompt_tokens=100, completion_tokens=10)


class Kit:
    """Builders with sensible defaults; every test changes one thing."""

    as_of = datetime(2024, 3, 4, 21, tzinfo=UTC)
    plenty = Budget(repairs=1, prompt_tokens=100_000)
    Model = ScriptedModel

    def asking(self, model: ScriptedModel, **bounds: Any) -> Asking:
        return Asking(model, **bounds)

    def reasoning(self, *symbols: str, expected_return: float = 0.01, regime: Regime = Regime.CALM) -> Reasoning:
        row = {
            "trend": 0.5,
            "composite": 1.2,
            "expected_return": expected_return,
            "confidence": 0.53,
            "residual_vol_horizon": 0.05,
        }
        indicators = {symbol: {"rsi_14": 61.0} for symbol in symbols}
        return Reasoning(self.as_of, regime, 21, dict.fromkeys(symbols, row), indicators, ("ev-1",))

    def leg(self, symbol: str, side: Side = Side.BUY, quantity: int = 100) -> ParentOrder:
        return ParentOrder(
            order_id=f"par-{symbol}",
            decision_id="dec-1",
            symbol=symbol,
            side=side,
            quantity=quantity,
            reference_price=Decimal(50),
            reason="toward target",
        )

    def draft(self, *legs: ParentOrder) -> DraftFigures:
        figures = [LegFigures(item, item.side is Side.BUY, 0.02, 0.05, 0.095, 4.0, 0.001) for item in legs]
        return DraftFigures(self.as_of, Regime.CALM, 0.4, 0.1, 1.5, 25.0, tuple(figures))

    def votes_text(self, vote: str, confidence: int, *symbols: str) -> str:
        return json.dumps({"votes": [{"symbol": s, "vote": vote, "confidence": confidence} for s in symbols]})

    def text(self, place: int, symbol: str = "AAA", headline: str = "Sales up", minutes_ago: int = 60) -> TextItem:
        arrived = self.as_of - timedelta(minutes=minutes_ago)
        return TextItem(
            id=f"text-{place}", symbol=symbol, source="t", ts_event=arrived, available_at=arrived, headline=headline
        )


@pytest.fixture(scope="session")
def kit() -> Kit:
    return Kit()


@pytest.fixture(scope="session")
def fake() -> ModuleType:
    """The endpoint of our own, `fake_endpoint.py`: test files are no package and can't import each other."""
    spec = importlib.util.spec_from_file_location("fake_endpoint", Path(__file__).with_name("fake_endpoint.py"))
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module
