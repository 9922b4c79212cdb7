"""The one base of all wire types: frozen, closed to unknown fields, and free of NaN and infinity."""

from typing import Annotated, ClassVar

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field


class Model(BaseModel):
    """A value that may cross a process, a file or a language model.

    On the hot path several fields are read from `__dict__` at once: pydantic's hook behind an attribute costs twice as
    much, and so does `vars()`, a call, for the first of them.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, ser_json_inf_nan="strings")


UtcTime = AwareDatetime
"""A moment with a zone; the desk writes UTC, and a time without a zone is refused."""

Percent = Annotated[int, Field(ge=0, le=100)]
"""An integer percent: the only number a language model may originate."""

Symbol = Annotated[str, Field(min_length=1, max_length=24, pattern=r"^[A-Z0-9][A-Z0-9.\-=^/]*$")]
"""The text of an instrument, in upper case."""

Score = Annotated[float, Field(ge=-1.0, le=1.0)]
Fraction = Annotated[float, Field(ge=0.0, le=1.0)]


class Payload(Model):
    """What an event says. `stream` names the aggregate whose versions are counted."""

    schema_version: ClassVar[int] = 1
