"""Parts of pages: each is rendered by itself, kept for all who look, and made again when what it is about has moved."""

from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from threading import Lock
from urllib.parse import urlencode

from ... import ParleyError
from ...desk.clock import elapsed_s
from ...desk.errors import RunUnknown
from ..access.roles import Caller, Role, allows
from ..answers.reader import DeskReader, Reading
from ..api.desk import ServedDesk
from ..api.feed import Head
from .beat import Beat, Beats
from .rendering import fragment
from .topics import BESIDE, Topic

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
    is_timed: bool = False
    """It shows the date or a time of the machine's clock."""

    @property
    def is_live(self) -> bool:
        """Whether it may show something that stands in no log."""
        return self.is_timed or not self.topics or not self.topics.isdisjoint(BESIDE)


@dataclass(slots=True)
class _Made:
    """A part as it was made last. `ident` tells it from one of the same name that was forgotten."""

    ident: int
    html: str = ""
    begun_s: float = -1.0
    seq: int = -1
    chain: int = -1
    stamp: str = ""
    files: int = 0
    """The look at the book's files that it was made after."""
    again_s: float | None = None
    """When it is to be made again, though nothing may have moved."""
    turns: int = 0

    def is_good(self, part: Part, beat: Beat, stamp: str, files: int, asked_s: float) -> bool:
        """Whether it shows what there was to show when it was asked for."""
        if self.begun_s >= asked_s:
            return True
        is_due = self.again_s is not None and self.again_s <= asked_s
        is_of_log = self.chain == beat.chain and self.seq >= beat.last_of(part.topics)
        is_of_files = self.stamp == stamp and self.files == files
        return is_of_log and not is_due and (is_of_files or not part.is_live)


def address(path: str, run: str | None, query: Mapping[str, str]) -> str:
    """A path with its query; the run only where the page's own address names one."""
    asked = ({"run": run} if run else dict[str, str]()) | dict(query)
    return f"{path}?{urlencode(sorted(asked.items()))}" if asked else path


class Parts:
    """All parts by name, and what was made of them lately."""

    def __init__(self, desk: ServedDesk, parts: tuple[Part, ...], beats: Beats | None = None) -> None:
        self._desk, self._beats = desk, beats or Beats(desk)
        self.by_name = {part.name: part for part in parts}
        self._lock = Lock()
        self._made: OrderedDict[tuple[str, ...], _Made] = OrderedDict()
        self._idents = count()

    async def body(self, part: Part, run: str | None, caller: Caller, query: Mapping[str, str]) -> tuple[str, int]:
        """The inside of a part as of now, and which event that is. Made once for all who ask, and only by threads of
        the pools: whoever waits for a part that takes its time holds up nobody else."""
        caller.require(part.needs, "read")
        taken = {name: query[name] for name in part.takes if name in query}
        key = (part.name, run or "", caller.role, urlencode(sorted(taken.items())))
        asked_s, beat, made = elapsed_s(), self.now(run), self._kept(key)
        # The stamp goes on once a second and with every change made here: what stands in no log is no older.
        stamp = self._desk.fresh_state(None, needs_run=False)
        files = self._beats.files_at(part.topics)
        while not made.is_good(part, beat, stamp, files, asked_s):
            # Who finds it being made waits for that, and then for the next one if that began too early.
            turn = ("part", str(made.ident), str(made.turns))
            work = partial(self._make, made, part, run, caller.role, taken)
            await self._desk.works.once(turn, f"part {part.name}", work)
        return made.html, max(made.seq, beat.head.seq)

    def now(self, run: str | None) -> Beat:
        """Where the run is, for all parts of a page; the beginning of nothing while there is none."""
        try:
            return self._beats.now(run)
        except ParleyError:
            return Beat(Head("", 0, ""), 0, -1)

    def due(self, run: str | None, after_s: float, until_s: float) -> set[Topic]:
        """The topics of parts that showed something of a moment ago, and can show it anew since some time."""
        with self._lock:
            kept = [(key[0], made.again_s) for key, made in self._made.items() if key[1] in ("", run)]
        due = [name for name, again_s in kept if again_s is not None and after_s < again_s <= until_s]
        return {topic for name in due for topic in self.by_name[name].topics}

    def _make(self, made: _Made, part: Part, run: str | None, role: Role, query: Mapping[str, str]) -> None:
        try:
            begun_s, stamp, beat = elapsed_s(), self._desk.fresh_state(None, needs_run=False), self.now(run)
            files = self._beats.files_at(part.topics)
            html, again_s = self._render(part, run, role, query)
            made.html, made.seq, made.chain = html, beat.head.seq, beat.chain
            made.stamp, made.files, made.again_s, made.begun_s = stamp, files, again_s, begun_s
        finally:
            made.turns += 1

    def _render(self, part: Part, run: str | None, role: Role, query: Mapping[str, str]) -> tuple[str, float | None]:
        with self._reader(run).reading() as reading:
            asked = Asked(self._desk, reading, role, query, run)
            try:
                html = fragment(part.template, v=part.view(asked), asked=asked)
            except ParleyError as error:
                html = fragment("trouble.html", message=error.message, remedy=error.remedy)
            return str(html), reading.again_s

    def _reader(self, run: str | None) -> DeskReader:
        try:
            return self._desk.reader(run)
        except RunUnknown:
            return DeskReader(self._desk.settings.book, self._desk.run_asked(run))

    def _kept(self, key: tuple[str, ...]) -> _Made:
        with self._lock:
            made = self._made.get(key)
            if made is None:
                made = self._made[key] = _Made(next(self._idents))
            self._made.move_to_end(key)
            while len(self._made) > MOST_KEPT:
                self._made.popitem(last=False)
            return made
