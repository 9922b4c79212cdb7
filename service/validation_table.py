"""Validated risk models in words and tables: what each model passed, for a terminal, a document and a script."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date

from ..market.cards import DataSet
from ..quant.arrays import FloatArray
from ..quant.risk_validation import ModelRecord
from ..quant.tail_forecasts import TailModel
from ..quant.var_backtests import BASEL_DAYS, Zone
from ..tools.ledger import figure
from ..tools.scene import WINDOW_DAYS as GATE_DAYS

WINDOW_DAYS = 500
VAR_LEVEL, ES_LEVEL = 0.99, 0.975
SIGNIFICANCE = 0.05

HEADER = (
    "model",
    "days",
    "exceptions",
    "expected",
    "Kupiec p",
    "Christoffersen p",
    "last year",
    "Z2",
    "Z2 p",
    "quantile loss, bp",
    "refused days",
)
SHORT_HEADER = (
    "model",
    "days",
    "exceptions",
    "expected",
    "Kupiec",
    "Christoff.",
    "last year",
    "Z2",
    "Z2 p",
    "loss, bp",
)
"""For a terminal; what a model refused is said in the words below the table."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A model with its window, under the name people read."""

    title: str
    model: TailModel
    window_days: int = WINDOW_DAYS


CANDIDATES = (
    Candidate(f"historical, {GATE_DAYS} days", TailModel.HISTORICAL, GATE_DAYS),
    Candidate(f"historical, {WINDOW_DAYS} days", TailModel.HISTORICAL),
    Candidate("filtered historical", TailModel.FILTERED_HISTORICAL),
    Candidate("normal, EWMA", TailModel.NORMAL_EWMA),
    Candidate("Student t", TailModel.STUDENT_T),
    Candidate("Cornish-Fisher", TailModel.CORNISH_FISHER),
    Candidate("GARCH t", TailModel.GARCH_T),
    Candidate(f"rescaled history, {GATE_DAYS} days", TailModel.RESCALED, GATE_DAYS),
    Candidate(f"rescaled, losses only, {GATE_DAYS} days", TailModel.RESCALED_LOSSES, GATE_DAYS),
)


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """An equal-weighted book over the names of a data set that have a close on every day of the period."""

    data: DataSet
    first: date
    last: date
    names: tuple[str, ...]
    left_out: tuple[str, ...]
    returns: FloatArray


@dataclass(frozen=True, slots=True)
class Judged:
    """A candidate's record on one sample, or why it has none."""

    candidate: Candidate
    record: ModelRecord | None
    refusal: str = ""


def plain_words(rows: Sequence[Judged]) -> list[str]:
    """What passes and what does not, a sentence a model, and which forecast was sharpest."""
    good = [row.candidate.title for row in rows if row.record is not None and not failures(row.record)]
    lines = [f"Passes every test: {'; '.join(good) or 'none'}."]
    lines += [f"{row.candidate.title}: {_verdict(row)}." for row in rows]
    full = [row for row in rows if row.record is not None and row.record.n_refused == 0]
    if len(full) > 1:
        best = min(full, key=_loss)
        lines.append(f"Lowest quantile loss among the models that forecast every day: {best.candidate.title}.")
    return lines


def failures(record: ModelRecord) -> tuple[str, ...]:
    """The tests a record fails at 5 %, in words; empty when it passes all of them."""
    says: list[str] = []
    ratio = record.n_exceptions / record.expected_exceptions
    if record.kupiec_p < SIGNIFICANCE:
        says.append(f"{'too many' if ratio > 1.0 else 'too few'} exceptions ({ratio:.2f} times the expected)")
    if record.independence_p < SIGNIFICANCE:
        says.append("exceptions come in clusters")
    if record.coverage_p < SIGNIFICANCE and not says:
        says.append("number and timing of exceptions together are unlikely")
    if record.z2_p < SIGNIFICANCE:
        says.append("the tail was worse than its ES said")
    return tuple(says)


def markdown(judged: Sequence[tuple[Sample, Sequence[Judged]]], command: str) -> str:
    """The document: what was done, then a table and plain words for each data set."""
    parts = [
        "# Validation of the risk models",
        f"Written by `{command}`; do not edit it by hand. A data set that is not built in was first kept under its "
        "name with `parley data import`; its file stands beside its table.",
        f"Every evening each model foresees the next day's VaR at {VAR_LEVEL:.0%} and ES at {ES_LEVEL:.1%} of an "
        f"equal-weighted book from the {WINDOW_DAYS} days before, and the next day judges it. No model sees the day it "
        f"forecasts, and all are asked on the same days. The gate's own limit rests on "
        f"`{CANDIDATES[-1].title}`: every name at its volatility of today, and no gain set against a loss.",
        _READING,
    ]
    for sample, rows in judged:
        parts.append(f"## {sample.data.card.title}")
        parts.append(_about(sample))
        parts.append(_table(rows))
        parts.append("\n".join(f"- {line}" for line in plain_words(rows)))
    return "\n\n".join(parts) + "\n"


_READING = "\n".join(
    (
        "- **Kupiec p**: chance of a count of exceptions this far from the expected, if the VaR is right.",
        "- **Christoffersen p**: the same for count and clustering together.",
        f"- **last year**: Basel traffic light over the last {BASEL_DAYS} days judged.",
        "- **Z2**, **Z2 p**: Acerbi and Szekely's second test of the ES; 0 when it is right on average, negative when "
        "the tail was worse than foreseen.",
        "- **quantile loss**: mean pinball loss of the VaR in basis points a day; lower is better. Compare it only "
        "between models with equally many days.",
        "- **refused days**: the sample lay outside the model's domain; they are not judged.",
        "",
        f"A test fails below {SIGNIFICANCE:g}. Nothing is adjusted for the number of tests: a right model fails one "
        "of them in twenty by chance. A pass on few days says little, since the tests cannot see much in them.",
    )
)


def _verdict(row: Judged) -> str:
    if row.record is None:
        return f"gives no record ({row.refusal})"
    record, says = row.record, failures(row.record)
    notes = ["fails, " + "; ".join(says) if says else "passes every test"]
    if record.last_year_zone is not Zone.GREEN:
        notes.append(f"its last year is {record.last_year_zone.value} ({record.last_year_exceptions} exceptions)")
    if record.n_refused:
        notes.append(f"it refused {record.n_refused} days")
    return "; ".join(notes)


def _loss(row: Judged) -> float:
    return row.record.quantile_loss if row.record else float("inf")


def cells(row: Judged) -> tuple[str, ...]:
    record = row.record
    if record is None:
        return (row.candidate.title, *["-"] * (len(HEADER) - 1))
    return (
        row.candidate.title,
        str(record.n_days),
        str(record.n_exceptions),
        f"{record.expected_exceptions:.1f}",
        _p(record.kupiec_p),
        _p(record.coverage_p),
        record.last_year_zone.value,
        f"{record.z2:.2f}",
        _p(record.z2_p),
        f"{1e4 * record.quantile_loss:.3f}",
        str(record.n_refused),
    )


def _p(value: float) -> str:
    return "< 0.001" if value < 0.001 else f"{value:.3f}"


def _table(rows: Sequence[Judged]) -> str:
    lines = [HEADER, ("---", *["---:"] * (len(HEADER) - 1)), *(cells(row) for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def title(sample: Sample) -> str:
    return f"{sample.data.card.title}: {sample.first} to {sample.last}, {len(sample.names)} names in equal parts"


def _about(sample: Sample) -> str:
    card = sample.data.card
    left = f" {len(sample.left_out)} without a close on every day are left out." if sample.left_out else ""
    return (
        f"{sample.first} to {sample.last}, {len(sample.names)} names in equal parts, restored every day.{left} "
        f"Source: {card.source}; {card.survivorship}."
    )


def document(sample: Sample, rows: Sequence[Judged]) -> dict[str, object]:
    return {
        "name": sample.data.card.name,
        "start": sample.first.isoformat(),
        "end": sample.last.isoformat(),
        "names": list(sample.names),
        "left_out": list(sample.left_out),
        "models": [_row_document(row) for row in rows],
        "words": plain_words(rows),
    }


def _row_document(row: Judged) -> dict[str, object]:
    head: dict[str, object] = {"title": row.candidate.title, "window_days": row.candidate.window_days}
    if row.record is None:
        return head | {"model": row.candidate.model.value, "refused": row.refusal}
    plain = {key: figure(value) if isinstance(value, float) else value for key, value in asdict(row.record).items()}
    return head | plain | {"fails": list(failures(row.record))}
