"""What questions can be given: closed, bounded types, so that nothing hostile gets past the edge."""

from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from ...domain.model import Model, Symbol

MAX_ROWS = 500


def _upper(given: Any) -> Any:
    return given.upper() if isinstance(given, str) else given


AskedSymbol = Annotated[Symbol, BeforeValidator(_upper)]
RecordId = Annotated[str, Field(min_length=1, max_length=80, pattern=r"^[A-Za-z0-9][A-Za-z0-9._:-]*$")]
Limit = Annotated[int, Field(ge=1, le=MAX_ROWS)]


class Nothing(Model):
    """A question without arguments."""


class Shown(Model):
    """How many rows the table holds."""

    limit: Limit = 50


class OfSymbol(Model):
    symbol: AskedSymbol


class OfOrder(Model):
    order: RecordId = Field(description="An order's id or the beginning of it, or `last`.")


class OfDecision(Model):
    decision: RecordId = Field(
        default="last", description="A decision's id or the beginning of it, a day such as 2020-03-09, or `last`."
    )
