"""The alerts of a book: what was raised, who was told, who has seen it, and what a person must still answer.

One database beside the runs. A change is one transaction of whoever makes it, the watch, a command or the API; it is
there for all of them at the next look, and nothing that was written is lost with the process.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

from ..domain.canonical import short_id
from ..storage.sql import Database, SqlValue
from ..watch.rules import SEVERITIES, Severity
from .alert_records import ALERT_COLUMNS, Alert, Delivery, alert_of, delivery_of
from .alert_store import AlertStore
from .errors import AlertUnknown

QUIET = timedelta(hours=1)
ENDED = "cleared"
"""The notice that an alert is over."""


class AlertBook:
    """One alert for each code and subject while it stands: raised again, it is counted."""

    def __init__(self, book: Path, now: Callable[[], datetime], quiet: timedelta = QUIET) -> None:
        """`quiet` is how soon after its end an alert that is not critical counts as the same one when it comes back."""
        self._store, self.now, self._quiet = AlertStore(book), now, quiet

    @contextmanager
    def batch(self) -> Iterator[None]:
        """All changes inside stand together or not at all."""
        with self._store.changing():
            yield

    def raise_alert(
        self,
        code: str,
        severity: Severity,
        subject: str,
        text: str,
        figure: float | None = None,
        limit: float | None = None,
        run_id: str = "",
        *,
        at: datetime | None = None,
        notification_id: str = "",
        is_moment: bool = False,
    ) -> Alert:
        """Begin an alert, or count it once more; one that has become more urgent waits for an answer again.

        `at` is the time of the event behind it where that is not now; one that `is_moment` ends when it is answered.
        """
        now = self.now()
        with self._store.changing() as database:
            found = self._same(code, subject, now)
            if found is None:
                number = database.rows("SELECT count(*) FROM alerts")[0][0]
                ident = short_id("alt", code, subject, now.isoformat(), number)
                self._insert(
                    database,
                    (
                        *(ident, code, severity, subject, text, figure, limit, run_id, now.isoformat()),
                        *(now.isoformat(), (at or now).isoformat(), 1, "open", "", "", None, None, 0),
                        *(notification_id, int(is_moment), 0),
                    ),
                )
                return self.find(ident)
            made = replace(
                found,
                text=text,
                figure=found.figure if figure is None else figure,
                limit=found.limit if limit is None else limit,
                last_at=now,
                count=found.count + 1,
                notification_id=notification_id or (found.notification_id if run_id in ("", found.run_id) else ""),
                run_id=run_id or found.run_id,
                is_moment=is_moment,
                cleared_at=None,
                state="acknowledged" if found.acknowledged_at is not None else "open",
            )
            if _rank(severity) > _rank(found.severity):
                made = replace(made, severity=severity, raised_at=now, state="open", acknowledged_at=None, level=0)
            return self._rewrite(database, made)

    def clear(self, code: str, subject: str) -> Alert | None:
        """What it was about is no more; None when nothing of the kind stands."""
        with self._store.changing() as database:
            found = self._standing(code, subject)
            return None if found is None else self._end(database, found)

    def leave(self, code: str, subject: str) -> Alert | None:
        """What it was about goes on no more: its end too, but for a critical one that nobody has answered, which from
        now on is a person's to end."""
        with self._store.changing() as database:
            found = self._standing(code, subject)
            if found is None:
                return None
            if found.severity == "critical" and found.state == "open":
                return self._rewrite(database, replace(found, is_moment=True))
            return self._end(database, found)

    def acknowledge(self, alert_id: str, user: str, reason: str) -> Alert:
        """A person has seen it and looks after it: nobody else is told. Raises AlertUnknown."""
        with self._store.changing() as database:
            found = self.find(alert_id)
            if found.state != "open":
                return found
            seen = replace(found, state="acknowledged", acknowledged_by=user, reason=reason, acknowledged_at=self.now())
            return self._end(database, seen) if seen.is_moment else self._rewrite(database, seen)

    def link(self, code: str, subject: str, notification_id: str) -> None:
        """A notification of the log says the same: who acknowledges one has acknowledged both."""
        with self._store.changing() as database:
            found = self._standing(code, subject)
            if found is not None:
                self._rewrite(database, replace(found, notification_id=notification_id))

    def of_notification(self, notification_id: str) -> Alert | None:
        """The alert that says the same as a notification of the log."""
        found = self._read("WHERE notification_id = ? ORDER BY number DESC LIMIT 1", (notification_id,))
        return found[0] if found else None

    def find(self, alert_id: str) -> Alert:
        """One alert by its id. Raises AlertUnknown."""
        found = self._read("WHERE alert_id = ?", (alert_id,))
        if not found:
            raise AlertUnknown(f"no alert is called {alert_id[:40]!r}", remedy="`parley alerts list` shows them.")
        return found[0]

    def open(self) -> tuple[Alert, ...]:
        """All that stands: what nobody has answered first, of that the most urgent, and of those the newest."""
        found = self._read(f"WHERE state <> '{ENDED}' ORDER BY number DESC")
        return tuple(sorted(found, key=lambda alert: (alert.state != "open", -_rank(alert.severity))))

    def blocking(self) -> tuple[Alert, ...]:
        """The critical ones that nobody has acknowledged: as long as there is one, no session opens."""
        return tuple(alert for alert in self.open() if alert.severity == "critical" and alert.state == "open")

    def recent(self, limit: int, before: int = 0) -> tuple[Alert, ...]:
        """The newest alerts, the newest first, after the `before` newest of them."""
        return self._read("ORDER BY number DESC LIMIT ? OFFSET ?", (limit, before))

    def count(self) -> int:
        """Of all alerts so far."""
        rows = self._store.rows("SELECT count(*) FROM alerts")
        return int(rows[0][0]) if rows else 0

    def to_tell(self) -> tuple[Alert, ...]:
        """Those that somebody may have to hear of: what stands, and what has ended without a word of it."""
        return self._read(f"WHERE state <> '{ENDED}' OR is_end_told = 0 ORDER BY number")

    def note_sent(self, alert_id: str, sent: Delivery) -> None:
        """What came of one message."""
        with self._store.changing() as database:
            next_at = None if sent.next_at is None else sent.next_at.isoformat()
            database.execute(
                "INSERT INTO deliveries VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (alert_id, notice, channel) "
                "DO UPDATE SET state = excluded.state, tries = excluded.tries, at = excluded.at, "
                "next_at = excluded.next_at, said = excluded.said",
                (
                    *(alert_id, sent.notice, sent.kind, sent.channel, sent.state, sent.tries),
                    *(sent.at.isoformat(), next_at, sent.said),
                ),
            )

    def note_level(self, alert_id: str, level: int) -> None:
        """How far up its ladder an alert has come."""
        with self._store.changing() as database:
            database.execute("UPDATE alerts SET level = ? WHERE alert_id = ?", (level, alert_id))

    def note_end_told(self, alert_id: str) -> None:
        """Whoever heard of it has heard that it is over."""
        with self._store.changing() as database:
            database.execute("UPDATE alerts SET is_end_told = 1 WHERE alert_id = ?", (alert_id,))

    def place(self, run_id: str) -> tuple[int, str] | None:
        """The last event of a run that was watched, and its hash; None of a run that never was."""
        rows = self._store.rows("SELECT seq, hash FROM places WHERE run_id = ?", (run_id,))
        return (int(rows[0][0]), str(rows[0][1])) if rows else None

    def set_place(self, run_id: str, seq: int, event_hash: str) -> None:
        """How far the run was watched; what was raised up to there is never raised again."""
        with self._store.changing() as database:
            database.execute(
                "INSERT INTO places VALUES (?, ?, ?) ON CONFLICT (run_id) "
                "DO UPDATE SET seq = excluded.seq, hash = excluded.hash",
                (run_id, seq, event_hash),
            )

    def _same(self, code: str, subject: str, now: datetime) -> Alert | None:
        """The alert that this one is: what stands, or what has only just ended and was not critical."""
        found = self._standing(code, subject)
        if found is not None:
            return found
        last = self._read("WHERE code = ? AND subject = ? ORDER BY number DESC LIMIT 1", (code, subject))
        is_near = bool(last) and last[0].cleared_at is not None and now - last[0].cleared_at < self._quiet
        return last[0] if is_near and last[0].severity != "critical" and not last[0].is_end_told else None

    def _standing(self, code: str, subject: str) -> Alert | None:
        found = self._read(f"WHERE code = ? AND subject = ? AND state <> '{ENDED}'", (code, subject))
        return found[0] if found else None

    def _end(self, database: Database, alert: Alert) -> Alert:
        return self._rewrite(database, replace(alert, state=ENDED, cleared_at=self.now(), is_end_told=False))

    def _read(self, where: str, values: Sequence[SqlValue] = ()) -> tuple[Alert, ...]:
        """Alerts with what came of their messages."""
        alerts = [alert_of(row) for row in self._store.rows(f"SELECT {ALERT_COLUMNS} FROM alerts {where}", values)]
        marks = ", ".join("?" * len(alerts))
        told: dict[str, list[Delivery]] = {}
        for ident, *row in self._store.rows(
            f"SELECT * FROM deliveries WHERE alert_id IN ({marks}) ORDER BY at, channel",
            [alert.alert_id for alert in alerts],
        ):
            told.setdefault(ident, []).append(delivery_of(tuple(row)))
        return tuple(replace(alert, deliveries=tuple(told.get(alert.alert_id, ()))) for alert in alerts)

    def _insert(self, database: Database, values: tuple[SqlValue, ...]) -> None:
        database.execute(f"INSERT INTO alerts ({ALERT_COLUMNS}) VALUES ({', '.join('?' * len(values))})", values)

    def _rewrite(self, database: Database, alert: Alert) -> Alert:
        """The row as this alert says; what it was, and when it began, stay."""
        seen, ended = alert.acknowledged_at, alert.cleared_at
        database.execute(
            "UPDATE alerts SET severity = ?, text = ?, figure = ?, bound = ?, raised_at = ?, last_at = ?, count = ?, "
            "state = ?, acknowledged_by = ?, reason = ?, acknowledged_at = ?, cleared_at = ?, level = ?, "
            "notification_id = ?, is_end_told = ?, is_moment = ?, run_id = ? WHERE alert_id = ?",
            (
                *(alert.severity, alert.text, alert.figure, alert.limit, alert.raised_at.isoformat()),
                *(alert.last_at.isoformat(), alert.count, alert.state, alert.acknowledged_by, alert.reason),
                *(seen.isoformat() if seen else None, ended.isoformat() if ended else None, alert.level),
                *(alert.notification_id, int(alert.is_end_told), int(alert.is_moment), alert.run_id, alert.alert_id),
            ),
        )
        return alert


def _rank(severity: Severity) -> int:
    return SEVERITIES.index(severity)
