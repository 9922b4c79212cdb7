"""Why a service did not take a message, in fixed words: what a library says of it can hold an address or a password."""

import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

NOT_TAKEN = "the service did not take the message"
LOGGER = "apprise"
CAUSES: tuple[tuple[str, str], ...] = (
    (r"connection refused|errno 111", "the connection was refused: no such service runs there"),
    (r"timed? ?out", "it did not answer in time"),
    (r"name or service not known|name resolution|getaddrinfo|nodename nor servname", "its host's name is not known"),
    (r"\(53[045],|authentication|login|error=401\b|error=403\b", "it refused the login"),
    (r"certificate|ssl|tls", "no secure connection could be made"),
    (r"error=404\b|error=410\b", "there is nothing at that address"),
    (r"error=429\b", "it was sent too many"),
    (r"error=4\d\d\b", "it refused the message"),
    (r"error=5\d\d\b|\(4\d\d,", "it failed by itself"),
    (r"\(5\d\d,|recipients? refused", "it refused the sender or a recipient"),
    (r"connection aborted|connection reset|unexpectedly closed|errno 104", "it broke the connection off"),
    (r"no route|network is unreachable|errno 101|errno 113", "it can't be reached over the network"),
)
"""What may stand in a log line, in lower case, and what that means; the first that fits is said."""
HEARD: ContextVar[list[str] | None] = ContextVar("heard", default=None)
STATUS = re.compile(r"error=(\d{3})\b|\((\d{3}), b'")


class Heard(logging.Filter):
    """Keeps the causes of what one sending logs, whichever thread it goes on in; no handler gets any of it."""

    @contextmanager
    def listening(self) -> Iterator[list[str]]:
        """The causes heard meanwhile."""
        found: list[str] = []
        before = HEARD.set(found)
        try:
            yield found
        finally:
            HEARD.reset(before)

    def filter(self, record: logging.LogRecord) -> bool:
        found = HEARD.get()
        if found is not None and (cause := cause_of(record.getMessage())):
            found.append(cause)
        return False


def cause_of(text: str) -> str:
    """The words of the table for a line, with the service's number where it gave one; nothing where none fits."""
    if "payload" in text.lower():
        return ""
    for pattern, words in CAUSES:
        if re.search(pattern, text.lower()):
            status = STATUS.search(text)
            return f"{words} ({status[1] or status[2]})" if status else words
    return ""


def heard_from(logger: logging.Logger) -> Heard:
    """The one filter of that logger; from here on nothing that it is told is written anywhere."""
    for known in logger.filters:
        if isinstance(known, Heard):
            return known
    heard = Heard()
    logger.addFilter(heard)
    logger.setLevel(logging.DEBUG)
    return heard
