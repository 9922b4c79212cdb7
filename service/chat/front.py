"""The one front of the chat: a question comes in, and an answer of the table or a request with a token goes out."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

from pydantic import JsonValue

from ... import ParleyError
from ...domain.model import Model
from ..answers.answer import Answer, Kind
from ..answers.askable import Askable, Role
from ..answers.draft import Draft, quote
from ..answers.errors import BadArguments
from ..answers.reader import DeskReader
from ..answers.table import ASKABLES, parse_arguments
from ..intents.errors import IntentError
from ..intents.intent import Intent, intent_document, is_permitted
from ..intents.proposing import confirm, propose
from ..intents.tokens import TokenStore
from ..pages.render import clean
from .grammar import Target, Understood, grammar
from .history import History
from .paging import is_more, next_rows
from .picks import Missing, arguments_of, intent_of

MAX_QUESTION_CHARS = 600
RIVALS_SHOWN = 4

Chooser = Callable[[Understood, Role], "Pick | None"]
"""A language model's reading of a question that the grammar is not sure of; None where it has none either."""


@dataclass(frozen=True, slots=True)
class Pick:
    """What a question was settled to mean, with the arguments that a model added."""

    target: Target
    arguments: Mapping[str, JsonValue]


@dataclass(frozen=True, slots=True)
class Meant:
    """What a message means: a question with its arguments, a request, or an answer that needs no record."""

    askable: Askable | None = None
    parsed: Model | None = None
    intent: Intent | None = None
    said: Answer | None = None
    asked: dict[str, JsonValue] = field(default_factory=dict[str, JsonValue])
    """The question and its arguments as the history keeps them."""


class Front:
    """One operator's way to the desk. Reads are free; what would change something is only shown, with a token."""

    def __init__(
        self,
        reader: DeskReader,
        chooser: Chooser | None = None,
        tokens: TokenStore | None = None,
        *,
        always_choose: bool = False,
        keeps: bool = True,
    ) -> None:
        """`always_choose` asks the model even where the grammar is sure; without `keeps` no history is written."""
        self._reader, self._chooser, self._always = reader, chooser, always_choose
        self._tokens = tokens or TokenStore(reader.book)
        self._history = History(reader.book) if keeps else None
        self._shown: dict[str, tuple[Answer, int]] = {}

    def reply(self, text: str, user: str, role: Role) -> Answer:
        """The answer to one message; whatever it says, it is an answer, and nothing of the world has changed."""
        question = clean(text, MAX_QUESTION_CHARS)
        answer, asked = self.understood_as(question, user, role)
        if self._history is not None:
            self._history.keep(user, role, question, answer, asked)
        return answer

    def understood_as(self, question: str, user: str, role: Role) -> tuple[Answer, dict[str, JsonValue]]:
        """The answer, and what the message was taken to mean: `ask`, `propose` or `refused`, or nothing."""
        try:
            if is_more(question):
                return self._more(user), {}
            meant = self.meant(question, role)
            answer, asked = self._answered(meant, user, role)
        except ParleyError as error:
            return _trouble(error), {}
        self._shown[user] = (answer, 0)
        return answer, asked

    def meant(self, question: str, role: Role) -> Meant:
        """What a message means, before anything is answered; without a model it is the same for everybody."""
        understood = self._understood(question)
        pick = _picked(understood)
        if self._chooser is not None and question and (self._always or not understood.is_sure):
            chosen = self._chooser(understood, role)
            # What the rules refuse, no model lets through.
            is_refused = pick is not None and pick.target.sort == "refuse"
            pick = pick if is_refused else chosen or pick
        if pick is None:
            return Meant(said=_asked_back(understood))
        if pick.target.sort == "refuse":
            return Meant(said=_refused(pick.target.name), asked={"refused": pick.target.name})
        if pick.target.sort == "do":
            intent = intent_of(pick.target.name, understood)
            return Meant(said=_clarified(intent.asks)) if isinstance(intent, Missing) else Meant(intent=intent)
        return self._asked(pick, understood)

    def note(self, question: str, user: str, role: Role, meant: Meant, answer: Answer) -> None:
        """What `reply` does with an answer that somebody else got for what was meant: it is shown, and remembered."""
        self._shown[user] = (answer, 0)
        if self._history is not None:
            self._history.keep(user, role, question, answer, meant.asked)

    def confirm(self, token: str, user: str, role: Role) -> Answer:
        """Do what a token stands for; a token that is no good is refused, and says why."""
        try:
            answer = confirm(user, role, token, self._reader, self._tokens)
        except IntentError as error:
            answer = replace(_trouble(error), kind=Kind.REFUSE)
        if self._history is not None:
            self._history.keep(user, role, "(a token)", answer, {"confirmed": answer.intent})
        return answer

    def _answered(self, meant: Meant, user: str, role: Role) -> tuple[Answer, dict[str, JsonValue]]:
        if meant.askable is not None and meant.parsed is not None:
            return meant.askable.perform(self._reader, meant.parsed), meant.asked
        if meant.intent is not None:
            return self._proposed(meant.intent, user, role)
        assert meant.said is not None, "a meaning is one of the three"
        return meant.said, meant.asked

    def _understood(self, question: str) -> Understood:
        symbols: tuple[str, ...] = ()
        sectors: tuple[str, ...] = ()
        with suppress(ParleyError), self._reader.reading() as reading:
            symbols = reading.symbols
            sectors = tuple(sorted({item.sector for item in reading.started.universe.instruments}))
        return grammar().understand(question, symbols, sectors)

    def _asked(self, pick: Pick, understood: Understood) -> Meant:
        askable = ASKABLES[pick.target.name]
        with self._reader.reading() as reading:
            found = arguments_of(askable, understood, reading if askable.needs_run else None)
        if isinstance(found, Missing):
            return Meant(said=_clarified(found.asks))
        arguments, parsed = _parsed(askable, found, pick.arguments)
        return Meant(askable, parsed, asked={"ask": askable.name, "arguments": arguments})

    def _proposed(self, intent: Intent, user: str, role: Role) -> tuple[Answer, dict[str, JsonValue]]:
        answer = propose(user, role, intent, self._reader, self._tokens)
        kept: JsonValue = intent_document(intent) if is_permitted(role, intent) else intent.action
        return answer, {"propose": kept}

    def _more(self, user: str) -> Answer:
        """The next rows of what was shown last, in this process or in an earlier one."""
        answer, offset = self._shown.get(user) or (self._again(user), 0)
        if answer is None:
            return _clarified("There is nothing before this to show more of. Ask a question first.")
        page, offset = next_rows(answer, offset)
        self._shown[user] = (answer, offset)
        return page

    def _again(self, user: str) -> Answer | None:
        said = [item for item in (self._history.of(user) if self._history else []) if item.asked.get("ask")]
        if not said:
            return None
        name, arguments = str(said[-1].asked["ask"]), said[-1].asked.get("arguments")
        askable = ASKABLES.get(name)
        if askable is None or not isinstance(arguments, dict):
            return None
        return askable.perform(self._reader, parse_arguments(askable, arguments))


def says_of(target: Target) -> str:
    """A meaning in words, for a question asked back."""
    if target.sort == "ask" and target.name in ASKABLES:
        return ASKABLES[target.name].says.rstrip(".").lower()
    return f"to {target.name.replace('_', ' ')} (shown first, and done only when confirmed)"


def _parsed(
    askable: Askable, found: dict[str, JsonValue], added: Mapping[str, JsonValue]
) -> tuple[dict[str, JsonValue], Model]:
    """The arguments found by rules, with a model's where these say nothing, and without where they do not fit."""
    both = {**added, **found}
    if added:
        with suppress(BadArguments):
            return both, parse_arguments(askable, both)
    return found, parse_arguments(askable, found)


def _picked(understood: Understood) -> Pick | None:
    best = understood.best
    return None if best is None else Pick(best, {})


def _refused(name: str) -> Answer:
    draft = Draft("refusal", {"rule": name})
    draft.say("{}", grammar().refusals[name])
    return draft.answer(Kind.REFUSE, more="permissions")


def _clarified(asks: str, *more: str) -> Answer:
    draft = Draft("clarify", {})
    draft.say("{}", asks)
    for line in more:
        draft.say("{}", line)
    return draft.answer(Kind.CLARIFY, more="help")


def _asked_back(understood: Understood) -> Answer:
    rivals = understood.rivals[:RIVALS_SHOWN]
    if rivals:
        return _clarified(
            "This can be read in more than one way. Is it about:", *(f"- {says_of(item)}" for item in rivals)
        )
    return _clarified(
        "I can't tell what is asked. I answer about positions, trades, orders, decisions, vetoes, risk, limits, costs,",
        "what-ifs, alerts, data and versions, and I propose a halt, a cancel, a reduction or a tighter limit.",
        "Name a symbol, a day or an order id where it is about one, or ask: what can I ask?",
    )


def _trouble(error: ParleyError) -> Answer:
    """A typed error as an answer: what was named is asked for again."""
    is_question = error.code in ("bad_arguments", "intent_invalid", "unknown_question")
    draft = Draft("trouble", {"code": error.code})
    found: Any = draft.derive("trouble", {"message": error.message, "remedy": error.remedy})
    draft.say("{}", quote(found["message"]))
    if error.remedy:
        draft.say("{}", quote(found["remedy"]))
    return draft.answer(Kind.CLARIFY if is_question else Kind.NO_DATA, more="help")
