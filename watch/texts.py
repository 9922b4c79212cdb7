"""The words of alerts: templates filled with figures. What came from outside is never repeated as it came."""

import unicodedata

from ..domain.trading import ACCOUNT
from .rules import AlertRule, Unit

MAX_NAME_CHARS = 60
MAX_TEXT_CHARS = 300
_PLAIN = frozenset(" .,;%+-()/'=_:")
"""Marks that mean nothing to a mail header, to HTML, or to the markup of a chat."""


def cleaned(text: str, limit_chars: int = MAX_TEXT_CHARS) -> str:
    """One line of letters, digits and harmless marks: no header, tag, mention, link or direction of writing in it."""
    kept = "".join(char if _is_harmless(char) else " " for char in text[: 4 * limit_chars])
    flat = " ".join(kept.replace("://", " ").split())
    return flat[:limit_chars].rstrip()


def shown(figure: float, unit: Unit) -> str:
    """A figure as people read it."""
    match unit:
        case "frac":
            return f"{100 * figure:.2f} %"
        case "ms":
            return f"{figure:.0f} ms" if figure < 10_000 else f"{figure / 1000:.1f} s"
        case "s":
            return f"{figure:.0f} s"
        case "count":
            return f"{figure:.0f}"
        case _:
            return f"{figure:.3g}"


def level_text(rule: AlertRule, subject: str, figure: float) -> str:
    """A figure that has reached its limit."""
    assert rule.limit is not None, "a rule that measures"
    about = f" ({cleaned(subject, MAX_NAME_CHARS)})" if subject != str(ACCOUNT) else ""
    return f"{rule.what}{about}: {shown(figure, rule.unit)}, the limit is {shown(rule.limit, rule.unit)}"


def state_text(scope: str, state: str, cause: str, name: str, figure: float | None, limit: float | None) -> str:
    """A restriction; who asked and what they wrote stands in the log, and not here."""
    measured = f" at {figure:.4g}, its level is {limit:.4g}" if figure is not None and limit is not None else ""
    why = f"breaker {cleaned(name, MAX_NAME_CHARS)}" if cause == "breaker" else cleaned(cause.replace("_", " "))
    return f"{cleaned(scope, MAX_NAME_CHARS)} is {state}: {why}{measured}"


def notification_text(code: str, text: str, event_id: str, *, is_outside: bool) -> str:
    """What the desk worked out is said; of what came from outside only where it stands."""
    name = cleaned(code.replace("_", " "), MAX_NAME_CHARS)
    return f"{name}: event {event_id} has it" if is_outside else f"{name}: {cleaned(text)}"


def _is_harmless(char: str) -> bool:
    return char in _PLAIN or (char.isalnum() and unicodedata.category(char)[0] in "LN")
