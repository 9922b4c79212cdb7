"""Reads views as an operator types them: `SYMBOL=RETURN@CONFIDENCE`, fractions both."""

from collections.abc import Sequence
from math import isfinite

from ..desk.errors import SettingsInvalid
from ..tools.stated_views import StatedView

MAX_RETURN = 5.0
"""No stock is expected to earn five times its price a year: more is a percent written as a fraction."""
_SHAPE = "Write AAPL=0.12@0.6: 12 % a year above cash, with a confidence of 60 %."


def read_views(texts: Sequence[str]) -> tuple[StatedView, ...]:
    """One view a text, at most one a symbol; raises SettingsInvalid naming the text."""
    views = [_view(text) for text in texts]
    symbols = [view.symbol for view in views]
    if twice := sorted({symbol for symbol in symbols if symbols.count(symbol) > 1}):
        raise SettingsInvalid(f"--view: {', '.join(twice)} is viewed twice", remedy="Give one view a name.")
    return tuple(views)


def _view(text: str) -> StatedView:
    symbol, _, stated = text.partition("=")
    expected, _, confidence = stated.partition("@")
    symbol = symbol.strip().upper()
    found, sure = _number(expected), _number(confidence)
    if not symbol or found is None or sure is None:
        raise SettingsInvalid(f"--view {text!r} is no view", remedy=_SHAPE)
    if not -1.0 < found <= MAX_RETURN:
        raise SettingsInvalid(
            f"--view {text!r}: a return of {found:g} a year is not between -1 and {MAX_RETURN:g}", remedy=_SHAPE
        )
    if not 0.0 < sure < 1.0:
        raise SettingsInvalid(
            f"--view {text!r}: a confidence of {sure:g} is not strictly between 0 and 1",
            remedy="Leave out a view without confidence; a certain one is a limit, not a view.",
        )
    return StatedView(symbol, found, sure)


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if isfinite(value) else None
