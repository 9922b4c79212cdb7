"""The frame around every page: who is signed in, which run is shown, where one can go, and the page's stream."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from fastapi import Request
from markupsafe import Markup
from starlette.responses import HTMLResponse, Response

from ... import ParleyError
from ..access.roles import Caller
from ..api.callers import served
from ..api.desk import ServedDesk
from ..api.feed import HASH_CHARS
from .parts import Parts, address
from .rendering import fragment
from .who import csrf_token

Theme = Literal["auto", "light", "dark"]
THEMES: dict[str, Theme] = {"auto": "auto", "light": "light", "dark": "dark"}
THEME_COOKIE = "parley_theme"
RUNS_SHOWN = 20
DrawPart = Callable[..., Markup]


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


def page(
    request: Request,
    caller: Caller,
    template: str,
    *,
    title: str,
    active: str = "",
    run: str | None = None,
    view: object = None,
    status: int = 200,
) -> Response:
    """A whole page. The template has `v` (the view), `shell`, and `part(name)`, which draws a part in place."""
    shell = _shell(request, caller, active, run)
    draw = _drawing(request, caller, run, shell.seq)
    html = fragment(template, title=title, v=view, shell=shell, part=draw, role=caller.role)
    return HTMLResponse(html, status)


def theme_of(request: Request) -> Theme:
    """The theme that was chosen in this browser, or the system's."""
    return THEMES.get(request.cookies.get(THEME_COOKIE, ""), "auto")


def _drawing(request: Request, caller: Caller, run: str | None, seq: int) -> DrawPart:
    parts: Parts = request.app.state.parts
    query: Mapping[str, str] = request.query_params

    def draw(name: str, kind: str = "", *, lazy: bool = False) -> Markup:
        return parts.wrapped(name, run, caller, query, seq, kind, lazy)

    return draw


def _shell(request: Request, caller: Caller, active: str, run: str | None) -> Shell:
    desk = served(request)
    seq, name, place = _head(desk, run)
    runs = [folder.run_id for folder in desk.book.runs()]
    return Shell(
        user=caller.user,
        role=caller.role,
        csrf=csrf_token(request),
        theme=theme_of(request),
        active=active,
        run=name,
        named_run=run,
        runs=tuple(runs[:RUNS_SHOWN]),
        more_runs=max(len(runs) - RUNS_SHOWN, 0),
        seq=seq,
        book=str(desk.settings.book),
        stream=address("/live", name or run, {"after": place}),
    )


def _head(desk: ServedDesk, run: str | None) -> tuple[int, str, str]:
    try:
        head = desk.feed.head(desk.run_asked(run))
    except ParleyError:
        return 0, "", "0"  # no run yet: the parts say so, and the stream waits for one
    return head.seq, head.run, f"{head.seq}-{head.hash[:HASH_CHARS]}"
