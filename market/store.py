"""Imports market files into a series store, strictly, and loads them back as the data sets they were.

What is kept are the file's own rows under the house's names, unadjusted, next to the adjustment; and what lay
beside the file when it was imported: sectors and texts. Loading walks the same code as loading the file does,
so that an imported data set and its file have one fingerprint.
"""

import hashlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import numpy as np
from pydantic import ValidationError

from ..domain.instruments import Universe
from ..domain.market import TextItem
from ..domain.model import Model
from ..storage.errors import StoreCorrupt
from ..storage.parquet import ParquetSeriesStore
from ..storage.series import Card, Column, SeriesStore, check_name
from .cards import DataCard, DataSet
from .datasets import catalog
from .errors import NameTaken
from .file_checks import exchange_wall, file_findings, refuse_first
from .files import build_panel, data_set_of, recorded_quotes, table_calendar
from .findings import Finding
from .quality import check_panel
from .repairs import sort_rows
from .sessions import session_calendar
from .tables import NUMBER_COLUMNS, TEXT_COLUMNS, Kind, Table, read_table

ROWS, TEXTS = "rows", "texts"


class StoredCard(Model):
    """The card kept with an imported data set: where it came from, what it holds, what was done to it."""

    version: Literal[1] = 1
    file: str
    sha256: str
    kind: Kind
    rows: int
    calendar: str
    card: DataCard
    universe: Universe
    repairs: Mapping[str, int]
    findings: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What an import has stored; `repairs` name rows of the file, `findings` are doubts that do not refuse it."""

    stored: StoredCard
    repairs: tuple[Finding, ...]
    findings: tuple[Finding, ...]
    texts: int
    is_replacement: bool
    """Whether a data set of that name was there before; runs made on it can only be replayed with its file."""


def book_store(book: Path) -> SeriesStore:
    """Where a book keeps its imported data sets; nothing is made before the first import."""
    return ParquetSeriesStore(book / "data")


def import_file(
    store: SeriesStore,
    path: Path,
    name: str,
    *,
    sort: bool = False,
    symbols_path: Path | None = None,
    texts_path: Path | None = None,
    benchmark: str | None = None,
    calendar: str = "XNYS",
) -> ImportReport:
    """Check a file as `load_file` does and keep it under a name, in place of what had that name.

    With `sort`, rows are sorted and exact repeats dropped, each one reported; whatever else is wrong
    raises DataFileError with file, row and remedy, and the store stays as it was.
    """
    _check_free(name)
    table = read_table(path)
    sessions = table_calendar(table, calendar)
    refused = file_findings(table, sessions)
    repairs: tuple[Finding, ...] = ()
    sound = table
    if sort:
        repaired = sort_rows(table, refused)
        sound, repairs, refused = repaired.table, repaired.repairs, repaired.refused
    refuse_first(table, refused)
    data = data_set_of(sound, sessions, symbols_path=symbols_path, texts_path=texts_path, benchmark=benchmark)
    findings = check_panel(data.panel, data.card).findings
    stored = _stored_card(name, sound, data, repairs, findings)
    is_replacement = name in store.names()
    tables = {ROWS: _row_columns(sound)} | ({TEXTS: _text_columns(data.texts)} if data.texts else {})
    store.write(name, tables, stored.model_dump(mode="json"))
    return ImportReport(stored, repairs, findings, len(data.texts), is_replacement)


def load_stored(store: SeriesStore, name: str) -> DataSet:
    """The data set of an import, equal to what loading its file gave then."""
    series = store.read(name)
    stored = _parsed_card(name, series.card)
    table = _table_of(series.tables[ROWS], stored)
    sessions = table_calendar(table, stored.calendar)
    return DataSet(
        card=stored.card,
        panel=build_panel(table, sessions, stored.universe.benchmark),
        universe=stored.universe,
        texts=_texts_of(series.tables[TEXTS]) if TEXTS in series.tables else (),
        recorded=recorded_quotes(table, sessions),
    )


def stored_cards(store: SeriesStore) -> tuple[DataCard, ...]:
    """The cards of all imported data sets, by name, without loading any."""
    return tuple(_parsed_card(name, store.card(name)).card for name in store.names())


def _check_free(name: str) -> None:
    check_name(name)
    if name in {card.name for card in catalog()}:
        raise NameTaken(
            f"{name!r} is a data set that comes with the installation.",
            remedy="Import the file under another name.",
        )


def _stored_card(
    name: str, table: Table, data: DataSet, repairs: tuple[Finding, ...], findings: tuple[Finding, ...]
) -> StoredCard:
    digest = hashlib.sha256(table.path.read_bytes()).hexdigest()
    repaired = Counter(item.code for item in repairs)
    said = {
        "unsorted": "rows were out of order in the file and were sorted when it was imported",
        "duplicate": "rows were exact repeats and were dropped when it was imported",
    }
    notes = tuple(f"{repaired[code]} {text}" for code, text in said.items() if repaired[code])
    return StoredCard(
        file=table.path.name,
        sha256=digest,
        kind=table.kind,
        rows=len(table),
        calendar=data.panel.calendar,
        card=replace(
            data.card,
            name=name,
            source=f"{table.path.name}, SHA-256 {digest[:16]}",
            notes=(*data.card.notes, *notes),
        ),
        universe=data.universe.model_copy(update={"name": name}),
        repairs=repaired,
        findings=Counter(item.code for item in findings),
    )


def _parsed_card(name: str, card: Card) -> StoredCard:
    try:
        return StoredCard.model_validate(card)
    except ValidationError as error:
        first = error.errors()[0]
        raise StoreCorrupt(
            f"{name}: its card cannot be read: {'.'.join(map(str, first['loc']))}: {first['msg']}",
            remedy=f"Import the file again: `parley data import PATH --name {name}`.",
        ) from error


def _row_columns(table: Table) -> dict[str, Column]:
    names = np.array(table.symbol_names, dtype=object)
    times = {"session": table.days} if table.kind == "daily" else {"ts": table.utc}
    texts = {name: _text_or_none(values) for name, values in table.texts.items()}
    return {"symbol": names[table.symbol_codes], **times, **table.numbers, **texts}


def _text_or_none(values: Column) -> Column:
    """Missing text, which a file reader gives as NaN, None or NA, as None."""
    import pandas as pd

    is_missing = np.asarray(pd.isna(values))
    kept = [None if gone else str(item) for item, gone in zip(values.tolist(), is_missing.tolist(), strict=True)]
    return np.array(kept, dtype=object)


def _table_of(columns: Mapping[str, Column], card: StoredCard) -> Table:
    symbols = columns["symbol"]
    starts = np.r_[True, symbols[1:] != symbols[:-1]]
    if card.kind == "daily":
        utc = wall = columns["session"].astype("datetime64[us]")
    else:
        utc = columns["ts"].astype("datetime64[us]")
        span = utc.min().astype("datetime64[D]").item(), utc.max().astype("datetime64[D]").item()
        wall = exchange_wall(utc, session_calendar(card.calendar, *span).zone)
    return Table(
        path=Path(card.file),
        kind=card.kind,
        symbol_codes=np.cumsum(starts) - 1,
        symbol_names=tuple(symbols[starts].tolist()),
        wall=wall,
        utc=utc,
        numbers={name: columns[name].astype(np.float64) for name in NUMBER_COLUMNS if name in columns},
        texts={name: columns[name].astype(object) for name in TEXT_COLUMNS if name in columns},
        findings=(),
    )


def _text_columns(items: tuple[TextItem, ...]) -> dict[str, Column]:
    # Text files stamp publication: the event and its arrival are one moment, and one column.
    moments = [item.available_at.astimezone(UTC).replace(tzinfo=None) for item in items]
    words = {
        name: np.array([getattr(item, name) for item in items], dtype=object)
        for name in ("symbol", "id", "source", "headline", "body")
    }
    return {"ts": np.array(moments, dtype="datetime64[us]"), **words}


def _texts_of(columns: Mapping[str, Column]) -> tuple[TextItem, ...]:
    moments: list[datetime] = [moment.replace(tzinfo=UTC) for moment in columns["ts"].tolist()]
    words = [columns[name].tolist() for name in ("id", "symbol", "source", "headline", "body")]
    return tuple(
        TextItem(
            id=key,
            symbol=symbol,
            source=source,
            ts_event=moment,
            available_at=moment,
            headline=headline,
            body=body,
        )
        for moment, key, symbol, source, headline, body in zip(moments, *words, strict=True)
    )
