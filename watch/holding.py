"""Who holds each alert up: it begins with the first reason, goes on with each, and ends with the last."""

from dataclasses import replace
from datetime import datetime

from .changes import Cleared, Measured, Raised
from .rules import SEVERITIES, AlertRules
from .texts import level_text

LEVEL = "level"

Key = tuple[str, str]
"""Code and subject of an alert."""


class Holding:
    """The alerts that stand, with the reasons that hold them."""

    def __init__(self, rules: AlertRules) -> None:
        self._rules = rules
        self._held: dict[Key, dict[str, Raised]] = {}

    def standing(self) -> tuple[Raised, ...]:
        """What stands now, as it was last said, in the order in which it began."""
        return tuple(_worst(reasons) for reasons in self._held.values())

    def hold(self, holder: str, raised: Raised) -> list[Raised]:
        """One more reason, or the same once more; nothing of a rule that is off."""
        if raised.code in self._rules.off:
            return []
        reasons = self._held.setdefault((raised.code, raised.subject), {})
        reasons[holder] = raised
        worst = _worst(reasons)
        return [raised if worst is raised else replace(raised, severity=worst.severity)]

    def release(self, holder: str, key: Key, at: datetime, event_id: str, figure: float | None = None) -> list[Cleared]:
        """A reason less: the end of the alert where it was the last one."""
        reasons = self._held.get(key, {})
        if reasons.pop(holder, None) is None or reasons:
            return []
        del self._held[key]
        return [Cleared(*key, at, figure, event_id)]

    def weigh(self, measured: Measured) -> list[Raised | Cleared]:
        """A figure against its rule: raised from the limit on, cleared at a share of it, and between them as before."""
        rule, key = self._rules[measured.code], (measured.code, measured.subject)
        if rule.limit is None or measured.figure != measured.figure:
            return []
        if measured.figure >= rule.limit:
            text = level_text(rule, measured.subject, measured.figure)
            raised = Raised(
                *(measured.code, rule.severity, measured.subject, text, measured.at, measured.figure, rule.limit),
                event_id=measured.event_id,
            )
            return [*self.hold(LEVEL, raised)]
        if measured.figure <= rule.clears_at:
            return [*self.release(LEVEL, key, measured.at, measured.event_id, measured.figure)]
        return []

    def keys_of(self, holder: str) -> tuple[Key, ...]:
        return tuple(key for key, reasons in self._held.items() if holder in reasons)

    def clear_all(self, at: datetime, event_id: str) -> list[Cleared]:
        """Nothing of this goes on, and nothing of it was put right."""
        ended = [Cleared(*key, at, None, event_id, is_left=True) for key in self._held]
        self._held.clear()
        return ended


def _worst(reasons: dict[str, Raised]) -> Raised:
    """The most urgent reason; of equals the one that came first."""
    return max(reasons.values(), key=lambda raised: SEVERITIES.index(raised.severity))
