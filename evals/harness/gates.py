"""Gates: which figure of which suite has to be where, from a file; a figure that is not there does not pass."""

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationError

from ...domain.model import Model
from ..errors import GatesInvalid
from .task import Figure, Summary

GATES = Path(__file__).parents[1] / "gates.toml"


class Gate(Model):
    """One bound. `bound` is what is held against it: the figure itself, or an end of its 95 % interval."""

    suite: str
    figure: str
    operator: Literal["<=", ">=", "<", ">", "=="]
    threshold: float
    min_n: int = Field(ge=0)
    why: str = Field(min_length=1)
    bound: Literal["value", "low", "high"] = "value"

    @property
    def text(self) -> str:
        what = self.figure if self.bound == "value" else f"{self.figure} ({self.bound} end)"
        return f"{what} {self.operator} {self.threshold:g}"


class _File(Model):
    gate: tuple[Gate, ...]


@dataclass(frozen=True, slots=True)
class Judged:
    """A gate and how it went. `is_short`: the figure has too few observations to be judged."""

    gate: Gate
    value: float | None
    n: int | None
    passed: bool
    reason: str
    is_short: bool = False


def read_gates(path: Path = GATES) -> tuple[Gate, ...]:
    """The gates of a file; raises GatesInvalid."""
    try:
        return _File.model_validate(tomllib.loads(path.read_text(encoding="utf-8"))).gate
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, ValidationError) as error:
        raise GatesInvalid(
            f"{path}: {'; '.join(str(error).splitlines()[:3])}",
            remedy="Write [[gate]] tables with suite, figure, operator, threshold, min_n and why.",
        ) from error


def judge(gates: Sequence[Gate], suite: str, summary: Summary) -> list[Judged]:
    """Every gate of a suite against its summary."""
    figures = {figure.name: figure for figure in summary.figures}
    return [_judged(gate, figures.get(gate.figure)) for gate in gates if gate.suite == suite]


def _judged(gate: Gate, figure: Figure | None) -> Judged:
    if figure is None:
        return Judged(gate, None, None, False, f"there is no figure {gate.figure!r}")
    value = {"value": figure.value, "low": figure.low, "high": figure.high}[gate.bound]
    n = figure.n or 0
    if n < gate.min_n:
        return Judged(gate, value, n, False, f"{n} observations, {gate.min_n} are needed", is_short=True)
    if value is None:
        return Judged(gate, None, n, False, "it has no value")
    if _holds(value, gate.operator, gate.threshold):
        return Judged(gate, value, n, True, "")
    return Judged(gate, value, n, False, f"it is {value:g}, not {gate.operator} {gate.threshold:g}")


def _holds(value: float, operator: str, threshold: float) -> bool:
    """Written so that a NaN never holds."""
    if operator == "<=":
        return value <= threshold
    if operator == ">=":
        return value >= threshold
    if operator == "<":
        return value < threshold
    return value > threshold if operator == ">" else value == threshold
