"""What a drill puts around the desk: a model that does not answer, deaths, and a person who answers."""

import os
import signal
from collections.abc import Callable
from datetime import date, datetime, timedelta
from functools import partial

from pydantic import JsonValue

from ...agents.llm.port import ChatModel, ChatReply, ChatRequest
from ...desk.alert_book import AlertBook
from ...desk.operator import BookPost, Command, OperatorIntent
from ...domain.trading import ACCOUNT, Scope
from ...execution.standing import Standing
from .strikes import Strikes

WHO, WHY = "drill", "a scripted operator, in the place of a person"


class DrilledModel:
    """The desk's model, which some sessions get no answer from, and in one of whose answers the process dies."""

    def __init__(self, inner: ChatModel, dead: frozenset[date], strikes: Strikes) -> None:
        self._inner, self._dead, self._strikes = inner, dead, strikes
        self._session: date | None = None

    def decides_on(self, session: date) -> None:
        """Told before each decision."""
        self._session = session

    @property
    def name(self) -> str:
        return self._inner.name

    @property
    def is_deterministic(self) -> bool:
        return self._inner.is_deterministic

    @property
    def is_dead(self) -> bool:
        return self._session in self._dead

    async def complete(self, request: ChatRequest) -> ChatReply:
        if self._session is not None:
            self._strikes.in_decision(self._session)
        if self.is_dead:
            # What the deadline makes of a call that hangs, without the wait.
            raise TimeoutError
        return await self._inner.complete(request)


def is_answering(model: ChatModel) -> bool:
    """Whether questions get answers; of a model outside of a drill its calls alone tell."""
    return not (isinstance(model, DrilledModel) and model.is_dead)


def die() -> None:
    """As by `kill -9`: nothing is written, nothing is closed."""
    os.kill(os.getpid(), signal.SIGKILL)


class ScriptedOperator:
    """Answers what waits for a person, so many minutes after it was there, by the ways a person has.

    What a breaker tripped is armed again only once it is back inside its band: the request is refused until then, and
    made again.
    """

    def __init__(self, post: BookPost, standing: Standing, alerts: AlertBook, minutes: int) -> None:
        self._post, self._standing, self._alerts, self._wait = post, standing, alerts, timedelta(minutes=minutes)
        self._since: dict[str, datetime] = {}

    def look(self, now: datetime) -> None:
        waiting = self._waiting()
        self._since = {name: self._since.get(name, now) for name in waiting}
        for name, answer in waiting.items():
            if now - self._since[name] >= self._wait:
                self._since[name] = now
                answer()

    def next_at(self) -> datetime | None:
        """When the next answer is due."""
        return min((since + self._wait for since in self._since.values()), default=None)

    def _waiting(self) -> dict[str, Callable[[], object]]:
        found: dict[str, Callable[[], object]] = {}
        for ident in sorted(self._standing.unacknowledged):
            found[ident] = partial(self._ask, "acknowledge", detail={"notification_id": ident})
        for scope, held in sorted(self._standing.in_force.items(), key=lambda item: str(item[0])):
            if held.cause != "preflight":
                found[f"resume {scope}"] = partial(self._ask, "resume", scope=scope)
        for alert in self._alerts.blocking():
            found[alert.alert_id] = partial(self._alerts.acknowledge, alert.alert_id, WHO, WHY)
        return found

    def _ask(self, command: Command, scope: Scope = ACCOUNT, detail: dict[str, JsonValue] | None = None) -> None:
        intent = OperatorIntent(command=command, user=WHO, reason=WHY, scope=scope, detail=detail or {})
        self._post.inbox.put(intent.model_dump(mode="json"))
