"""The ways to a person: a file of lines, and addresses of e-mail, chat and SMS services, which `apprise` knows."""

import json
import logging
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

from pydantic import SecretStr

from ...desk.alert_settings import AlertSettings
from ...watch.escalation import ChannelKind
from .causes import LOGGER, NOT_TAKEN, cause_of, heard_from
from .errors import AlertsMissing, ChannelInvalid
from .messages import Message

LOG_FILE = "alerts.jsonl"


class Channel(Protocol):
    """One way out. `name` stands in records; an address never does, since it holds a password."""

    @property
    def kind(self) -> ChannelKind: ...

    @property
    def name(self) -> str: ...

    def send(self, message: Message, at: str) -> str:
        """Why it was not taken; an empty text when it was."""
        ...


class LogChannel:
    """The book's own file: one JSON document a line."""

    kind: ChannelKind = "log"
    name = "log"

    def __init__(self, book: Path) -> None:
        self._path = book / LOG_FILE

    def send(self, message: Message, at: str) -> str:
        document = {"at": at, "severity": message.severity, "title": message.title, "text": message.body}
        line = json.dumps(document, ensure_ascii=True) + "\n"
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            file = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            try:
                os.write(file, line.encode("ascii"))
            finally:
                os.close(file)
        except OSError as error:
            return error.strerror or "it can't be written"
        return ""


class AddressChannel:
    """One address of a service."""

    def __init__(self, kind: ChannelKind, number: int, url: SecretStr) -> None:
        """Raises AlertsMissing without the package, ChannelInvalid for an address that it can't read."""
        self.kind: ChannelKind = kind
        self.name = f"{kind} {number}"
        self._apprise = _apprise()
        self._service = self._apprise.Apprise()
        if not self._service.add(url.get_secret_value()):
            raise ChannelInvalid(
                f"address {number} of alerts.{kind} is none that apprise knows",
                remedy="Write it as apprise does: mailtos://user:password@host?to=..., slack://..., json://host/path.",
            )

    def send(self, message: Message, at: str) -> str:
        apprise = self._apprise
        kinds = {"info": apprise.NotifyType.INFO, "warning": apprise.NotifyType.WARNING}
        try:
            with heard_from(logging.getLogger(LOGGER)).listening() as causes:
                is_taken = self._service.notify(
                    title=message.title,
                    body=message.body,
                    notify_type=kinds.get(message.severity, apprise.NotifyType.FAILURE),
                    body_format=apprise.NotifyFormat.TEXT,
                )
        except Exception as error:  # of whatever library the service needs; its text may hold the address
            return _why([cause_of(str(error))])
        return "" if is_taken else _why(causes)


def channels_of(book: Path, settings: AlertSettings) -> tuple[Channel, ...]:
    """The file, and every address that is set."""
    made: list[Channel] = [LogChannel(book)]
    for kind, urls in settings.urls().items():
        made.extend(AddressChannel(kind, number, url) for number, url in enumerate(urls, 1))
    return tuple(made)


def faulty_channels(settings: AlertSettings) -> Sequence[str]:
    """What is wrong with the addresses as they are written; nothing is sent."""
    found: list[str] = []
    for kind, urls in settings.urls().items():
        for number, url in enumerate(urls, 1):
            try:
                AddressChannel(kind, number, url)
            except ChannelInvalid as error:
                found.append(error.message)
    return found


def _why(causes: Sequence[str]) -> str:
    """What was heard of it, the last of several tries."""
    known = [cause for cause in causes if cause]
    return f"{NOT_TAKEN}: {known[-1]}" if known else NOT_TAKEN


def _apprise() -> Any:
    try:
        import apprise
    except ImportError as error:
        raise AlertsMissing(
            "addresses of alerts are set, and apprise is not installed",
            remedy='pip install "parley[alerts]"',
        ) from error
    # What these say of a message can hold an address; that it was not taken stands in the alert book.
    heard_from(logging.getLogger(LOGGER))
    logging.getLogger("urllib3.connectionpool").setLevel(logging.CRITICAL + 1)
    return apprise
