"""What a desk does when the machine's clock jumps under it: it says so, and after a leap it begins again."""

from datetime import timedelta

from ...desk.alert_book import AlertBook
from ...watch.rules import AlertRules
from .errors import ClockLeapt

CLOCK_JUMPED, CLOCK = "clock_jumped", "clock"
LEAP = timedelta(minutes=5)
"""Nobody was there for so long: what a session does after that is what it does after a restart."""


def tell_jump(alerts: AlertBook, rules: AlertRules, by: timedelta) -> None:
    """Raises ClockLeapt for one forward over a gap: quotes that nobody saw come are not worked as if somebody had."""
    rule, minutes = rules[CLOCK_JUMPED], abs(by) / timedelta(minutes=1)
    if by < timedelta(0):
        came = f"back by {minutes:.0f} minutes, and the desk's stands still until it is there again"
    else:
        came = f"forward by {minutes:.0f} minutes, and what was due in them is late or missed"
    text = f"{rule.what}: {came}"
    if CLOCK_JUMPED not in rules.off:
        alerts.raise_alert(CLOCK_JUMPED, rule.severity, CLOCK, text, by.total_seconds(), is_moment=True)
    if by > LEAP:
        raise ClockLeapt(text, market=alerts.now())
