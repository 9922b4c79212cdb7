"""The attack set as data: one file of cases for each class, read once and checked."""

import tomllib
from functools import cache
from importlib import resources
from typing import Literal

from pydantic import Field, ValidationError

from ...domain.model import Model
from ..errors import AttackSetInvalid

Channel = Literal["headline", "reply", "recorded", "operator", "settings", "data", "log"]
"""Where an attack comes in: a text the desk reads, a model's reply, a reply in a recording, a message in the desk's
inbox, a settings file, a data file, and the log itself."""

MODEL_CHANNELS: frozenset[Channel] = frozenset({"headline", "reply", "recorded"})


class Text(Model):
    """One text of an attack; what is left out is made up plainly."""

    headline: str
    body: str = ""
    symbol: str = ""
    source: str = "wire"
    id: str = ""


class AttackCase(Model):
    """One attack: how it comes in, what it says, and what a model that obeys it does (`goal`, see `worst.py`).

    `node` is the prompt whose reply the attacker writes, by the first part of its name; empty means all of them.
    `reply` is what it says to the letter, `content` the text of a message, file or forged row.
    """

    id: str
    channel: Channel
    wants: str
    goal: str = "buy_all"
    texts: tuple[Text, ...] = ()
    repeat: int = Field(default=1, ge=1, le=100_000)
    """How many times over the texts or the content come."""
    node: str = ""
    reply: str | None = None
    content: str = ""
    file: str = ""
    """Which file of settings or data, or what is done to the log."""
    kind: str
    """The class, which is the name of the file."""


@cache
def all_cases() -> tuple[AttackCase, ...]:
    """Every case, by class and in the order of the files; raises AttackSetInvalid when a file is none."""
    cases: list[AttackCase] = []
    folder = resources.files(__name__.rpartition(".")[0])
    for file in sorted(folder.iterdir(), key=lambda item: item.name):
        if file.name.endswith(".toml"):
            cases += _read(file.name.removesuffix(".toml"), file.read_text(encoding="utf-8"))
    seen: set[str] = set()
    for case in cases:
        if case.id in seen:
            raise AttackSetInvalid(f"two attacks are called {case.id}", remedy="Give each case an id of its own.")
        seen.add(case.id)
    return tuple(cases)


def some_cases(count: int | None) -> tuple[AttackCase, ...]:
    """So many cases, spread evenly over the set; all of them for None."""
    cases = all_cases()
    if count is None or count >= len(cases):
        return cases
    return tuple(cases[place * len(cases) // count] for place in range(count))


def _read(kind: str, text: str) -> list[AttackCase]:
    try:
        rows = tomllib.loads(text)["case"]
        return [AttackCase.model_validate({**row, "kind": kind.replace("_", " ")}) for row in rows]
    except (tomllib.TOMLDecodeError, KeyError, ValidationError) as error:
        raise AttackSetInvalid(f"{kind}.toml: {error}", remedy="Write [[case]] tables as the others are.") from error
