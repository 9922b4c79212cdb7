"""What the desk may trade, and the universe it belongs to."""

from decimal import Decimal
from enum import StrEnum

from pydantic import Field, model_validator

from .model import Model, Symbol


class AssetClass(StrEnum):
    STOCK = "stock"
    FUND = "fund"
    BOND = "bond"
    COMMODITY = "commodity"
    CRYPTO = "crypto"


class Instrument(Model):
    """One thing that can be bought: its name, kind, and the grid its prices and sizes live on."""

    symbol: Symbol
    asset_class: AssetClass = AssetClass.STOCK
    sector: str = "unclassified"
    currency: str = "USD"
    tick: Decimal = Field(default=Decimal("0.01"), gt=0)
    lot: int = Field(default=1, ge=1)
    calendar: str = "XNYS"


class Universe(Model):
    """The instruments of a run, in a fixed order, and the index they are measured against."""

    name: str
    instruments: tuple[Instrument, ...] = Field(min_length=1)
    benchmark: Symbol | None = None

    @model_validator(mode="after")
    def _symbols_are_unique(self) -> "Universe":
        symbols = [item.symbol for item in self.instruments]
        if len(set(symbols)) != len(symbols):
            raise ValueError("a symbol appears twice in the universe")
        return self

    @property
    def symbols(self) -> tuple[str, ...]:
        return tuple(item.symbol for item in self.instruments)

    def instrument(self, symbol: str) -> Instrument | None:
        return next((item for item in self.instruments if item.symbol == symbol), None)
