"""One-time tokens: each stands for one request of one user in one state, for a minute, and is kept as a hash only."""

import hashlib
import json
import os
import secrets
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from pydantic import JsonValue, ValidationError

from ...desk.clock import wall_now
from ...domain.model import Model, UtcTime
from ...storage.errors import StoreUnwritable
from .errors import TokenRefused

TOKENS, NEW, USED = "intents", "new", "used"
LIFE = timedelta(seconds=60)
KEPT = timedelta(days=1)
"""How long a spent token is remembered, so that a second use is told apart from a forged one."""
LOOKED, LOOK_AGAIN = "looked", timedelta(minutes=1)
"""When old tokens were last looked for, and how long that is enough."""
MAX_CHARS = 200
REMEDY = "Ask again and confirm what is shown then, within a minute."

Now = Callable[[], datetime]


class Grant(Model):
    """What a token stands for."""

    user: str
    intent: dict[str, JsonValue]
    state_version: str
    issued_at: UtcTime
    expires_at: UtcTime


@dataclass(frozen=True, slots=True)
class TokenStore:
    """A book's tokens, as files that only their owner may read. Every look at one spends it, whatever comes of it."""

    book: Path
    now: Now = wall_now
    draw: Callable[[], str] = lambda: secrets.token_urlsafe(24)

    def issue(self, user: str, intent: Mapping[str, JsonValue], state_version: str) -> str:
        """A new token for this request of this user, in this state."""
        token, now = self.draw(), self.now()
        grant = Grant(user=user, intent=dict(intent), state_version=state_version, issued_at=now, expires_at=now + LIFE)
        try:
            for name in (NEW, USED):
                (self._folder / name).mkdir(mode=0o700, parents=True, exist_ok=True)
            self._folder.chmod(0o700)
            self._forget_old(now)
            _write_private(self._path(token, NEW), grant.model_dump_json())
        except OSError as error:
            raise StoreUnwritable(
                f"{self._folder}: a token can't be kept here ({error.strerror})",
                remedy="Free space or get the right to write there; `parley halt` needs neither.",
            ) from error
        return token

    def spend(self, token: str, user: str) -> Grant:
        """What the token stands for, which no one can spend again; raises TokenRefused where it is no good."""
        grant = self._taken(token)
        if grant.user != user:
            raise TokenRefused("this token was given to another user", remedy=REMEDY)
        if not grant.issued_at <= self.now() <= grant.expires_at:
            raise TokenRefused(f"this token was good for {LIFE.seconds} s, and has expired", remedy=REMEDY)
        return grant

    @property
    def _folder(self) -> Path:
        return self.book / TOKENS

    def _path(self, token: str, where: str) -> Path:
        return self._folder / where / f"{hashlib.sha256(token.encode('utf-8', 'replace')).hexdigest()}.json"

    def _taken(self, token: str) -> Grant:
        """Moved out of the way first: of two who come at once, one finds it gone."""
        if not 0 < len(token) <= MAX_CHARS:
            raise TokenRefused("this is no token of this book", remedy=REMEDY)
        used = self._path(token, USED)
        if used.exists():
            raise TokenRefused("this token was used before", remedy=REMEDY)
        try:
            self._path(token, NEW).rename(used)
            return Grant.model_validate_json(used.read_text(encoding="utf-8"))
        except FileNotFoundError as error:
            raise TokenRefused("this is no token of this book", remedy=REMEDY) from error
        except (OSError, ValidationError, ValueError) as error:
            raise TokenRefused("this token can't be read", remedy=REMEDY) from error

    def _forget_old(self, now: datetime) -> None:
        """Once in a while: each look at all of them costs more the more there are."""
        note = self._folder / LOOKED
        with suppress(OSError, ValueError):
            if abs(now - datetime.fromisoformat(note.read_text(encoding="ascii"))) < LOOK_AGAIN:
                return
        note.write_text(now.isoformat(), encoding="ascii")
        for path in [*self._folder.glob(f"{NEW}/*.json"), *self._folder.glob(f"{USED}/*.json")]:
            try:
                expires_at = datetime.fromisoformat(json.loads(path.read_text(encoding="utf-8"))["expires_at"])
                is_old = expires_at + KEPT < now
            except (OSError, ValueError, KeyError, TypeError):
                is_old = True
            if is_old:
                path.unlink(missing_ok=True)


def _write_private(path: Path, text: str) -> None:
    descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text + "\n")
