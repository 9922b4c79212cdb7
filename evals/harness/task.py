"""What a suite asks and what it finds: samples in, scored outcomes, and a summary that a reader can judge."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

from pydantic import JsonValue


@dataclass(frozen=True, slots=True)
class Sample:
    """One thing asked. `input` is all that the answer depends on beside the task's own fields and the epoch."""

    id: str
    """Unique in its suite; letters, digits, dot, dash and underscore, for it names files."""
    input: Mapping[str, JsonValue]
    target: JsonValue = None
    metadata: Mapping[str, JsonValue] = field(default_factory=dict[str, JsonValue])


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one sample came to in one epoch. Nothing in it depends on the machine or on how long it took."""

    scores: Mapping[str, float | None]
    passed: bool | None = None
    """None where the sample measures something and tests nothing."""
    reason: str = ""
    """Why it did not pass, in a sentence."""
    transcript: JsonValue = None
    """Everything a reader would ask for: decisions, replies, paths."""
    calls: int = 0
    tokens: int = 0
    cost_usd: float = 0.0


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure with what it takes to judge it. Fractions, not percents; `low` and `high` bound the 95 % interval."""

    name: str
    value: float | None
    unit: str
    low: float | None = None
    high: float | None = None
    n: int | None = None
    """Of how many observations."""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of cells under a header; `units` has one unit a column, "" for words."""

    title: str
    header: tuple[str, ...]
    units: tuple[str, ...]
    rows: tuple[tuple[str | float | int | None, ...], ...]
    note: str = ""


@dataclass(frozen=True, slots=True)
class Chart:
    """Points to be looked at. `kind` is lines (over dates), bars (with intervals), reliability or histogram.

    A histogram's `x` are the edges of its bins, one more than there are counts; a reliability diagram's are the mean
    forecasts of its bins.
    """

    title: str
    kind: str
    unit: str
    x: tuple[str | float, ...]
    lines: Mapping[str, tuple[float | None, ...]]
    low: tuple[float | None, ...] = ()
    high: tuple[float | None, ...] = ()
    mark: float | None = None
    """Of a histogram: where ours stands."""


@dataclass(frozen=True, slots=True)
class DatasetCard:
    """Which data made a figure: printed beside it."""

    name: str
    source: str
    licence: str
    first: str
    last: str
    fingerprint: str
    model_window: str
    """In or out of the model's training window, or that it cannot be known."""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Summary:
    """What a suite came to, in the order a reader wants it: figures, tables, charts, and what they do not say."""

    figures: tuple[Figure, ...]
    tables: tuple[Table, ...] = ()
    charts: tuple[Chart, ...] = ()
    notes: tuple[str, ...] = ()
    cards: tuple[DatasetCard, ...] = ()


@dataclass(frozen=True, slots=True)
class Scored:
    """An outcome with the sample and the epoch it belongs to."""

    sample: Sample
    epoch: int
    outcome: Outcome


class Task(Protocol):
    """One suite's code: a frozen dataclass of its options, so that worker processes can have a copy of it."""

    @property
    def name(self) -> str: ...

    def samples(self) -> Sequence[Sample]:
        """All that is asked, in order; deterministic."""
        ...

    def run(self, sample: Sample, epoch: int) -> Outcome:
        """Answers one sample; a function of its arguments and the task's fields alone."""
        ...

    def summarize(self, scored: Sequence[Scored]) -> Summary:
        """What all outcomes together came to; those of samples that failed by an error are not among them."""
        ...


@runtime_checkable
class Fingerprinted(Protocol):
    """A task that reads data sets: by name, the hash of what it reads. They are part of an evaluation's identity."""

    def fingerprints(self) -> Mapping[str, str]: ...


@runtime_checkable
class Keeping(Protocol):
    """A task that leaves something of its outcomes in the book, for evaluations to come."""

    def keep(self, scored: Sequence[Scored]) -> None: ...
