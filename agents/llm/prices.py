"""The price table: what a model's tokens cost, from a dated file. A price nobody wrote down is unknown, never zero."""

import tomllib
from datetime import date
from decimal import Decimal
from pathlib import Path

from pydantic import Field, ValidationError

from ...domain.model import Model
from ..errors import PricesInvalid, PriceUnknown
from .local_model import PREFIX
from .rules import RulesModel

MILLION = Decimal(1_000_000)


class ModelPrice(Model):
    """Money per million tokens, read and written."""

    prompt: Decimal = Field(ge=0)
    completion: Decimal = Field(ge=0)


class PriceTable(Model):
    """Prices as they stood on a day, in one currency. What runs on this machine is not billed."""

    day: date
    currency: str = Field(pattern=r"^[A-Z]{3}$")
    models: dict[str, ModelPrice]

    def cost(self, model: str, prompt_tokens: int, completion_tokens: int) -> Decimal:
        """Raises PriceUnknown for a model that is not in the table."""
        if is_unbilled(model):
            return Decimal(0)
        price = self.models.get(model)
        if price is None:
            raise PriceUnknown(
                f"no price for model {model!r} in the table of {self.day}, which knows {sorted(self.models)}",
                remedy=f"Add [models.{model!r}] with prompt and completion, in {self.currency} per million tokens.",
            )
        return (prompt_tokens * price.prompt + completion_tokens * price.completion) / MILLION


def is_unbilled(model: str) -> bool:
    """Whether a model runs in this process, so that nobody sends a bill for it."""
    return model.startswith((PREFIX, RulesModel.name))


def load_prices(path: Path) -> PriceTable:
    """The table in a TOML file: `day`, `currency`, and a [models.NAME] with `prompt` and `completion` for each."""
    try:
        return PriceTable.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise PricesInvalid(f"{path}: {error.strerror or error}", remedy="Check llm.prices_file.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise PricesInvalid(f"{path}: {error}", remedy="Correct the file; it must be TOML.") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        remedy = 'Write day = 2026-11-01, currency = "USD", and [models."NAME"] with prompt and completion.'
        raise PricesInvalid(f"{path}: {where}: {first['msg']}", remedy=remedy) from error
