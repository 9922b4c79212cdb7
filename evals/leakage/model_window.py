"""Whether a model may remember the days it is tested on: the stated end of its training data beside theirs."""

import tomllib
from datetime import date
from functools import cache
from importlib import resources

from ...domain.model import Model

NOT_TRAINED = ("rules", "scripted")
"""Models that are code: they remember nothing."""


class TrainedUntil(Model):
    """One line of the table. `name` is how names of the model begin."""

    name: str
    until: date
    source: str


def model_window(model: str, first: date, last: date) -> str:
    """In, partly in or out of the model's training window, or that it cannot be known, as printed beside a figure."""
    if model.startswith(NOT_TRAINED):
        return f"{model} is code and was trained on nothing"
    known = trained_until(model)
    if known is None:
        return f"in or out of the training window of {model} cannot be known: its end is not in the table"
    said = f"training data of {known.name} until {known.until} ({known.source})"
    if last <= known.until:
        return f"IN the training window: {said}"
    return f"out of the training window: {said}" if first > known.until else f"PARTLY IN the training window: {said}"


def trained_until(model: str) -> TrainedUntil | None:
    """The line of the table that the name begins with, the longest if there are several; None where there is none."""
    name = model.lower().rpartition("/")[2]
    found = [line for line in _table() if name.startswith(line.name)]
    return max(found, key=lambda line: len(line.name), default=None)


@cache
def _table() -> tuple[TrainedUntil, ...]:
    text = resources.files(__name__.rpartition(".")[0]).joinpath("model_windows.toml").read_text(encoding="utf-8")
    return tuple(TrainedUntil.model_validate(row) for row in tomllib.loads(text)["model"])
