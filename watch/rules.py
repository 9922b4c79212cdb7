"""The table of rules: what is watched, from which figure on a person is told, and how urgent that is."""

import tomllib
from collections.abc import Collection, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Literal

from pydantic import Field

from ..domain.levels import Unit
from ..domain.model import Model
from .errors import RuleUnknown

RULES_PATH = Path(__file__).with_name("rules.toml")
CLEAR_SHARE = 0.9
"""A figure is back when it has fallen to this share of its limit: one that dances about it raises one alert."""

Severity = Literal["info", "warning", "critical"]
SEVERITIES: tuple[Severity, ...] = ("info", "warning", "critical")
"""From the least to the most urgent."""


class AlertRule(Model):
    """One rule. Without a limit it stands as long as what it names does."""

    code: str = Field(pattern=r"^[a-z][a-z_]*$")
    severity: Severity
    limit: float | None = Field(default=None, gt=0)
    unit: Unit = ""
    what: str
    remedy: str

    @property
    def clears_at(self) -> float:
        assert self.limit is not None, "only a rule with a limit is held to one"
        return CLEAR_SHARE * self.limit


class AlertRules(Mapping[str, AlertRule]):
    """The rules in force, by their codes."""

    def __init__(self, rules: Mapping[str, AlertRule], off: Collection[str] = ()) -> None:
        self._rules, self.off = dict(rules), frozenset(off)

    def __getitem__(self, code: str) -> AlertRule:
        return self._rules[code]

    def __iter__(self) -> Iterator[str]:
        return iter(self._rules)

    def __len__(self) -> int:
        return len(self._rules)

    def changed(
        self,
        limits: Mapping[str, float] | None = None,
        severities: Mapping[str, Severity] | None = None,
        off: Collection[str] = (),
    ) -> "AlertRules":
        """The same with other limits and severities, and without those that are off. Raises RuleUnknown."""
        limits, severities = limits or {}, severities or {}
        for code in (*limits, *severities, *off):
            if code not in self._rules:
                raise RuleUnknown(
                    f"no alert rule is called {code[:40]!r}", remedy=f"Rules are {', '.join(sorted(self._rules))}."
                )
        for code, limit in limits.items():
            if self._rules[code].limit is None or not 0 < limit < float("inf"):
                raise RuleUnknown(
                    f"the limit {limit} of {code} can't be held to",
                    remedy="Give a finite limit above zero, to a rule that has one.",
                )
        made = {
            code: rule.model_copy(
                update={"limit": limits.get(code, rule.limit), "severity": severities.get(code, rule.severity)}
            )
            for code, rule in self._rules.items()
        }
        return AlertRules(made, off)


@cache
def usual_rules() -> AlertRules:
    """The shipped table."""
    with RULES_PATH.open("rb") as file:
        rows = [AlertRule.model_validate(row) for row in tomllib.load(file)["rule"]]
    return AlertRules({row.code: row for row in rows})
