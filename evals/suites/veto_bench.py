"""A small desk to review plans on: four stocks, two sectors, one fund, round prices."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import numpy as np

from ...domain.instruments import AssetClass, Instrument
from ...domain.market import Quote
from ...domain.orders import ChildOrder, ParentOrder, Plan, Side
from ...domain.portfolio import Portfolio, Position
from ...gate.limits import load_limits, parse_limits
from ...gate.state import GateState, OrderContext


class Bench:
    """Builders with sensible defaults; every breach changes one thing."""

    now = datetime(2024, 3, 4, 21, tzinfo=UTC)
    open = datetime(2024, 3, 5, 14, 30, tzinfo=UTC)
    symbols = ("AAA", "BBB", "CCC", "DDD", "FND")
    sectors = {"AAA": "tech", "BBB": "tech", "CCC": "energy", "DDD": "energy", "FND": "broad"}
    limits = parse_limits(load_limits().model_dump() | {"required_figures": ()}, "bench")
    """The shipped limits, but a check is only asked of what its breach gives it."""

    def instruments(self, lot: int = 1) -> dict[str, Instrument]:
        return {
            symbol: Instrument(
                symbol=symbol,
                sector=self.sectors[symbol],
                lot=lot,
                asset_class=AssetClass.FUND if symbol == "FND" else AssetClass.STOCK,
            )
            for symbol in self.symbols
        }

    def state(self, cash: str = "100000", held: dict[str, int] | None = None, **changes: Any) -> GateState:
        prices = changes.pop("prices", {symbol: Decimal(100) for symbol in self.symbols})
        positions = tuple(
            Position(symbol=symbol, quantity=quantity, average_price=Decimal(100))
            for symbol, quantity in sorted((held or {}).items())
        )
        portfolio = Portfolio(cash=Decimal(cash), positions=positions)
        equity = changes.pop("equity", None) or portfolio.equity(prices)
        state = GateState(
            portfolio=portfolio,
            instruments=self.instruments(changes.pop("lot", 1)),
            prices=prices,
            price_ages_days=dict.fromkeys(self.symbols, 0.0),
            equity=equity,
            previous_equity=changes.pop("previous_equity", equity),
            returns=np.random.default_rng(7).normal(0.0, 0.005, (250, len(self.symbols))),
            return_symbols=self.symbols,
            state_version="v1",
            daily_volumes=dict.fromkeys(self.symbols, 100_000.0),
        )
        return replace(state, **changes)

    def leg(self, symbol: str, side: str, quantity: int, **changes: Any) -> ParentOrder:
        values = {
            "order_id": f"leg-{symbol}-{side}",
            "decision_id": "d1",
            "symbol": symbol,
            "side": Side(side),
            "quantity": quantity,
            "reference_price": Decimal(100),
            "reason": "veto",
        }
        return ParentOrder(**{**values, **changes})

    def plan(self, *legs: ParentOrder, **changes: Any) -> Plan:
        values = {"plan_id": "p1", "decision_id": "d1", "as_of": self.now, "legs": legs}
        return Plan(**{**values, **changes})

    def child(self, quantity: int = 10, **changes: Any) -> ChildOrder:
        values = {
            "client_order_id": "c1",
            "order_id": "leg-AAA-BUY",
            "decision_id": "d1",
            "symbol": "AAA",
            "side": Side.BUY,
            "quantity": quantity,
            "limit_price": Decimal("100.50"),
            "sequence": 0,
            "created_at": self.open,
        }
        return ChildOrder(**{**values, **changes})

    def quote(self, bid: str = "99.99", ask: str = "100.01", symbol: str = "AAA", age_s: float = 0.0) -> Quote:
        moment = self.open - timedelta(seconds=age_s)
        return Quote(symbol, moment, Decimal(bid), Decimal(ask), 500, 500, True)

    def context(self, **changes: Any) -> OrderContext:
        values = {
            "quote": self.quote(),
            "held": 0,
            "open_buys": 0,
            "open_sells": 0,
            "committed": 0,
            "children": 0,
            "traded": 0,
            "cash": Decimal(100_000),
            "reserved": Decimal(0),
            "gross_value": Decimal(0),
            "sector_value": Decimal(0),
        }
        return OrderContext(**{**values, **changes})
