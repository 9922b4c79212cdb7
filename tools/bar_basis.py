"""What a window of bars within the day stands for: its length, and how its figures become a session's and a year's."""

from ..quant.arrays import DAYS_PER_YEAR
from .ledger import Ledger, figure
from .scene import WINDOW_DAYS, Scene

SAYS = (
    "A window is that many bars. Returns within a session are scaled to a whole one by the square root of time, a move "
    "over the night stays as it is, and a year has 252 sessions: volatility, VaR and caps are those of a session. "
    "So few days say nothing about profit."
)


def bar_basis(ledger: Ledger, scene: Scene) -> str | None:
    """The entry that tells on what bars a decision within the day rests; None on daily data, whose rows are days."""
    interval = scene.view.interval
    if interval is None:
        return None
    output = {
        "bar_seconds": interval.bar_s,
        "decision_seconds": interval.every_s,
        "session_seconds": interval.session_s,
        "bars_per_session": figure(interval.bars_per_session),
        "window_bars": WINDOW_DAYS,
        "window_sessions": figure(WINDOW_DAYS / interval.bars_per_session),
        "scale_to_session": figure(interval.bars_per_session**0.5),
        "sessions_per_year": DAYS_PER_YEAR,
        "says": SAYS,
    }
    return ledger.record("bar_basis", 1, "as named", {"window_bars": WINDOW_DAYS}, output).id
