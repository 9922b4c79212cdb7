"""Attacks that come in by a file: settings, limits, a file of texts, and the log. Each has to be refused or noticed."""

import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from ... import ParleyError
from ...desk.settings import load_settings
from ...gate.limits import load_limits
from ...market.texts import read_text_file
from ...memory.verify import VerifyReport
from ...storage.sql import open_sqlite
from ..errors import AttackSetInvalid
from .cases import AttackCase
from .ground import NAMES
from .tampering import TAMPERINGS


@dataclass(frozen=True, slots=True)
class Knocked:
    """What a file did: what it was refused or noticed by, and what it got away with."""

    traces: tuple[str, ...]
    wrong: tuple[str, ...]


def knock(case: AttackCase, clean_log: Path, folder: Path, verify: Callable[[Path], VerifyReport]) -> Knocked:
    """Bring a case's file to the door it is meant for; `clean_log` is the log of an undisturbed run."""
    match case.channel:
        case "settings":
            return _settings(case, folder)
        case "data":
            return _texts(case, folder)
        case "log":
            return _log(case, clean_log, folder, verify)
        case _:
            raise AttackSetInvalid(f"{case.id}: {case.channel} is no file", remedy="Play it through the desk.")


LOADERS: Mapping[str, Callable[[Path], object]] = {
    "settings": lambda path: load_settings(path, {}),
    "limits": load_limits,
}


def _settings(case: AttackCase, folder: Path) -> Knocked:
    path = folder / f"{case.file}.toml"
    path.write_text(case.content, encoding="utf-8")
    try:
        LOADERS[case.file](path)
    except ParleyError as error:
        return Knocked(
            (f"refused: {error.code}",), () if error.remedy else (f"{error.code} says nothing of what to do",)
        )
    return Knocked((), (f"{case.file} were taken: {case.content!r}",))


def _texts(case: AttackCase, folder: Path) -> Knocked:
    import pandas as pd

    path = folder / "texts.parquet"
    rows = [
        {"ts": pd.Timestamp("2019-09-12T15:00:00Z"), "symbol": text.symbol, "headline": text.headline, "source": "wire"}
        for text in case.texts
    ]
    pd.DataFrame(rows).to_parquet(path)
    try:
        read = read_text_file(path, NAMES)
    except ParleyError as error:
        return Knocked((f"refused: {error.code}",), ())
    bad = [item for item in read.items if item.symbol not in NAMES or not item.headline.isprintable()]
    return Knocked(
        tuple(f"finding: {item.code}" for item in read.findings),
        tuple(f"{item.symbol!r}: {item.headline!r} was taken as it was" for item in bad),
    )


def _log(case: AttackCase, clean_log: Path, folder: Path, verify: Callable[[Path], VerifyReport]) -> Knocked:
    """A copy of the log is changed by somebody who can write to the file; verifying it has to say so."""
    path = folder / "tampered.db"
    shutil.copyfile(clean_log, path)
    database = open_sqlite(path)
    try:
        TAMPERINGS[case.file](database)
    finally:
        database.close()
    report = verify(path)
    if not report.ok:
        bad = report.first_bad
        finding = report.findings[0].text if report.findings else str(report.views)
        return Knocked((f"verify: event {bad.seq}, {bad.reason}" if bad else f"verify: {finding}",), ())
    return Knocked((), (f"{case.wants}: the log verifies all the same",))
