"""A suite as data: the file that names its task and says with which numbers, and what a reader sees first."""

import tomllib
from collections.abc import Mapping
from pathlib import Path

from pydantic import Field, JsonValue, ValidationError

from ...domain.model import Model
from ..errors import SuiteInvalid


class Suite(Model):
    """One file of `evals/suites`.

    `first` are the figures that stand at the top, by name; `samples_per_process` is how many samples it takes before
    another worker process pays for its start; `listable` says that counting the samples costs nothing. What
    `is_of_this_machine` is measured anew every time, one sample after the other, and never compared by its bytes.
    """

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    text: str
    task: str
    tags: tuple[str, ...] = ()
    epochs: int = Field(default=1, ge=1)
    first: tuple[str, ...] = ()
    samples_per_process: int = Field(default=1, ge=1)
    listable: bool = False
    is_of_this_machine: bool = False
    parameters: dict[str, JsonValue] = {}


def read_suites(folder: Path) -> Mapping[str, Suite]:
    """Every suite's file of a folder, by name; raises SuiteInvalid for a file that is none."""
    found: dict[str, Suite] = {}
    for path in sorted(folder.glob("*.toml")):
        suite = read_suite(path)
        found[suite.name] = suite
    return found


def read_suite(path: Path) -> Suite:
    try:
        suite = Suite.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, ValidationError) as error:
        raise SuiteInvalid(
            f"{path.name}: {str(error).splitlines()[0]}", remedy="Write it as the other suites' files are."
        ) from error
    if suite.name != path.stem:
        raise SuiteInvalid(f"{path.name} holds the suite {suite.name!r}", remedy=f"Call the file {suite.name}.toml.")
    return suite
