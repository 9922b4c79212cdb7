"""Parts of pages: each is rendered by itself, kept for all who look, and made again when what it is about has moved."""

from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from threading import Lock
from urllib.parse import urlencode

from markupsafe import Markup

from ... import ParleyError
from ...desk.errors import RunUnknown
from ..access.roles import Caller, Role, allows
from ..answers.reader import DeskReader, Reading
from ..api.desk import ServedDesk
from .rendering import fragment
from .topics import Topic

MOST_KEPT = 512


@dataclass(frozen=True, slots=True)
class Asked:
    """What a part is made from. Nothing is opened before it is asked for."""

    desk: ServedDesk
    reading: Reading
    role: Role
    query: Mapping[str, str] = field(default_factory=dict[str, str])
    run: str | None = None
    """The run that the page's address names; links keep it."""

    def link(self, path: str, **query: str) -> str:
        """An address of the desk that stays with the run that is shown."""
        return address(path, self.run, query)

    def may(self, role: Role) -> bool:
        """Whether who looks has at least this role."""
        return allows(self.role, role)


@dataclass(frozen=True, slots=True)
class Part:
    """One panel. `view` makes what its template shows as `v`; `takes` are the names its query may have."""

    name: str
    title: str
    template: str
    view: Callable[[Asked], object]
    topics: frozenset[Topic]
    takes: tuple[str, ...] = ()
    needs: Role = "viewer"


@dataclass(slots=True)
class _Made:
    """A part as it was made last. `lock` lets one make it while the others wait for it."""

    lock: Lock = field(default_factory=Lock)
    seq: int = -1
    stamp: str = ""
    html: str = ""


def address(path: str, run: str | None, query: Mapping[str, str]) -> str:
    """A path with its query; the run only where the page's own address names one."""
    asked = ({"run": run} if run else dict[str, str]()) | dict(query)
    return f"{path}?{urlencode(sorted(asked.items()))}" if asked else path


class Parts:
    """All parts by name, and what was made of them lately."""

    def __init__(self, desk: ServedDesk, parts: tuple[Part, ...]) -> None:
        self._desk = desk
        self.by_name = {part.name: part for part in parts}
        self._lock = Lock()
        self._made: OrderedDict[tuple[str, ...], _Made] = OrderedDict()

    def body(self, part: Part, run: str | None, caller: Caller, query: Mapping[str, str], at: int) -> tuple[str, int]:
        """The inside of a part as of event `at` or later, and which event that was."""
        caller.require(part.needs, "read")
        taken = {name: query[name] for name in part.takes if name in query}
        made = self._kept((part.name, run or "", caller.role, urlencode(sorted(taken.items()))))
        with made.lock:
            # The stamp goes on once a second and with every change made here: what stands in no log is no older.
            stamp = self._desk.fresh_state(None, needs_run=False)
            if made.seq < at or made.stamp != stamp:
                made.seq, made.stamp = self._seq(run), stamp
                made.html = self._render(part, run, caller.role, taken)
            return made.html, made.seq

    def wrapped(
        self, name: str, run: str | None, caller: Caller, query: Mapping[str, str], at: int, kind: str, lazy: bool
    ) -> Markup:
        """A part as it stands in a page: its panel, where it is loaded from again, and its inside unless `lazy`."""
        part = self.by_name[name]
        html = "" if lazy else self.body(part, run, caller, query, at)[0]
        return fragment("part.html", part=part, kind=kind, lazy=lazy, html=Markup(html))

    def _render(self, part: Part, run: str | None, role: Role, query: Mapping[str, str]) -> str:
        with self._reader(run).reading() as reading:
            asked = Asked(self._desk, reading, role, query, run)
            try:
                return str(fragment(part.template, v=part.view(asked), asked=asked))
            except ParleyError as error:
                return str(fragment("trouble.html", message=error.message, remedy=error.remedy))

    def _reader(self, run: str | None) -> DeskReader:
        try:
            return self._desk.reader(run)
        except RunUnknown:
            return DeskReader(self._desk.settings.book, self._desk.run_asked(run))

    def _seq(self, run: str | None) -> int:
        try:
            return self._desk.feed.head(self._desk.run_asked(run)).seq
        except ParleyError:
            return 0

    def _kept(self, key: tuple[str, ...]) -> _Made:
        with self._lock:
            made = self._made.setdefault(key, _Made())
            self._made.move_to_end(key)
            while len(self._made) > MOST_KEPT:
                self._made.popitem(last=False)
            return made
