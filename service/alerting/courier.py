"""Brings alerts to people: each level of each alert once to each channel, again where a channel failed."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from ...desk.alert_book import ENDED, AlertBook
from ...desk.alert_records import Alert, Delivery
from ...watch.escalation import Ladder, Told, retry_after
from ...watch.rules import AlertRules
from .channels import Channel
from .messages import Notice, message_of

CHANNEL_DOWN = "channel_down"
MOST_END_TRIES = 3
"""That something is over is no news worth more than this."""


class Courier:
    """One round at a time. It waits for the services it sends to, and so has a thread of its own to run in."""

    def __init__(
        self,
        alerts: AlertBook,
        channels: Sequence[Channel],
        ladder: Ladder,
        rules: AlertRules,
        now: Callable[[], datetime],
        quiet: timedelta,
    ) -> None:
        self._alerts, self._channels, self._ladder = alerts, tuple(channels), ladder
        self._rules, self._now, self._quiet = rules, now, quiet

    def deliver(self) -> int:
        """Send all that is due now; the number of messages that were taken."""
        now = self._now()
        standing = self._alerts.to_tell()
        sent: list[bool] = []
        for channel in self._channels:
            notices = [notice for alert in standing for notice in self._due(alert, channel, now)]
            if notices:
                sent.append(self._send(channel, notices, now))
        for alert in self._alerts.to_tell() if sent else standing:
            self._note_progress(alert, now)
        return sum(sent)

    def _due(self, alert: Alert, channel: Channel, now: datetime) -> list[Notice]:
        """What of an alert this channel has to be told now."""
        if alert.code == CHANNEL_DOWN and alert.subject == channel.name:
            return []
        done = {item.notice: item for item in alert.deliveries if item.channel == channel.name}
        if alert.state == ENDED:
            was_told = any(item.state == "sent" and notice != ENDED for notice, item in done.items())
            wanted = [ENDED] if was_told and self._is_over(alert, now) else []
        else:
            wanted = [f"{alert.severity} {told.level}" for told in self._told(alert, now) if told.kind == channel.kind]
        return [Notice(alert, said) for said in wanted if _is_due(done.get(said), now)]

    def _told(self, alert: Alert, now: datetime) -> tuple[Told, ...]:
        """By the ladder; of a channel that is down whoever would hear of a critical alert first, and of what a person
        has answered nobody above the first rung."""
        if alert.code == CHANNEL_DOWN:
            return self._ladder.reached("critical", alert.raised_at, alert.raised_at)
        until = now if alert.acknowledged_at is None else alert.raised_at
        return self._ladder.reached(alert.severity, alert.raised_at, until)

    def _is_over(self, alert: Alert, now: datetime) -> bool:
        """The end of a warning is told when it did not come back for a while, that of a critical alert at once.

        A person's answer ends by the machine's clock what a desk on recorded days dates by its own.
        """
        ended = alert.cleared_at
        return ended is not None and (alert.severity == "critical" or ended > now or now - ended >= self._quiet)

    def _send(self, channel: Channel, notices: Sequence[Notice], now: datetime) -> bool:
        highest = {notice.alert.alert_id: notice for notice in notices}  # of one alert the level it has come to
        why = channel.send(message_of(tuple(highest.values()), self._rules), now.isoformat())
        with self._alerts.batch():
            for notice in notices:
                before = [d for d in notice.alert.deliveries if (d.channel, d.notice) == (channel.name, notice.said)]
                tries = 1 + sum(item.tries for item in before)
                self._alerts.note_sent(
                    notice.alert.alert_id,
                    Delivery(
                        notice=notice.said,
                        kind=channel.kind,
                        channel=channel.name,
                        state="failed" if why else "sent",
                        tries=tries,
                        at=now,
                        next_at=now + retry_after(tries) if why else None,
                        said=why,
                    ),
                )
            if not why:
                self._alerts.clear(CHANNEL_DOWN, channel.name)
            elif CHANNEL_DOWN not in self._rules.off:
                rule = self._rules[CHANNEL_DOWN]
                self._alerts.raise_alert(CHANNEL_DOWN, rule.severity, channel.name, f"{rule.what}: {channel.name}")
        return not why

    def _note_progress(self, alert: Alert, now: datetime) -> None:
        """How far up the ladder it has come, or that its end is told to all who heard of its beginning."""
        if alert.state != ENDED:
            level = max((told.level for told in self._told(alert, now)), default=0)
            if level > alert.level:
                self._alerts.note_level(alert.alert_id, level)
            return
        heard = {item.channel for item in alert.deliveries if item.state == "sent" and item.notice != ENDED}
        ends = {item.channel: item for item in alert.deliveries if item.notice == ENDED}
        is_told = all(
            name in ends and (ends[name].state == "sent" or ends[name].tries >= MOST_END_TRIES) for name in heard
        )
        if is_told and self._is_over(alert, now):
            self._alerts.note_end_told(alert.alert_id)


def _is_due(before: Delivery | None, now: datetime) -> bool:
    return before is None or (before.next_at is not None and before.next_at <= now)
