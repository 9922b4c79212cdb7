"""The `execution-study` command: what the algorithms cost on recorded sessions, and whether that was foretold.

docs/execution.md is written by it, from the recordings alone:
`PARLEY_SHARED_DATA=... parley execution-study --out docs/execution.md`.
"""

import os
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ..desk.errors import BookError, SettingsInvalid
from ..desk.settings import load_settings
from ..evals.paired_execution import ARMS, TWAP, Trial, trials
from ..evals.paired_statistics import Calibration, Paired, calibration, paired
from ..evals.routing_study import routing_section
from ..evals.study_stages import study_stages
from ..gate.limits import load_limits
from .console import Console
from .execution_text import CALIBRATION_HEADER, PAIRED_HEADER, calibration_row, markdown, paired_row

TICKS = Path("intraday/us_tick_ibm_20131007.parquet")
"""A day of trades by exchange, for the routing rules."""
ROUTING_SEEDS = 10


def perform_execution_study(recordings: Path | None, out: Path | None, config: Path | None, console: Console) -> None:
    folder = _folder(recordings)
    if out is not None and out.is_dir():
        raise BookError(f"{out}: is a folder", remedy="Give --out the name of a file.")
    settings = load_settings(config)
    limits = load_limits(settings.limits_file)
    found: list[Trial] = []
    with console.progress("execution study") as bar:
        for done, (stage, desk) in enumerate(study_stages(folder, settings, limits)):
            bar(done, None)
            found += trials(stage, desk, limits)
    pairs, calibrations = compared(found)
    routing = routing_section(folder / TICKS, n_seeds=ROUTING_SEEDS)
    if out is not None:
        _write(out, markdown(found, pairs, calibrations, routing))
    document: dict[str, Any] = {
        "trials": len(found),
        "paired": [asdict(row) for row in pairs],
        "calibration": [asdict(row) for row in calibrations],
        "file": None if out is None else str(out),
    }
    console.result(document)
    console.table(
        "implementation shortfall against TWAP on the same orders, bp; 95 % intervals over windows",
        PAIRED_HEADER,
        [paired_row(row) for row in pairs],
    )
    console.table(
        "predicted against realised, bp; both sides of each order together",
        CALIBRATION_HEADER,
        [calibration_row(row) for row in calibrations],
    )
    if out is not None:
        console.say(f"\nFile: {out}")


def compared(found: Sequence[Trial]) -> tuple[list[Paired], list[Calibration]]:
    """Every arm but TWAP of every kind of recording against it, and the predictions of every kind."""
    kinds = list(dict.fromkeys(trial.kind for trial in found))
    by_kind = {kind: [trial for trial in found if trial.kind == kind] for kind in kinds}
    pairs = [paired(by_kind[kind], arm.name) for kind in kinds for arm in ARMS if arm is not TWAP]
    return pairs, [calibration(by_kind[kind]) for kind in kinds]


def _folder(named: Path | None) -> Path:
    shared = os.environ.get("PARLEY_SHARED_DATA")
    folder = named or (Path(shared) if shared else None)
    if folder is None or not folder.is_dir():
        raise SettingsInvalid(
            f"no recordings at {folder}" if folder else "no recordings named",
            remedy="Give --recordings, or set PARLEY_SHARED_DATA, to the folder that holds intraday/ and orderbook/.",
        )
    return folder


def _write(path: Path, text: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise BookError(f"{path}: cannot be written: {error}", remedy="Give --out another name.") from error
