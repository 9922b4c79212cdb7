"""The frame around every page: who is signed in, which run is shown, where one can go, and the page's stream."""

from asyncio import gather
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from secrets import token_hex
from typing import Literal, TypeVar

from fastapi import Request
from markupsafe import Markup
from starlette.responses import HTMLResponse, Response

from ..access.roles import Caller
from ..answers.reader import Reading
from ..api.callers import served
from ..api.desk import ServedDesk
from .parts import Part, Parts, address
from .rendering import fragment
from .who import csrf_token

Theme = Literal["auto", "light", "dark"]
THEMES: dict[str, Theme] = {"auto": "auto", "light": "light", "dark": "dark"}
THEME_COOKIE = "parley_theme"
RUNS_SHOWN = 20
Found = TypeVar("Found")

_MARK = f"part {token_hex(16)} "
"""Stands in a page where a part goes, until the part is there; nobody outside can know it."""


@dataclass(frozen=True, slots=True)
class Place:
    """A page one can go to. `key` is pressed after `g`."""

    name: str
    title: str
    path: str
    key: str


NAV = (
    Place("desk", "Desk", "/", "d"),
    Place("decisions", "Decisions", "/decisions", "e"),
    Place("approvals", "Approvals", "/approvals", "p"),
    Place("alerts", "Alerts", "/alerts", "l"),
    Place("risk", "Risk", "/risk", "r"),
    Place("agents", "Agents", "/agents", "a"),
    Place("market", "Market", "/market", "m"),
    Place("execution", "Execution", "/execution", "x"),
    Place("system", "System", "/system", "s"),
    Place("evaluations", "Evaluations", "/evaluations", "v"),
    Place("data", "Data", "/data", "q"),
)


@dataclass(frozen=True, slots=True)
class _Drawn:
    """A part where a template wants it."""

    part: Part
    kind: str
    is_lazy: bool


@dataclass(frozen=True, slots=True)
class Shell:
    """What the frame shows."""

    user: str
    role: str
    csrf: str
    theme: Theme
    active: str
    run: str
    named_run: str | None
    """The run that the address names; links keep it."""
    runs: tuple[str, ...]
    more_runs: int
    seq: int
    stream: str
    book: str
    nav: tuple[Place, ...] = NAV

    def link(self, path: str, **query: str) -> str:
        """An address of the desk that stays with the run that is shown."""
        return address(path, self.named_run, query)


async def page(
    request: Request,
    caller: Caller,
    template: str,
    *,
    title: str,
    active: str = "",
    run: str | None = None,
    view: object = None,
    is_long: bool = False,
) -> Response:
    """A whole page. The template has `v` (the view), `shell`, and `part(name)`, which draws a part in place. One that
    `is_long` is laid out by a thread of the pools; the frame around parts takes no longer than to hand it over."""
    desk, parts = served(request), _parts(request)
    shell, drawn = _shell(request, caller, active, run, parts), list[_Drawn]()

    def draw(name: str, kind: str = "", *, lazy: bool = False) -> Markup:
        drawn.append(_Drawn(parts.by_name[name], kind, lazy))
        return Markup(f"{_MARK}{len(drawn) - 1}{_MARK}")

    def frame() -> str:
        return fragment(template, title=title, v=view, shell=shell, part=draw, role=caller.role)

    html = await desk.works.alone(f"page {template}", frame) if is_long else frame()
    query: Mapping[str, str] = request.query_params
    eager = [item for item in drawn if not item.is_lazy]
    bodies = await gather(*(parts.body(item.part, run, caller, query) for item in eager))
    inside = {item.part.name: body for item, (body, _) in zip(eager, bodies, strict=True)}
    pieces = html.split(_MARK)
    pieces[1::2] = [_wrapped(drawn[int(number)], inside) for number in pieces[1::2]]
    return HTMLResponse("".join(pieces))


async def looked_up(desk: ServedDesk, run: str | None, what: str, look: Callable[[Reading], Found]) -> Found:
    """What is found in a run's record, by a thread of the pools. `what` names the kind of work."""

    def work() -> Found:
        with desk.reader(run).reading() as reading:
            return look(reading)

    return await desk.works.alone(what, work)


def theme_of(request: Request) -> Theme:
    """The theme that was chosen in this browser, or the system's."""
    return THEMES.get(request.cookies.get(THEME_COOKIE, ""), "auto")


def _parts(request: Request) -> Parts:
    parts: Parts = request.app.state.parts
    return parts


def _wrapped(drawn: _Drawn, inside: Mapping[str, str]) -> str:
    """A part as it stands in a page: its panel, where it is loaded from again, and its inside unless it is lazy."""
    html = Markup("" if drawn.is_lazy else inside[drawn.part.name])
    return fragment("part.html", part=drawn.part, kind=drawn.kind, lazy=drawn.is_lazy, html=html)


def _shell(request: Request, caller: Caller, active: str, run: str | None, parts: Parts) -> Shell:
    desk, beat = served(request), parts.now(run)
    runs = [folder.run_id for folder in desk.book.runs()]
    return Shell(
        user=caller.user,
        role=caller.role,
        csrf=csrf_token(request),
        theme=theme_of(request),
        active=active,
        run=beat.head.run,
        named_run=run,
        runs=tuple(runs[:RUNS_SHOWN]),
        more_runs=max(len(runs) - RUNS_SHOWN, 0),
        seq=beat.head.seq,
        book=str(desk.settings.book),
        stream=address("/live", beat.head.run or run, {"after": beat.place if beat.head.run else "0"}),
    )
