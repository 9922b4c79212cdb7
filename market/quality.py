"""Quality reports: what is doubtful in a loaded data set, or in a file that the loader may refuse."""

from pathlib import Path

import numpy as np

from .cards import DataCard, DataSet
from .errors import DataFileError
from .file_checks import file_findings
from .files import build_panel, table_calendar
from .findings import Finding, QualityReport, in_order
from .intraday_checks import intraday_findings
from .panel import Panel
from .panel_checks import panel_findings
from .recording_checks import check_books, check_feed, is_raw_feed, played_findings
from .sessions import SessionCalendar
from .tables import Table, read_table, without_rows

SILENCES = ("gap", "halt")


def check_data(data: DataSet) -> QualityReport:
    """Every finding about a loaded data set; of one that is decided on within the day, also about its recordings."""
    if data.panel.interval is None:
        return check_panel(data.panel, data.card)
    bars = int((~np.isnan(data.panel.close)).sum())
    return QualityReport(data.card.name, bars, data.panel.symbols, in_order(intraday_findings(data)))


def check_panel(panel: Panel, card: DataCard) -> QualityReport:
    """Every finding about a panel; `row` is the 1-based row among its sessions."""
    bars = int((~np.isnan(panel.close)).sum())
    return QualityReport(card.name, bars, panel.symbols, in_order(panel_findings(panel)))


def check_file(path: Path, calendar: str = "XNYS") -> QualityReport:
    """Every finding about a file: what the strict loader refuses, and how its sound rows look.

    Of a recording, or of bars within the day, also what a venue that plays it would leave out.

    `row` is the file's 1-based data row; None where no single row is to blame.
    """
    try:
        recorded = check_feed(path) if is_raw_feed(path) else check_books(path)
        if recorded is not None:
            return recorded
        table = read_table(path)
    except DataFileError as error:
        finding = Finding(error.reason, None, error.row, None, error.message)
        return QualityReport(path.stem, 0, (), (finding,), 1)
    sessions = table_calendar(table, calendar)
    refused = file_findings(table, sessions)
    # Rows out of order are sound in themselves; every other refused row would distort what follows.
    bad_rows = {item.row - 1 for item in refused if item.row is not None and item.code != "unsorted"}
    found = [*refused, *_findings_of_sound_rows(without_rows(table, bad_rows), table, sessions)]
    ordered = without_rows(table, {item.row - 1 for item in refused if item.row is not None})
    if table.kind != "daily" and len(ordered):
        # Where rows were taken out, a silence may be of our making.
        silent = SILENCES if len(ordered) < len(table) else ()
        found += [item for item in played_findings(ordered, sessions) if item.code not in silent]
    return QualityReport(path.stem, len(table), tuple(sorted(table.symbol_names)), in_order(found), len(refused))


def _findings_of_sound_rows(sound: Table, whole: Table, sessions: SessionCalendar) -> list[Finding]:
    if len(sound) == 0:
        return []
    try:
        found = panel_findings(build_panel(sound, sessions))
    except DataFileError as error:
        return [Finding(error.reason, None, error.row, None, error.message)]
    if whole.kind != "daily":
        return [Finding(item.code, item.symbol, None, item.session, item.text) for item in found]
    names = [whole.symbol_names[code] if code >= 0 else None for code in whole.symbol_codes.tolist()]
    # Reversed, so that of two rows for one symbol and day the first one, the sound one, is named.
    keys = list(zip(names, whole.days.tolist(), strict=True))
    row_of = {key: row for row, key in reversed(list(enumerate(keys, start=1)))}
    return [
        Finding(item.code, item.symbol, row_of.get((item.symbol, item.session)), item.session, item.text)
        for item in found
    ]
