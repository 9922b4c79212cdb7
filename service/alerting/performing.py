"""The `parley alerts` commands: what stands, an answer to it, a test of every channel, and the watch in a terminal."""

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from threading import Event

from ...desk.alert_book import AlertBook
from ...desk.alert_records import Alert
from ...desk.book import Book
from ...desk.clock import wall_now, wall_time
from ...desk.errors import AlertUnknown
from ...desk.settings import load_settings
from ...domain.levels import measured_text
from ...watch.rules import AlertRules
from ..console import Console
from ..controlling import login_name
from .acknowledging import acknowledge_alert
from .channels import channels_of
from .documents import alert_document
from .errors import WatchTaken
from .looking_back import Spell, look_back
from .messages import Message
from .seat import Seat
from .watcher import LOOK_S, BookWatcher

RECENT = 200


def perform_list(book: Path, every: bool, console: Console) -> bool:
    """What stands, or the newest of all; False while a critical one waits for an answer."""
    alerts = AlertBook(book, wall_now)
    found = alerts.recent(RECENT) if every else alerts.open()
    blocking = [alert.alert_id for alert in alerts.blocking()]
    console.result({"alerts": [alert_document(item).model_dump(mode="json") for item in found], "blocking": blocking})
    if not found:
        console.say("No alert was ever raised in this book." if every else "No alert stands.")
    else:
        console.table("", ("what", "severity", "state", "since", "times", "alert"), [_row(alert) for alert in found])
    if blocking:
        console.say("  A critical alert that nobody has answered keeps the desk from opening: parley alerts ack ID.")
    return not blocking


def perform_answer(book: Path, ident: str, reason: str, user: str | None, console: Console) -> None:
    """One alert by its id or the beginning of it, or `all` that wait."""
    waiting = [alert for alert in AlertBook(book, wall_now).open() if alert.state == "open"]
    found = waiting if ident == "all" else [alert for alert in waiting if alert.alert_id.startswith(ident)]
    if not found or (len(found) > 1 and ident != "all"):
        names = ", ".join(alert.alert_id for alert in waiting) or "none"
        raise AlertUnknown(f"{ident[:40]!r} names {len(found)} alerts that wait", remedy=f"Name one of: {names}.")
    done = [acknowledge_alert(book, alert.alert_id, user or login_name(), reason) for alert in found]
    rows = [{"alert": item.alert.alert_id, "code": item.alert.code, "how": item.how} for item in done]
    console.result({"acknowledged": rows})
    for item in done:
        note = "" if item.how == "none" else f"; its notification by {item.how}"
        console.say(f"{item.alert.alert_id} ({item.alert.code}) is answered{note}.")


def perform_test(book: Path, config: Path | None, console: Console) -> bool:
    """A message over every channel; False when one was not taken."""
    settings = load_settings(config).alerts
    settings.rules()
    at = wall_time()
    message = Message("Parley test: no alert", f"A test of this channel, sent at {at}. Nothing has happened.", "info")
    rows = [(channel.name, channel.send(message, at)) for channel in channels_of(book, settings)]
    console.result({"channels": [{"channel": name, "ok": not why, "said": why} for name, why in rows]})
    for name, why in rows:
        console.say(f"{'ok' if not why else 'failed':<7} {name:<12} {why}")
    if len(rows) == 1:
        console.say("  No address is set: see [alerts] webhook, email, sms and everyone.")
    return not any(why for _, why in rows)


def perform_watch(book: Path, config: Path | None, from_start: bool, console: Console) -> None:
    """Until Ctrl-C: the same watch that `parley serve` and `parley trade` have in a thread. With --json each piece of
    news is a document in a line of its own."""
    settings = load_settings(config)
    watcher, waiting, seat = BookWatcher(book, settings, from_start=from_start), Event(), Seat(book, settings.alerts)
    try:
        if not seat.take_in_time():
            raise _taken(book, seat)
        known: dict[str, tuple[str, int]] = {}
        console.say(f"Watching {book}; Ctrl-C ends it.")
        with suppress(KeyboardInterrupt):
            while not seat.is_wanted:
                watcher.look()
                watcher.tell()
                _say_news(watcher.alerts.recent(RECENT), known, console)
                waiting.wait(LOOK_S)
            raise WatchTaken(
                f"another process, with more in its alert settings, watches {book} now",
                remedy="Give the same --config to both, and either may watch.",
            )
    finally:
        seat.leave()


def perform_look_back(book: Path, run: str | None, config: Path | None, console: Console) -> None:
    """All that a finished run would have raised, by the market's clock; nothing is kept and nobody is told."""
    folder = Book(book).operated() if run is None else Book(book).find(run)
    rules = load_settings(config).alerts.rules()
    found = look_back(folder, rules)
    rows = [_spell(spell) for spell in found.spells]
    chain = {"events": found.place.seq, "head_hash": found.place.hash}
    console.result({"run": folder.run_id, **chain, "count": len(rows), "alerts": rows})
    if rows:
        header = ("what", "severity", "raised", "first", "worst", "until", "times")
        console.table("", header, [_spell_row(spell, rules) for spell in found.spells])
    console.say(f"{len(rows)} alerts in {folder.run_id}; its chain holds to event {found.place.seq}.")


def _taken(book: Path, seat: Seat) -> WatchTaken:
    """With whose settings it is watched, where those given here are left out."""
    holder = seat.holder()
    other = ", with other alert settings: those given here are not used" if seat.is_unused else ""
    return WatchTaken(
        f"{f'process {holder.pid}' if holder else 'another process'} watches {book}{other}",
        remedy="parley serve and parley trade do; stop it, start it with this --config, or leave it to it.",
    )


def _say_news(alerts: Sequence[Alert], known: dict[str, tuple[str, int]], console: Console) -> None:
    for alert in reversed(alerts):
        stands = (alert.state, alert.level)
        if known.get(alert.alert_id) != stands:
            if alert.state != "cleared" or alert.alert_id in known:
                console.line(alert_document(alert).model_dump(mode="json"))
                console.say(f"{alert.last_at:%H:%M:%S} {alert.severity:<8} {alert.state:<12} {alert.text}")
            known[alert.alert_id] = stands


def _row(alert: Alert) -> tuple[str, ...]:
    since = f"{alert.raised_at:%Y-%m-%d %H:%M}"
    return (alert.text, alert.severity, alert.state, since, str(alert.count), alert.alert_id)


def _spell(spell: Spell) -> dict[str, object]:
    first, until = spell.first, spell.cleared_at
    return {
        "code": first.code,
        "severity": first.severity,
        "subject": first.subject,
        "text": first.text,
        "raised_at": first.at.isoformat(),
        "cleared_at": None if until is None else until.isoformat(),
        "figure": first.figure,
        "worst": spell.worst,
        "limit": first.limit,
        "count": spell.count,
        "event": first.event_id,
    }


def _spell_row(spell: Spell, rules: AlertRules) -> tuple[str, ...]:
    first, unit = spell.first, rules[spell.first.code].unit
    until = f"{spell.cleared_at:%Y-%m-%d}" if spell.cleared_at is not None else "-"
    figures = ["-" if figure is None else measured_text(figure, unit) for figure in (first.figure, spell.worst)]
    raised = f"{first.at:%Y-%m-%d %H:%M}"
    return (f"{first.code} {first.subject}", first.severity, raised, *figures, until, str(spell.count))
