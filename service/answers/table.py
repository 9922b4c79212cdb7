"""The table of all that can be asked, and the one door to it."""

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from ...domain.model import Model
from .after_trade import AFTER_TRADE
from .alerts import ALERTS
from .answer import Answer
from .approvals import APPROVALS
from .askable import Askable
from .decisions import DECISIONS
from .errors import BadArguments, UnknownQuestion
from .helping import help_over
from .holdings import HOLDINGS
from .limits_asked import LIMITS_ASKED
from .market import MARKET
from .opinions import OPINIONS
from .orders import ORDERS
from .reader import DeskReader
from .risks import RISKS
from .system import SYSTEM
from .voices import VOICES
from .what_ifs import WHAT_IFS
from .without_model import WITHOUT_MODEL
from .worth import WORTH

GROUPS = (
    ("the book", (*HOLDINGS, *WORTH)),
    ("orders", (*ORDERS, *AFTER_TRADE)),
    ("decisions", (*DECISIONS, *OPINIONS, *VOICES, *WITHOUT_MODEL)),
    ("risk", RISKS),
    ("what if", (*WHAT_IFS, *LIMITS_ASKED)),
    ("the market and data", MARKET),
    ("the desk", (*ALERTS, *SYSTEM, *APPROVALS)),
)
ASKABLES: Mapping[str, Askable] = {
    item.name: item for item in (*(item for _, group in GROUPS for item in group), help_over(GROUPS))
}


def ask(reader: DeskReader, name: str, arguments: Mapping[str, Any]) -> Answer:
    """The answer to one question. Raises UnknownQuestion and BadArguments; what the record lacks is an answer."""
    askable = find(name)
    return askable.perform(reader, parse_arguments(askable, arguments))


def find(name: str) -> Askable:
    askable = ASKABLES.get(name)
    if askable is None:
        raise UnknownQuestion(
            f"{name[:80]!r} is nothing the desk can be asked", remedy=f"Ask one of: {', '.join(sorted(ASKABLES))}."
        )
    return askable


def parse_arguments(askable: Askable, arguments: Mapping[str, Any]) -> Model:
    """The arguments as the question's own type; what does not fit is refused by name, and never repeated whole."""
    try:
        return askable.parameters.model_validate(dict(arguments))
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])[:80] or "arguments"
        takes = ", ".join(askable.parameters.model_fields) or "nothing"
        raise BadArguments(f"{askable.name}: {where}: {first['msg'][:200]}", remedy=f"It takes: {takes}.") from error
