"""Which forms an endpoint understands, and what to try next when it refuses one."""

from dataclasses import dataclass, replace
from enum import StrEnum

from ..errors import WireFailed


class OutputForm(StrEnum):
    """How a reply is held to its schema, best first."""

    SCHEMA = "schema"
    TOOL = "tool"
    JSON = "json"
    TEXT = "text"


FORMS = tuple(OutputForm)
REFUSALS = frozenset({400, 404, 415, 422, 501})
"""Statuses with which servers refuse a request for what is in it."""

OPTIONAL = ("stream_options", "parallel_tool_calls", "temperature", "seed")
"""What a request can do without, if a server says it must: reasoning models take no temperature, for one."""


@dataclass(frozen=True, slots=True)
class Dialect:
    """`is_limit_renamed`: newer OpenAI models call the bound on the reply `max_completion_tokens`."""

    form: OutputForm
    is_limit_renamed: bool = False
    without: frozenset[str] = frozenset()

    def plainer(self, failure: WireFailed) -> "Dialect | None":
        """The next thing to try after a refusal; None when the request can't be made any plainer."""
        if failure.status not in REFUSALS:
            return None
        if "max_completion_tokens" in failure.complaint and not self.is_limit_renamed:
            return replace(self, is_limit_renamed=True)
        for name in OPTIONAL:
            if name in failure.complaint and name not in self.without:
                return replace(self, without=self.without | {name})
        return self.lower()

    def lower(self) -> "Dialect | None":
        """The next weaker form of output; None below plain text."""
        place = FORMS.index(self.form)
        return replace(self, form=FORMS[place + 1]) if place + 1 < len(FORMS) else None
