"""The `data` commands: which sets there are, and what is wrong with one."""

from collections import Counter
from pathlib import Path

from ..desk.book import Book
from ..market.datasets import catalog, split_name
from ..market.errors import DataFileError
from ..market.findings import QualityReport
from ..market.quality import check_data, check_file
from ..market.store import book_store, import_file, stored_cards
from .console import Console

SHOWN = 20


def perform_data_list(book: Path, console: Console) -> None:
    cards = (*catalog(), *stored_cards(book_store(book)))
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


def perform_data_import(path: Path, name: str, sort: bool, book: Path, console: Console) -> None:
    """Check a file and keep it in the book under a name."""
    report = import_file(book_store(book), path, name, sort=sort)
    card = report.stored.card
    console.result(
        {
            "name": card.name,
            "start": card.first_session.isoformat(),
            "end": card.last_session.isoformat(),
            "texts": report.texts,
            "replaced": report.is_replacement,
            "repairs": [item.text for item in report.repairs],
            "findings": [{"code": item.code, "symbol": item.symbol, "text": item.text} for item in report.findings],
        }
    )
    console.say(f"{card.name}: {card.title}, {card.first_session} to {card.last_session}, {report.texts} texts")
    for item in report.repairs:
        console.say(f"  repaired: {item.text}")
    if report.findings:
        console.say(f"  {len(report.findings)} findings; see them with: parley data check {path}")
    console.say(f"Use it with: parley run --data {card.name}")


def perform_data_check(name: str, book: Path, console: Console) -> bool:
    """All that is found; False where some of it is why the data can't be loaded at all."""
    report = _checked(name, book)
    console.result(
        {
            "name": report.name,
            "rows": report.rows,
            "symbols": len(report.symbols),
            "refused": report.refused,
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
    if report.refused:
        console.say(f"{report.refused} of them are errors: no run takes the data before they are corrected.")
    return not report.refused


def _checked(name: str, book: Path) -> QualityReport:
    is_named = name in {card.name for card in (*catalog(), *stored_cards(book_store(book)))}
    if not is_named and Path(name).exists():
        return check_file(Path(name))
    path, every = split_name(name)
    try:
        return check_data(Book(book).load(name))
    except DataFileError:
        if every is None or not Path(path).is_file():
            raise
        return check_file(Path(path))  # the loader names the first error only
