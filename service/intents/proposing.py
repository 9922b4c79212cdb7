"""The two steps of every change: a request is shown with its effects and gets a token, and only the token does it."""

from dataclasses import replace
from pathlib import Path

from pydantic import JsonValue

from ...domain.canonical import content_hash
from ..answers.answer import Answer, Kind
from ..answers.askable import Role
from ..answers.draft import Draft, num, quote
from ..answers.reader import DeskReader, Reading
from .doing import Done, commands_of, do
from .effects import Effects, effects_of
from .errors import NotPermitted, TokenRefused
from .intent import NEEDS, Approve, Intent, intent_document, is_permitted, needed_role, parse_intent
from .saying import say_effects
from .tokens import REMEDY, TokenStore

TRADING = frozenset({"flatten", "reduce_position"})
"""Requests that send orders, which the gate then judges one by one."""


def propose(user: str, role: Role, intent: Intent, reader: DeskReader, tokens: TokenStore | None = None) -> Answer:
    """What the request would do, and the token that does it; refused by role or by type, or with nothing to do,
    there is no token. Raises IntentInvalid for a name that the run does not know."""
    with reader.reading() as reading:
        draft = reading.draft(f"intent_{intent.action}", intent_document(intent))
        approver = _approver(reading, intent)
        if not is_permitted(role, intent, approver):
            needed = needed_role(intent, approver)
            draft.say("Refused: {} needs the role {}, and yours is {}.", intent.action, needed, role)
            return draft.answer(Kind.REFUSE)
        effects = effects_of(reading, intent)
        found = draft.derive("effects", effects)
        if effects.get("refusal"):
            draft.say("Refused: {}.", quote(found["refusal"]))
            return draft.answer(Kind.REFUSE, more="permissions")
        say_effects(draft, found)
        document = intent_document(intent)
        kind = Kind.INTENT_THROUGH_GATE if intent.action in TRADING else Kind.COMMAND_NEEDS_CONFIRMATION
        if _does_nothing(effects):
            return replace(draft.answer(kind), intent=document)
        draft.say("Nothing has been done yet. Confirm it with the token, within a minute.")
        store = tokens or TokenStore(reading.book.path)
        token = store.issue(user, document, state_version(reading, effects))
        return replace(draft.answer(kind), intent=document, token=token)


def confirm(user: str, role: Role, token: str, reader: DeskReader, tokens: TokenStore | None = None) -> Answer:
    """Does what the token stands for, by the way of `parley halt` and the like, and says what came of it.

    Raises TokenRefused for a token that is unknown, used, expired, another user's or of another state, and
    NotPermitted where the role has become too small for it. The token is spent either way.
    """
    store = tokens or TokenStore(reader.book)
    grant = store.spend(token, user)
    intent = parse_intent(grant.intent)
    with reader.reading() as reading:
        approver = _approver(reading, intent)
        if not is_permitted(role, intent, approver):
            raise NotPermitted(f"{intent.action} needs the role {needed_role(intent, approver)}, and yours is {role}")
        effects = effects_of(reading, intent)
        if effects.get("refusal") or state_version(reading, effects) != grant.state_version:
            why = f": {effects['refusal']}" if effects.get("refusal") else ""
            raise TokenRefused(f"what the request would do has changed since it was shown{why}", remedy=REMEDY)
        commands = commands_of(reading, intent, effects)
    return _told(reader.book, do(reader.book, commands, intent.reason, user, role), intent, effects.get("bare", []))


def state_version(reading: Reading, effects: Effects) -> str:
    """The state a person was shown: effects, restrictions and limits of the run.

    Not the log's head itself, which moves with every quote of a session: then no token would live to be used.
    """
    standing = reading.standing
    held: list[JsonValue] = [[str(scope), change.after.value] for scope, change in standing.in_force.items()]
    parts: list[JsonValue] = [
        *(reading.run_id, sorted(held, key=str), dict(standing.tightened), reading.limits.hash()),
        *(reading.post.flag.is_raised, effects),
    ]
    return content_hash(parts)


def _approver(reading: Reading, intent: Intent) -> Role:
    """Who may approve plans of this run; of another request nobody has to know."""
    return reading.settings.approval.role if isinstance(intent, Approve) else NEEDS[intent.action]


def _does_nothing(effects: Effects) -> bool:
    return bool(effects.get("idle")) or "unknown" in effects or bool(effects.get("smaller"))


def _told(book: Path, done: Done, intent: Intent, bare: JsonValue) -> Answer:
    """What came of it; `bare` are the shares that stand without a stop afterwards."""
    draft = Draft("done", {"book": str(book), "action": intent.action})
    said = draft.derive("done", done.document())
    if done.refusal:
        draft.say("Refused: {}", quote(said["refusal"]))
        return replace(draft.answer(Kind.REFUSE), intent=intent_document(intent))
    draft.say("Done: {}.", intent.action)
    if done.how == "inbox":
        draft.say(
            "It was left for the desk as message {}, and is taken at its next moment, or when it runs again.",
            quote(said["note"]),
        )
    elif done.how == "flag":
        draft.say("The kill flag is what does it; a running desk sees it within a second.")
    elif done.run:
        draft.say("It is recorded in the log of {}, which is not running.", quote(said["run"]))
    else:
        draft.say("Nothing is running; it is recorded in the desk's run.")
    for row in draft.derive("bare", bare).rows() if bare else ():
        shares = num(row["shares"], "count"), quote(row["symbol"])
        draft.say("From then on {} shares of {} are held without a stop until the session is over.", *shares)
        draft.say("The log says so, and a notification.")
    kind = Kind.INTENT_THROUGH_GATE if intent.action in TRADING else Kind.COMMAND_NEEDS_CONFIRMATION
    return replace(draft.answer(kind, more="status"), intent=intent_document(intent))
