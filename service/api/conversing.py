"""A message to the chat, answered in common: who asks what others ask of the same state gets what was worked out."""

from ... import ParleyError
from ..access.roles import Role
from ..chat.front import MAX_QUESTION_CHARS, Front, Meant
from ..chat.paging import is_more
from ..pages.render import clean
from .desk import ServedDesk, Told

CHAT = "chat"


async def converse(desk: ServedDesk, run: str | None, text: str, user: str, role: Role) -> Told:
    """The answer to one message, which is in the user's history before it goes out."""
    question, front = clean(text, MAX_QUESTION_CHARS), desk.front(run)
    found = None if is_more(question) else await _in_common(desk, front, run, question, role)
    if found is None:
        return await desk.works.alone(CHAT, lambda: Told.of(front.reply(text, user, role)))
    meant, told = found
    front.note(question, user, role, meant, told.answer)
    return told


async def _in_common(
    desk: ServedDesk, front: Front, run: str | None, question: str, role: Role
) -> tuple[Meant, Told] | None:
    """None for a request, which is the user's own, and where the front has to say itself what is wrong."""
    try:
        key = (desk.state(run), CHAT, question)
        meant = await desk.works.once(key, "meaning", lambda: front.meant(question, role))
        if meant.askable is not None and meant.parsed is not None:
            return meant, await desk.asked(run, meant.askable, meant.parsed)
    except ParleyError:
        return None
    return None if meant.said is None else (meant, Told.of(meant.said))
