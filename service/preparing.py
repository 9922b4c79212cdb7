"""What `run` and `decide` were asked for, and every check of it that needs no writing."""

from dataclasses import dataclass
from datetime import date
from pathlib import Path

from ..desk.desk import RunPlan
from ..desk.errors import SettingsInvalid
from ..desk.growth import sessions_so_far
from ..desk.models import build_model
from ..desk.settings import Settings, load_settings, with_venue
from ..domain.sessions import day_of, session_of
from ..gate.limits import Limits, load_limits
from ..market.cards import DataSet
from ..market.datasets import load_to_decide
from ..market.earlier import earlier_name
from ..market.store import book_store
from ..market.texted import texted_name

DEFAULT_DATA = "us20"
DEFAULT_START = "2020-01-02"
DEFAULT_END = "2022-12-28"
DEFAULT_MODEL = "rules"
DEFAULT_SEED = 7


@dataclass(frozen=True, slots=True)
class RunRequest:
    """The options of `run`; None where nothing was given."""

    data: str | None = None
    start: str | None = None
    end: str | None = None
    model: str | None = None
    seed: int | None = None
    resume: bool = False
    reports: str = "traded"
    book: Path = Path("book")
    config: Path | None = None
    every: str | None = None
    venue: str | None = None
    as_live: bool = False
    text: str | None = None
    before: str | None = None
    growing: bool = False

    @property
    def names_a_run(self) -> bool:
        """Whether any option says which run is meant."""
        return any(
            item is not None
            for item in (
                *(self.data, self.start, self.end, self.model, self.seed),
                *(self.every, self.venue, self.text, self.before),
            )
        )


@dataclass(frozen=True, slots=True)
class Prepared:
    """A run that has passed every check that needs no writing."""

    settings: Settings
    limits: Limits
    data: DataSet
    plan: RunPlan

    @property
    def run_id(self) -> str:
        return self.plan.run_id(self.settings, self.limits)


def prepare(request: RunRequest, data: DataSet | None = None) -> Prepared:
    """Settings, limits, data and sessions, each checked; raises before anything is written.

    `data` is the request's data set where the caller has loaded it already, by the very name it gives.
    """
    settings = with_venue(load_settings(request.config), request.venue)
    if request.as_live:
        settings = settings.model_copy(update={"as_live": True})
    if request.growing:
        settings = settings.model_copy(update={"growing": True})
    limits = load_limits(settings.limits_file)
    name = request.data or DEFAULT_DATA
    start, end = _bounds(request, name)
    plan_model = request.model or settings.llm.model or DEFAULT_MODEL
    build_model(plan_model, settings.llm)
    if data is None:
        named = texted_name(earlier_name(name, request.before), request.text)
        name, data = load_to_decide(named, request.every, book_store(request.book))
    _refuse_history(data, start)
    sessions = (
        sessions_so_far(data.history(), start)
        if settings.growing
        else data.history().sessions_between(start or data.joined_at, end)
    )
    seed = DEFAULT_SEED if request.seed is None else request.seed
    return Prepared(settings, limits, data, RunPlan(data=name, sessions=sessions, model=plan_model, seed=seed))


def _refuse_history(data: DataSet, start: date | None) -> None:
    """Earlier prices are put in front to be looked back at: their levels never were, so nobody trades on them."""
    if data.joined_at is not None and start is not None and day_of(start) < data.joined_at:
        raise SettingsInvalid(
            f"{start} is among the earlier prices in front of {data.card.name}, which begins on {data.joined_at}",
            remedy="Start later, or run on the earlier data set by itself.",
        )


def parse_day(text: str | None, option: str) -> date | None:
    if text is None:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise SettingsInvalid(f"{option} {text!r} is not a day", remedy="Write it as YYYY-MM-DD.") from error


def parse_bound(text: str | None, option: str) -> date | None:
    """A day, or a moment where the data are decided on within the day."""
    try:
        return None if text is None else session_of(text)
    except ValueError as error:
        remedy = "Write it as YYYY-MM-DD, or as YYYY-MM-DDTHH:MM where the data were recorded within the day."
        raise SettingsInvalid(f"{option} {text!r} is neither a day nor a time", remedy=remedy) from error


def _bounds(request: RunRequest, name: str) -> tuple[date | None, date | None]:
    """The default period belongs to the default data; any other data set runs over all there is."""
    is_default = name == DEFAULT_DATA
    start = request.start or (DEFAULT_START if is_default else None)
    end = request.end or (DEFAULT_END if is_default else None)
    first, last = parse_bound(start, "--start"), parse_bound(end, "--end")
    if first and last and day_of(first) > day_of(last):
        raise SettingsInvalid(f"--start {first} is after --end {last}", remedy="Give them in order.")
    return first, last
