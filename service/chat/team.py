"""A language model's reading of a question, by the AutoGen team; load it lazily, AutoGen is slow to import."""

import json
from asyncio import Runner

from pydantic import JsonValue

from ...agents.ask import Asking
from ...agents.chat_team import picked_tool
from ...agents.errors import AgentError
from ..answers.askable import Role
from .front import Pick
from .grammar import Understood
from .specialists import SPECIALISTS, arguments_said, specialist_of, target_of, tools_of


class TeamChooser:
    """Asks a team over one model what a question means; it keeps the loop its connections live in."""

    def __init__(self, asking: Asking) -> None:
        self._asking, self._runner = asking, Runner()

    def __call__(self, understood: Understood, role: Role) -> Pick | None:
        """The team's pick, held to the question's own words; None where it made none. Nothing here acts."""
        tools = {name: tools_of(name) for name in SPECIALISTS}
        subject = specialist_of(understood)
        try:
            call = self._runner.run(picked_tool(self._asking, understood.text, tools, subject))
        except AgentError:
            return None
        target = target_of(call.name) if call else None
        if call is None or target is None:
            return None
        given: JsonValue = json.loads(call.arguments)
        return Pick(target, arguments_said(target, given, understood))

    def close(self) -> None:
        self._runner.close()
