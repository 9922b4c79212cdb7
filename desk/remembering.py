"""A model that was interrupted: what it has already said is taken from the log, the rest it is asked."""

from collections.abc import Iterable

from ..agents.llm.port import ChatModel
from ..agents.llm.recorded import ReplayModel
from ..domain.decisions import ModelCall
from ..domain.events import ModelReplied
from ..memory.log import EventLog


class RememberingModel(ReplayModel):
    """Answers a recorded question as it was answered, failures included, and asks the live model anything else.

    A run that resumes decides its last close again. A language model would word it differently the second
    time, and the log would no longer be the one that was being written.
    """

    def __init__(self, calls: Iterable[ModelCall], live: ChatModel) -> None:
        super().__init__(calls, live.name, live)


def recorded_calls(log: EventLog, after: int = 0) -> list[ModelCall]:
    """Every model call recorded after event `after`, in order."""
    replies = (event.decoded() for event in log.read(after, types=(ModelReplied,)))
    return [call for reply in replies if isinstance(reply, ModelReplied) for call in reply.calls]
