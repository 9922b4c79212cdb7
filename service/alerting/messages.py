"""What a message says: a title and a few lines, of alerts whose texts are clean already."""

from collections.abc import Sequence
from dataclasses import dataclass

from ...desk.alert_book import ENDED
from ...desk.alert_records import Alert
from ...watch.rules import SEVERITIES, AlertRules, Severity
from ...watch.texts import MAX_TEXT_CHARS, cleaned

MOST_LINES = 20
"""Alerts that one message spells out; the rest are counted."""

MAX_TITLE_CHARS = 120


@dataclass(frozen=True, slots=True)
class Notice:
    """Why an alert is told now: it begins, nobody answered for a while, or it is over."""

    alert: Alert
    said: str
    """Such as `critical 1` or `cleared`: each is told to a channel once."""


@dataclass(frozen=True, slots=True)
class Message:
    title: str
    body: str
    severity: Severity


def message_of(notices: Sequence[Notice], rules: AlertRules) -> Message:
    """One message for all that a channel has to be told at once: a storm is one mail."""
    worst = SEVERITIES[max(SEVERITIES.index(notice.alert.severity) for notice in notices)]
    parts = [_paragraph(notice, rules) for notice in notices[:MOST_LINES]]
    if len(notices) > MOST_LINES:
        parts.append(f"And {len(notices) - MOST_LINES} more: parley alerts list shows all.")
    if len(notices) == 1:
        title = f"Parley {_how(notices[0])}: {cleaned(notices[0].alert.text, MAX_TITLE_CHARS)}"
    else:
        title = f"Parley: {len(notices)} alerts, the most urgent is {worst}"
    severity: Severity = worst if any(notice.said != ENDED for notice in notices) else "info"
    return Message(title, "\n\n".join(parts), severity)


def _paragraph(notice: Notice, rules: AlertRules) -> str:
    """What happened, since when, what to do, and how to answer."""
    alert = notice.alert
    lines = [
        f"{_how(notice).capitalize()}: {cleaned(alert.text, MAX_TEXT_CHARS)}",
        f"At {alert.happened_at:%Y-%m-%d %H:%M:%S} UTC, seen {alert.count} times, run {cleaned(alert.run_id) or '-'}.",
    ]
    if notice.said != ENDED:
        rule = rules.get(alert.code)
        lines.append(rule.remedy if rule is not None else "parley alerts list shows it.")
        lines.append(f"To answer: parley alerts ack {alert.alert_id} --reason TEXT")
    return "\n".join(lines)


def _how(notice: Notice) -> str:
    if notice.said == ENDED:
        return "over"
    level = notice.said.rsplit(" ", 1)[-1]
    return notice.alert.severity if level == "0" else f"{notice.alert.severity}, unanswered"
