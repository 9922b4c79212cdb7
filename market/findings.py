"""What a check of market data found: one line each, in a fixed order."""

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class Finding:
    """One doubt about the data; `row` is 1-based: the file's data row, or the panel's session row."""

    code: str
    symbol: str | None
    row: int | None
    session: date | None
    text: str


@dataclass(frozen=True, slots=True)
class QualityReport:
    """All findings of one data set, ordered by code, symbol and row."""

    name: str
    rows: int
    symbols: tuple[str, ...]
    findings: tuple[Finding, ...]
    refused: int = 0
    """How many of them are errors, for which the file is not loaded at all; the others are doubts."""

    @property
    def codes(self) -> tuple[str, ...]:
        """The distinct codes found, sorted."""
        return tuple(sorted({finding.code for finding in self.findings}))


def in_order(findings: list[Finding]) -> tuple[Finding, ...]:
    """Findings in the report's order, whatever order the checks ran in."""
    return tuple(
        sorted(
            findings,
            key=lambda item: (item.code, item.symbol or "", item.row or 0, item.session or date.min, item.text),
        )
    )
