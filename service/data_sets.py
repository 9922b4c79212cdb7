"""The `data` commands: which sets there are, and what is wrong with one."""

from collections import Counter
from pathlib import Path

from ..market.datasets import catalog, load_data
from ..market.findings import QualityReport
from ..market.quality import check_file, check_panel
from .console import Console

SHOWN = 20


def perform_data_list(console: Console) -> None:
    cards = catalog()
    console.result(
        {
            "data": [
                {
                    "name": card.name,
                    "title": card.title,
                    "source": card.source,
                    "license": card.license,
                    "start": card.first_session.isoformat(),
                    "end": card.last_session.isoformat(),
                    "frequency": card.frequency,
                    "close_only": card.close_only,
                    "survivorship": card.survivorship,
                    "notes": list(card.notes),
                }
                for card in cards
            ]
        }
    )
    for card in cards:
        console.say(f"{card.name:<8} {card.title}, {card.first_session} to {card.last_session}")
        console.say(f"         {card.source}; {card.license}; {card.survivorship}")
        for note in card.notes:
            console.say(f"         {note}")
    console.say("\nAny Parquet or CSV file works by its path; see docs/data.md for the columns.")


def perform_data_check(name: str, console: Console) -> None:
    report = _checked(name)
    console.result(
        {
            "name": report.name,
            "rows": report.rows,
            "symbols": len(report.symbols),
            "findings": [
                {
                    "code": item.code,
                    "symbol": item.symbol,
                    "row": item.row,
                    "session": item.session.isoformat() if item.session else None,
                    "text": item.text,
                }
                for item in report.findings
            ],
        }
    )
    console.say(f"{report.name}: {report.rows} rows, {len(report.symbols)} symbols, {len(report.findings)} findings")
    for code, count in sorted(Counter(item.code for item in report.findings).items()):
        console.say(f"  {code:<16} {count}")
    for item in report.findings[:SHOWN]:
        console.say(f"  {item.symbol or '-':<8} {item.session or '-'!s:<12} {item.text}")
    if len(report.findings) > SHOWN:
        console.say(f"  ... and {len(report.findings) - SHOWN} more; --json lists all")


def _checked(name: str) -> QualityReport:
    if Path(name).is_file():
        return check_file(Path(name))
    data = load_data(name)
    return check_panel(data.panel, data.card)
