"""What a suite's task is built from: the options of `parley eval run`, the desk's settings, and the suite's numbers."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from pydantic import JsonValue

from ...desk.settings import Settings
from ...domain.canonical import content_hash
from ...gate.limits import Limits, load_limits
from ..errors import CaseUnreadable, SuiteInvalid

_ASKED = (
    "data",
    "start",
    "end",
    "model",
    "seed",
    "seeds",
    "cases",
    "arms",
    "scenario",
    "replay",
    "run_name",
)


@dataclass(frozen=True, slots=True)
class SuiteOptions:
    """A suite reads those that concern it; None leaves it to the suite's file, `parameters`, or to the task."""

    data: str | None = None
    start: str | None = None
    end: str | None = None
    model: str | None = None
    seed: int | None = None
    seeds: int | None = None
    epochs: int | None = None
    max_samples: int | None = None
    cases: int | None = None
    arms: tuple[str, ...] = ()
    scenario: str | None = None
    replay: Path | None = None
    out: Path | None = None
    """Where a suite writes what it found beside the record: it decides nothing."""
    book: Path = Path("book")
    run_name: str | None = None
    config: Path | None = None
    max_cost_usd: float | None = None
    settings: Settings = field(default_factory=Settings)
    limits: Limits = field(default_factory=load_limits)
    parameters: Mapping[str, JsonValue] = field(default_factory=dict[str, JsonValue])

    def count(self, name: str) -> int:
        """A whole number: the option of that name where it was given, else the suite's parameter."""
        given = getattr(self, name, None)
        found = self.parameters.get(name) if given is None else given
        if isinstance(found, bool) or not isinstance(found, int):
            raise SuiteInvalid(
                f"parameter {name!r} is {found!r}, expected a whole number",
                remedy=f"Write `{name} = 10` under [parameters] of the suite's file.",
            )
        return found

    def asked(self) -> dict[str, JsonValue]:
        """What was asked for, in the form of the manifest; what was left open is not in it."""
        found: dict[str, JsonValue] = {}
        for name in _ASKED:
            value = getattr(self, name)
            if value not in (None, ()):
                found[name] = list(value) if isinstance(value, tuple) else str(value) if name == "replay" else value
        if self.replay is not None:
            found["replay_hash"] = _file_hash(self.replay)
        return found

    def with_asked(self, asked: Mapping[str, JsonValue]) -> "SuiteOptions":
        """The options that a manifest names, over this book and these settings."""
        found = dict[str, object]()
        for name in _ASKED:
            value = asked.get(name)
            if value is not None:
                found[name] = (
                    tuple(value) if isinstance(value, list) else Path(str(value)) if name == "replay" else value
                )
        return replace(self, **found)  # pyright: ignore[reportArgumentType]  (each came out of `asked`)


def _file_hash(path: Path) -> str:
    try:
        return content_hash(path.read_bytes().hex())
    except OSError as error:
        raise CaseUnreadable(
            f"{path}: {error.strerror or error}", remedy="Check the path given to --replay."
        ) from error
