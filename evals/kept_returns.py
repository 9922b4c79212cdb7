"""The daily returns of every evaluated configuration, kept in the book, and how overfit a choice among them is.

A deflated ratio needs to know only how many were tried; the probability of an overfit choice (CSCV) needs what each of
them earned on each day. One small file for each trial holds it, named by the trial's id.
"""

import os
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
import numpy.typing as npt

from ..quant.arrays import FloatArray
from .errors import RecordUnreadable, RecordUnwritable
from .scoreboard.judged import choice_overfit
from .trials import Register

FOLDER = "trials"
Days = npt.NDArray[np.datetime64]


@dataclass(frozen=True, slots=True, eq=False)
class KeptReturns:
    """What one configuration earned: simple returns (n_days,), net of costs, and their days."""

    trial: str
    data: str
    days: Days
    returns: FloatArray

    @property
    def span(self) -> tuple[str, str, str]:
        """The data set, its first day and its last: only what was tried on the same days is one choice."""
        return self.data, str(self.days[0]), str(self.days[-1])


@dataclass(frozen=True, slots=True)
class Choice:
    """All registered configurations on one span whose returns are kept.

    `overfit` is the probability that whichever looks best on half the days is below the middle on the rest; None where
    there are fewer than two, or too few days.
    """

    data: str
    first: str
    last: str
    days: int
    kept: int
    overfit: float | None


def keep_returns(book: Path, kept: KeptReturns) -> Path:
    """Write them, whole or not at all; the same ones give the same bytes."""
    folder = book / FOLDER
    path = folder / f"{kept.trial}.npz"
    draft = folder / f".{kept.trial}.{os.getpid()}.npz"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        np.savez_compressed(
            draft,
            data=np.array(kept.data),
            days=kept.days.astype("datetime64[D]").astype(np.int64),
            returns=kept.returns,
        )
        draft.replace(path)
    except OSError as error:
        with suppress(OSError):
            draft.unlink()
        raise RecordUnwritable(
            f"{path}: cannot be written ({error.strerror or error})",
            remedy="Free some space or mend the permissions, and run the same command again.",
        ) from error
    return path


def kept_returns(book: Path) -> tuple[KeptReturns, ...]:
    """All that the book holds, by the trial's id."""
    return tuple(_read(path) for path in sorted((book / FOLDER).glob("trial-*.npz")))


def choices(kept: Sequence[KeptReturns], register: Register) -> tuple[Choice, ...]:
    """Each span on which registered configurations were kept; what is in no register is not counted, and left out."""
    counted = {trial.id for trial in register.trials}
    by_span: dict[tuple[str, str, str], list[KeptReturns]] = {}
    for item in kept:
        if item.trial in counted:
            by_span.setdefault(item.span, []).append(item)
    return tuple(_choice(span, items) for span, items in sorted(by_span.items()))


def _choice(span: tuple[str, str, str], items: Sequence[KeptReturns]) -> Choice:
    days = items[0].days
    for item in items:
        if not np.array_equal(item.days, days):
            raise RecordUnreadable(
                f"{item.trial} has {len(item.days)} days of the span {span}, {items[0].trial} {len(days)} others",
                remedy="Delete both files under trials/ of the book and evaluate the two again with --refresh.",
            )
    overfit = choice_overfit(np.column_stack([item.returns for item in items]))
    return Choice(*span, days=len(days), kept=len(items), overfit=overfit)


def _read(path: Path) -> KeptReturns:
    try:
        with np.load(path, allow_pickle=False) as found:
            days, returns, data = found["days"].astype("datetime64[D]"), found["returns"], str(found["data"])
    except (OSError, ValueError, KeyError, BadZipFile, EOFError) as error:
        raise RecordUnreadable(
            f"{path}: the returns of a trial cannot be read ({error})",
            remedy="Delete the file and evaluate that configuration again with --refresh.",
        ) from error
    if returns.ndim != 1 or len(days) != len(returns) or not len(days) or not np.isfinite(returns).all():
        raise RecordUnreadable(
            f"{path}: {len(days)} days and {returns.shape} returns, expected one finite return for each day",
            remedy="Delete the file and evaluate that configuration again with --refresh.",
        )
    return KeptReturns(path.stem, data, days, returns)
