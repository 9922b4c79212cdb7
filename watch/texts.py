"""The words of alerts: templates filled with figures. What came from outside is never repeated as it came."""

import unicodedata

from ..domain.levels import BREAKER_UNITS, in_words, measured_text
from ..domain.trading import ACCOUNT
from .rules import AlertRule

MAX_NAME_CHARS = 60
MAX_TEXT_CHARS = 300
_PLAIN = frozenset(" .,;%+-()/'=_:")
"""Marks that mean nothing to a mail header, to HTML, or to the markup of a chat."""


def cleaned(text: str, limit_chars: int = MAX_TEXT_CHARS) -> str:
    """One line of letters, digits and harmless marks: no header, tag, mention, link or direction of writing in it."""
    kept = "".join(char if _is_harmless(char) else " " for char in text[: 4 * limit_chars])
    flat = " ".join(kept.replace("://", " ").split())
    return flat[:limit_chars].rstrip()


def level_text(rule: AlertRule, subject: str, figure: float) -> str:
    """A figure that has reached its limit."""
    assert rule.limit is not None, "a rule that measures"
    about = f" ({cleaned(subject, MAX_NAME_CHARS)})" if subject != str(ACCOUNT) else ""
    return (
        f"{rule.what}{about}: {measured_text(figure, rule.unit)}, the limit is {measured_text(rule.limit, rule.unit)}"
    )


def state_text(scope: str, state: str, cause: str, name: str, figure: float | None, limit: float | None) -> str:
    """A restriction; who asked and what they wrote stands in the log, and not here."""
    unit, measured = BREAKER_UNITS.get(name), ""
    if unit is not None and figure is not None and limit is not None:
        measured = f" at {measured_text(figure, unit)}, its level is {measured_text(limit, unit)}"
    why = f"breaker {cleaned(name, MAX_NAME_CHARS)}" if cause == "breaker" else cleaned(cause.replace("_", " "))
    return f"{cleaned(scope, MAX_NAME_CHARS)} is {state}: {why}{measured}"


def notification_text(code: str, text: str, event_id: str, *, is_outside: bool) -> str:
    """What the desk worked out is said; of what came from outside only where it stands."""
    name = cleaned(code.replace("_", " "), MAX_NAME_CHARS)
    return f"{name}: event {event_id} has it" if is_outside else f"{name}: {cleaned(in_words(text))}"


def _is_harmless(char: str) -> bool:
    return char in _PLAIN or (char.isalnum() and unicodedata.category(char)[0] in "LN")
