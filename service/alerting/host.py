"""Figures that no event holds: how full the disk is, and how much of the day's model budget is used."""

import shutil
from collections.abc import Iterator
from pathlib import Path

from ... import ParleyError
from ...desk.alert_book import AlertBook
from ...desk.book import Book
from ...desk.clock import wall_time
from ...desk.models import read_calls
from ...desk.settings import Settings
from ...watch.changes import Measured
from ...watch.rules import AlertRules
from ...watch.texts import level_text

DISK, BUDGET = "disk_low", "model_budget"


class HostWatch:
    """Holds the figures to their rules. What stands already is not counted again at each look."""

    def __init__(self, book: Path, alerts: AlertBook, rules: AlertRules, settings: Settings) -> None:
        self._book, self._alerts, self._rules, self._settings = book, alerts, rules, settings

    def look(self) -> None:
        standing = {(alert.code, alert.subject) for alert in self._alerts.open()}
        for measured in (*self._disk(), *self._budget()):
            rule, key = self._rules[measured.code], (measured.code, measured.subject)
            if measured.code in self._rules.off or rule.limit is None:
                continue
            if measured.figure >= rule.limit and key not in standing:
                text = level_text(rule, measured.subject, measured.figure)
                self._alerts.raise_alert(*key[:1], rule.severity, key[1], text, measured.figure, rule.limit)
            elif measured.figure <= rule.clears_at and key in standing:
                self._alerts.clear(*key)

    def _disk(self) -> Iterator[Measured]:
        place = next(item for item in (self._book, *self._book.absolute().parents) if item.exists())
        usage = shutil.disk_usage(place)
        yield Measured(DISK, "book", usage.used / (usage.used + usage.free), self._alerts.now())

    def _budget(self) -> Iterator[Measured]:
        """The largest share of any bound of the day, over all runs of the book."""
        day = self._settings.llm.day
        bounds = {"calls": day.calls, "tokens": day.tokens, "seconds": day.seconds, "cost": day.cost}
        if not any(bounds.values()):
            return
        spent = dict.fromkeys(bounds, 0.0)
        for folder in Book(self._book).runs():
            try:
                with read_calls(folder) as store:
                    found = store.spent_on(wall_time()[:10]) if store is not None else None
            except ParleyError:
                continue  # a store that can't be read is told by the run that needs it
            for name in spent if found is not None else ():
                spent[name] += float(getattr(found, name))
        share = max(spent[name] / float(bound) for name, bound in bounds.items() if bound)
        yield Measured(BUDGET, "day", share, self._alerts.now())
