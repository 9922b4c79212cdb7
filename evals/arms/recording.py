"""A run whose model's replies are kept, as the arm of an evaluation: its days, its settings, and what was said."""

from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path

from ...desk.book import Book, open_log
from ...desk.remembering import recorded_calls
from ...desk.settings import Settings, settings_of_run
from ...domain.canonical import content_hash
from ...domain.decisions import ModelCall
from ...domain.events import DecisionMade
from ...gate.limits import Limits
from ...memory.history import run_started
from .errors import ArmImpossible

RECORDED = "recorded:"
"""With the folder of a book behind it: the latest run's replies, to the same questions and to no others."""


@dataclass(frozen=True, slots=True)
class Recording:
    """The latest run of a book, as far as it has come: a run that was cut off is a shorter recording."""

    run_id: str
    model: str
    data: str
    first: date
    last: date
    """The last session that was decided on."""
    seed: int
    settings: Settings
    limits_hash: str
    calls: tuple[ModelCall, ...]

    def hash(self) -> str:
        """Of all that was asked and said."""
        return content_hash([call.model_dump(mode="json") for call in self.calls])

    def require(self, settings: Settings, limits: Limits) -> None:
        """Raises ArmImpossible where other questions would be asked than were answered."""
        if limits.hash() != self.limits_hash:
            raise ArmImpossible(
                f"{self.run_id} was recorded under limits {self.limits_hash[:12]}, and these are {limits.hash()[:12]}",
                remedy="Name the run's limits file in the settings.",
            )
        if settings.hash() == self.settings.hash():
            return
        mine, other = _flat(settings), _flat(self.settings)
        names = sorted(name for name in mine.keys() | other.keys() if mine.get(name) != other.get(name))
        told = ", ".join(f"{name} = {other.get(name)} there and {mine.get(name)} here" for name in names)
        raise ArmImpossible(
            f"{self.run_id} was recorded with other settings: {told}",
            remedy="Give the settings file of that run with --config.",
        )


def recording_of(name: str) -> Recording:
    """The recording that `recorded:BOOK` names; raises ArmImpossible where no model was asked in it."""
    return _read(Path(name.removeprefix(RECORDED)).resolve())


@cache
def _read(book: Path) -> Recording:
    with open_log(Book(book).find(None), readonly=True) as (log, _):
        started, calls = run_started(log), tuple(recorded_calls(log))
        event = log.last(DecisionMade)
        decided = event.decoded() if event is not None else None
        if not isinstance(decided, DecisionMade) or not calls:
            raise ArmImpossible(
                f"{book}: its latest run, {started.run_id} by {started.model}, holds no reply of a language model",
                remedy="Record one: parley run --model MODEL --book BOOK.",
            )
        return Recording(
            run_id=started.run_id,
            model=started.model,
            data=started.data,
            first=started.first_session,
            last=decided.decision.snapshot.session,
            seed=started.seed,
            settings=settings_of_run(started.settings),
            limits_hash=started.limits_hash,
            calls=calls,
        )


def _flat(settings: Settings) -> dict[str, object]:
    """The settings that decide what is asked, by dotted name."""
    found: dict[str, object] = {}
    for name, value in settings.public().items():
        if isinstance(value, dict):
            found |= {f"{name}.{below}": item for below, item in value.items()}
        else:
            found[name] = value
    return found
