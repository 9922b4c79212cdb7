"""The register of trials: every configuration that was ever looked at, so that luck can be counted against the best.

One JSON object a line; a line is added, never taken away. A trial's id is a hash of what was run (settings, limits,
model, data and days), and of no date or machine. Trials that were not kept one by one are counted in blocks.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, TypeAdapter, ValidationError

from ..domain.canonical import short_id
from ..domain.model import Model
from .errors import TrialsInvalid

REGISTER = Path(__file__).with_name("trials.jsonl")


class Trial(Model):
    """One configuration on one span of one data set."""

    kind: Literal["trial"] = "trial"
    id: str = Field(pattern=r"^trial-[0-9a-f]+$")
    data: str
    first: str
    last: str
    model: str
    sharpe: float | None
    why: str = Field(min_length=1)


class Block(Model):
    """Trials that are counted and no longer at hand one by one; `sharpe_deviation` is that of their annual ratios."""

    kind: Literal["block"] = "block"
    name: str
    count: int = Field(ge=1)
    data: str
    span: str
    sharpe_deviation: float | None = Field(default=None, ge=0)
    source: str
    why: str


@dataclass(frozen=True, slots=True)
class Register:
    """The whole file."""

    blocks: tuple[Block, ...]
    trials: tuple[Trial, ...]


@dataclass(frozen=True, slots=True)
class Trials:
    """What deflates a Sharpe ratio: how many were tried, and how far their annual ratios lie from each other."""

    count: int
    sharpe_deviation: float


def trial_id(settings_hash: str, limits_hash: str, model: str, data: str, first: str, last: str) -> str:
    """The name of a configuration on these days; the seed is not in it, for it is no choice."""
    return short_id("trial", settings_hash, limits_hash, model, data, first, last)


def read_register(path: Path = REGISTER) -> Register:
    """The register; raises TrialsInvalid for a line that is none, or for one trial twice."""
    rows = list[Block | Trial]()
    try:
        for line in path.read_text(encoding="utf-8").splitlines():
            rows.append(_LINE.validate_json(line))
    except (OSError, UnicodeDecodeError) as error:
        raise TrialsInvalid(f"{path}: {error}", remedy="Take the register from the repository again.") from error
    except ValidationError as error:
        raise TrialsInvalid(
            f"{path.name}, line {len(rows) + 1}: {error.errors()[0]['msg']}", remedy="Write it as the lines above it."
        ) from error
    trials = tuple(row for row in rows if isinstance(row, Trial))
    ids = [item.id for item in trials]
    twice = sorted({item for item in ids if ids.count(item) > 1})
    if twice:
        raise TrialsInvalid(f"{path.name}: {twice[0]} stands in it twice", remedy="Keep one of them.")
    return Register(tuple(row for row in rows if isinstance(row, Block)), trials)


def counted(register: Register, more: int = 0) -> Trials:
    """All trials of the register and `more` that are not in it yet; the widest scatter that any block states."""
    stated = [item.sharpe_deviation for item in register.blocks if item.sharpe_deviation is not None]
    if not stated:
        raise TrialsInvalid(
            "no block of the register states how far its trials' ratios scatter", remedy="Give one a sharpe_deviation."
        )
    return Trials(sum(item.count for item in register.blocks) + len(register.trials) + more, max(stated))


def trial_line(trial: Trial) -> str:
    """The line that adds a trial to the register's file."""
    return json.dumps(trial.model_dump(mode="json"), ensure_ascii=False)


def register_trial(trial: Trial, path: Path = REGISTER) -> bool:
    """Adds the trial at the end of the file; False where it is there already."""
    if any(item.id == trial.id for item in read_register(path).trials):
        return False
    try:
        with path.open("a", encoding="utf-8") as file:
            file.write(trial_line(trial) + "\n")
    except OSError as error:
        raise TrialsInvalid(
            f"{path}: {error.strerror or error}", remedy="Add the printed line to evals/trials.jsonl by hand."
        ) from error
    return True


_LINE: TypeAdapter[Block | Trial] = TypeAdapter(Annotated[Block | Trial, Field(discriminator="kind")])
