"""What `run` and `decide` were asked for, and every check of it that needs no writing."""

from dataclasses import dataclass
from datetime import date
from pathlib import Path

from ..desk.book import Book
from ..desk.desk import RunPlan, build_model
from ..desk.errors import SettingsInvalid
from ..desk.settings import Settings, load_settings
from ..gate.limits import Limits, load_limits
from ..market.cards import DataSet

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

    @property
    def names_a_run(self) -> bool:
        """Whether any option says which run is meant."""
        return any(item is not None for item in (self.data, self.start, self.end, self.model, self.seed))


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
    """Settings, limits, data and days, each checked; raises before anything is written.

    `data` is the request's data set where the caller has loaded it already.
    """
    settings = load_settings(request.config)
    limits = load_limits(settings.limits_file)
    name = request.data or DEFAULT_DATA
    start, end = _days(request, name)
    plan_model = request.model or settings.llm.model or DEFAULT_MODEL
    build_model(plan_model, settings.llm)
    data = data or Book(request.book).load(name)
    sessions = data.history().sessions_between(start, end)
    seed = DEFAULT_SEED if request.seed is None else request.seed
    return Prepared(settings, limits, data, RunPlan(data=name, sessions=sessions, model=plan_model, seed=seed))


def parse_day(text: str | None, option: str) -> date | None:
    if text is None:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise SettingsInvalid(f"{option} {text!r} is not a day", remedy="Write it as YYYY-MM-DD.") from error


def _days(request: RunRequest, name: str) -> tuple[date | None, date | None]:
    """The default period belongs to the default data; any other data set runs over all its days."""
    is_default = name == DEFAULT_DATA
    start = request.start or (DEFAULT_START if is_default else None)
    end = request.end or (DEFAULT_END if is_default else None)
    first, last = parse_day(start, "--start"), parse_day(end, "--end")
    if first and last and first > last:
        raise SettingsInvalid(f"--start {first} is after --end {last}", remedy="Give them in order.")
    return first, last
