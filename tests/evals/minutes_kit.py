"""Two made-up days of minutes as CSV: trades and quotes of three names, or trades alone, or altered after a moment."""

from datetime import datetime, timedelta, timezone
from pathlib import Path

import numpy as np

NEW_YORK = timezone(timedelta(hours=-5))
OPENS = [datetime(2015, 1, day, 9, 30, tzinfo=NEW_YORK) for day in (5, 6)]
NAMES = ("AAA", "BBB", "CCC")
HALF_SPREAD = 0.02


def write_minutes(
    path: Path,
    *,
    quotes: bool = True,
    altered_after: datetime | None = None,
    silent: frozenset[tuple[str, int]] = frozenset(),
    seed: int = 5,
) -> Path:
    """One row per name and minute; `silent` (name, minute of the recording) are without a trade and a quote.

    What begins at or after `altered_after` is a third dearer and moves the other way.
    """
    rng = np.random.default_rng(seed)
    moves = rng.normal(0.0, 4e-4, (780, 1)) + rng.normal(0.0, 3e-4, (780, len(NAMES)))
    starts = [opens + timedelta(minutes=minute) for opens in OPENS for minute in range(390)]
    changed = np.array([altered_after is not None and start >= altered_after for start in starts])
    moves = np.where(changed[:, None], -moves, moves)
    closes = np.array([50.0, 20.0, 90.0]) * np.exp(np.cumsum(moves, axis=0)) * np.where(changed[:, None], 4 / 3, 1.0)
    header = "symbol,ts,open,high,low,close,volume" + (",bid_close,bid_size,ask_close,ask_size" if quotes else "")
    lines = [header]
    for column, name in enumerate(NAMES):
        for minute, start in enumerate(starts):
            if (name, minute) in silent:
                continue
            close = closes[minute, column]
            line = f"{name},{start.isoformat()},{close:.2f},{close + 0.01:.2f},{close - 0.01:.2f},{close:.2f},90000"
            lines.append(line + (f",{close - HALF_SPREAD:.2f},700,{close + HALF_SPREAD:.2f},900" if quotes else ""))
    path.write_text("\n".join(lines) + "\n")
    return path
