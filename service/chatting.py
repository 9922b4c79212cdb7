"""`parley chat`: one question, or a conversation until it ends; and what was said, exported."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ..agents.llm.rules import RulesModel
from ..desk.errors import SettingsInvalid
from ..desk.settings import Settings, load_settings
from .access.roles import ROLES, Role
from .access.seated import seated
from .answers.answer import Answer
from .answers.reader import DeskReader
from .chat.front import Chooser, Front
from .chat.history import History
from .console import Console
from .controlling import login_name

BYE = frozenset({"exit", "quit", "bye", ":q", "ende", "salir"})
PROMPT = "> "


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """The options of `parley chat`."""

    book: Path
    run: str | None = None
    ask: str | None = None
    token: str | None = None
    user: str | None = None
    role: str | None = None
    model: str | None = None
    config: Path | None = None


def perform_chat(request: ChatRequest, console: Console) -> None:
    """Answer `--ask`, do what `--yes-token` stands for, or talk until the input ends."""
    user = request.user or login_name()
    role = seated(request.book, user, role_named(request.role))
    settings = load_settings(request.config)
    with chooser_of(request.model, settings) as chooser:
        front = Front(DeskReader(request.book, request.run), chooser)
        if request.token is not None:
            _tell(front.confirm(request.token, user, role), console)
        elif request.ask is not None:
            _tell(front.reply(request.ask, user, role), console)
        elif console.as_json:
            raise SettingsInvalid("--json needs a question", remedy="Give one with --ask.")
        else:
            _talk(front, user, role, console)


def perform_export(book: Path, user: str | None, console: Console) -> None:
    """A user's whole history."""
    document = History(book).export(user or login_name())
    console.result(document)
    for item in document["said"]:
        console.say(f"[{item['at']}] {item['question']}")
        console.say("\n".join(f"  {line}" for line in item["answer"].splitlines()))


@contextmanager
def chooser_of(model: str | None, settings: Settings) -> Iterator[Chooser | None]:
    """The team over a model that is named here or in the settings; None for `rules`, which the grammar stands for."""
    name = model or settings.llm.model or RulesModel.name
    if name == RulesModel.name:
        yield None
        return
    from ..agents.ask import Asking
    from ..desk.models import build_model
    from .chat.team import TeamChooser

    chooser = TeamChooser(Asking(build_model(name, settings.llm), settings.llm.timeout_s, 120))
    try:
        yield chooser
    finally:
        chooser.close()


def role_named(name: str | None) -> Role | None:
    """A role by its name, or none where none was named."""
    for role in ROLES:
        if name == role:
            return role
    if name is None:
        return None
    raise SettingsInvalid(f"--role {name!r} is no role", remedy=f"Use one of: {', '.join(ROLES)}.")


def _talk(front: Front, user: str, role: Role, console: Console) -> None:
    console.say(f"Ask about the desk of this book, as {user} ({role}). `more` shows more, `yes TOKEN` confirms.")
    for line in _lines():
        words = line.strip()
        if not words:
            continue
        if words.casefold() in BYE:
            return
        first, _, rest = words.partition(" ")
        if first.casefold() in ("yes", "confirm") and rest:
            _tell(front.confirm(rest.strip(), user, role), console)
        else:
            _tell(front.reply(words, user, role), console)


def _lines() -> Iterator[str]:
    """What is typed, line by line, to the end of the input."""
    while True:
        if sys.stdin.isatty():
            sys.stdout.write(PROMPT)
            sys.stdout.flush()
        line = sys.stdin.readline()
        if not line:
            return
        yield line


def _tell(answer: Answer, console: Console) -> None:
    console.result(answer.document())
    for line in answer.lines:
        console.say(line)
    if answer.token:
        console.say(f"  token: {answer.token}   (parley chat --yes-token {answer.token})")
    if answer.more:
        console.say(f"  [{answer.kind}; more: {answer.more}]")
    else:
        console.say(f"  [{answer.kind}]")
