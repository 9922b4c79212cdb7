"""The `eval compare` command: two evaluations of a book, or two samples of them, pair by pair."""

from dataclasses import asdict
from pathlib import Path

from ..evals.errors import NotComparable
from ..evals.harness.comparison import Comparison, Difference, compare
from ..evals.harness.record import Record, find_record
from ..evals.harness.task import Outcome
from .console import Console

MOST_ROWS = 20
ALIKE = "only"
"""What a sample is called when one was chosen on each side: then they are paired whatever they are called."""
_NO_DIFFERENCE = frozenset({"id", "text", "tags", "prompts", "version"})


def perform_compare(a: str, b: str, seed: int, book: Path, console: Console) -> None:
    """B less A over what both have; `EVAL:SAMPLE` on both sides pairs two samples with a series of days."""
    (one, left), (other, right) = _side(a, book), _side(b, book)
    found = compare(left, right, seed)
    differs = _differing(one, other)
    console.result(
        {
            "a": one.id,
            "b": other.id,
            "made_with_another": differs,
            "shared": found.shared,
            "only_a": found.only_a,
            "only_b": found.only_b,
            "differences": [
                {**asdict(item), "interval": [item.interval.low, item.interval.high], "is_clear": item.is_clear}
                for item in found.differences
            ],
            "sharpe_interval": None if found.sharpe is None else [found.sharpe.low, found.sharpe.high],
            "samples": [dict(zip(("sample", "score", "a", "b"), row, strict=True)) for row in found.rows],
            "turned": [{"sample": sample, "passes_in": side} for sample, side in found.turned],
            "sentences": list(found.sentences),
        }
    )
    _say(console, a, b, differs, found)


def _side(name: str, book: Path) -> tuple[Record, dict[str, list[Outcome]]]:
    """A record, and by sample its outcomes with their transcripts; of one sample alone after a colon."""
    ident, _, sample = name.partition(":")
    record = find_record(book, ident)
    found: dict[str, list[Outcome]] = {}
    for item in record.kept().values():
        if not item.error and sample in ("", item.sample):
            found.setdefault(ALIKE if sample else item.sample, []).append(record.outcome(item))
    if not found:
        known = ", ".join(sorted({item.sample for item in record.kept().values()})[:MOST_ROWS])
        raise NotComparable(f"{record.id} has no outcome of {sample or 'any sample'!r}", remedy=f"There are: {known}.")
    return record, found


def _differing(one: Record, other: Record) -> list[str]:
    """What the two were made with that is not the same: what a difference may come from."""
    left, right = one.manifest(), other.manifest()
    return sorted(key for key in {*left, *right} - _NO_DIFFERENCE if left.get(key) != right.get(key))


def _say(console: Console, a: str, b: str, differs: list[str], found: Comparison) -> None:
    how = f"made with another {', '.join(differs)}" if differs else "two arms of one evaluation"
    console.say(f"A is {a}, B is {b}; {how}")
    apart = found.only_a + found.only_b
    console.say(f"{found.shared} samples in both" + (f", {apart} in one alone, left out" if apart else ""))
    header = ("score", "pairs", "A", "B", "B less A", "95 % interval", "p", "p, Holm", "needed")
    console.table("", header, [_row(item) for item in found.differences])
    if found.rows:
        rows = [(sample, score, f"{x:.6g}", f"{y:.6g}", f"{y - x:+.4g}") for sample, score, x, y in found.rows]
        more = len(rows) - MOST_ROWS
        title = "Samples that differ" + (f", {MOST_ROWS} of {len(rows)}" if more > 0 else "")
        console.table(title, ("sample", "score", "A", "B", "B less A"), rows[:MOST_ROWS])
    for sample, side in found.turned[:MOST_ROWS]:
        console.say(f"{sample} passes in {side} alone")
    for sentence in found.sentences:
        console.say(sentence)


def _row(item: Difference) -> tuple[str, ...]:
    return (
        item.score,
        f"{item.n} {item.pairs}",
        f"{item.mean_a:.5g}",
        f"{item.mean_b:.5g}",
        f"{item.mean:+.4g}",
        f"{item.interval.low:+.3g} to {item.interval.high:+.3g}",
        f"{item.p_value:.3g}",
        f"{item.holm_p:.3g}",
        "" if item.needed is None else f"{item.needed:,}",
    )
