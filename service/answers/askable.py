"""One thing the desk can be asked: its name, what it takes, and the function that answers."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ...domain.model import Model
from ...market.errors import MarketError
from ...memory.errors import EmptyLog
from ...quant.errors import QuantError
from ...tools.errors import ToolError
from ..access.roles import Role
from .answer import Answer, Kind
from .draft import Draft, quote
from .reader import DeskReader, Reading


@dataclass(frozen=True, slots=True)
class Askable:
    """A question of the table. `kind` is that of its answer where the record has one."""

    name: str
    says: str
    parameters: type[Model]
    answer: Callable[[Reading, Draft, Any], Answer]
    kind: Kind
    examples: tuple[str, ...]
    role: Role = "viewer"
    needs_run: bool = True
    """Whether there has to be a run to answer at all."""
    is_live: bool = False
    """Whether it looks at more than the run's log, such as a heartbeat or a file: then an answer holds for a second
    only, and else until the log has another event."""

    def perform(self, reader: DeskReader, parameters: Model) -> Answer:
        """The answer from the run as it stands; what the record can't support is no data, and says why."""
        asked = parameters.model_dump(mode="json")
        with reader.reading() as reading:
            if not self.needs_run:
                return self.answer(reading, Draft(self.name, asked), parameters)
            try:
                return self.answer(reading, reading.draft(self.name, asked), parameters)
            except (EmptyLog, ToolError, QuantError, MarketError) as error:
                draft = Draft(self.name, asked, reading.run_id)
                found = draft.derive("refusal", {"message": error.message, "remedy": error.remedy})
                return draft.no_data("{} {}", quote(found["message"]), quote(found["remedy"]))
