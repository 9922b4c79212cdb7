"""What an operator asked and was told, kept in the book by user: lines of JSON that only the desk's owner may read."""

import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import JsonValue, ValidationError

from ...desk.clock import wall_time
from ...domain.model import Model
from ...storage.errors import StoreUnwritable
from ..answers.answer import Answer
from .errors import HistoryUnreadable

CHAT = "chat"


class Said(Model):
    """One question and what was answered; a token is never kept."""

    version: int = 1
    at: str
    user: str
    role: str
    question: str
    kind: str
    answer: str
    citations: tuple[str, ...] = ()
    asked: dict[str, JsonValue] = {}
    """The question of the table and its arguments, or what was proposed."""


@dataclass(frozen=True, slots=True)
class History:
    """The conversations of one book."""

    book: Path

    def path(self, user: str) -> Path:
        """A user's file, by the hash of the name: a name is no path."""
        return self.book / CHAT / f"{hashlib.sha256(user.encode('utf-8', 'replace')).hexdigest()[:24]}.jsonl"

    def keep(self, user: str, role: str, question: str, answer: Answer, asked: dict[str, JsonValue]) -> None:
        """Add one line to a user's history."""
        said = Said(
            at=wall_time(),
            user=user,
            role=role,
            question=question,
            kind=answer.kind.value,
            answer=answer.text,
            citations=answer.citations,
            asked=asked,
        )
        path = self.path(user)
        try:
            descriptor = _opened(path)
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                file.write(said.model_dump_json() + "\n")
        except OSError as error:
            raise StoreUnwritable(
                f"{path.parent}: a conversation can't be kept here ({error.strerror})",
                remedy="Free space or get the right to write there.",
            ) from error

    def of(self, user: str) -> list[Said]:
        """All that a user asked, in order. A last line that a killed process left half is no line."""
        try:
            text = self.path(user).read_text(encoding="utf-8")
        except FileNotFoundError:
            return []
        except (OSError, UnicodeDecodeError) as error:
            raise HistoryUnreadable(f"{self.path(user)} can't be read", remedy="Move the file away.") from error
        lines = text.split("\n")[:-1]
        try:
            return [Said.model_validate_json(line) for line in lines if line]
        except ValidationError as error:
            raise HistoryUnreadable(
                f"{self.path(user)} holds a line that is none of a conversation", remedy="Move the file away."
            ) from error

    def export(self, user: str) -> dict[str, Any]:
        """The whole conversation as one document."""
        return {"user": user, "said": [json.loads(item.model_dump_json()) for item in self.of(user)]}


def _opened(path: Path) -> int:
    flags = os.O_CREAT | os.O_APPEND | os.O_WRONLY
    try:
        return os.open(path, flags, 0o600)
    except FileNotFoundError:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        return os.open(path, flags, 0o600)
