"""Recorded sessions that orders are worked in, each with what was known of its symbol before, and nothing of the day.

Of a US stock: volatility and volume from daily bars up to the close before, spread and volume curve of the session
desk. Of a market without sessions: the recording's own beginning, in which no order is worked.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from ..desk.desk import scene_at
from ..desk.settings import Settings
from ..domain.instruments import AssetClass
from ..gate.limits import Limits
from ..market.datasets import load_data
from ..market.grids import Grid
from ..market.intraday_paths import OVERNIGHT_VARIANCE_SHARE
from ..market.order_books import NANOSECONDS
from ..market.panel import FloatArray
from ..market.recordings import Recording, read_recording
from ..market.sessions import utc_moment
from ..quant.covariance import ewma_vol
from ..tools.scene import Scene
from ..tools.session_shape import SessionShape, session_shape
from .errors import NothingRecorded
from .recorded_tape import RecordedTape, recorded_tape

DAY = timedelta(days=1)
WARM_UP = timedelta(seconds=75)
"""Of a recording without an earlier session: what it shows by then is what is known."""
CLASSES = {"SPY": AssetClass.FUND}


@dataclass(frozen=True, slots=True, eq=False)
class Known:
    """What was known of a symbol before its windows began, over a session of `span` from `begins_at` on."""

    daily_volume: float
    daily_vol_frac: float
    open_vol_frac: float
    """Standard deviation of the price from the session's begin to its end, the night left out."""
    half_spread_frac: float
    curve: FloatArray
    """(n_parts,) share of the session's volume in equal parts of it."""
    begins_at: datetime
    span: timedelta

    def shares(self, opens_at: datetime, closes_at: datetime, n_slices: int) -> FloatArray:
        """(n_slices,) share of the session's volume expected in equal slices between two of its moments."""
        passed = np.append(0.0, np.cumsum(self.curve / self.curve.sum()))
        first, last = ((moment - self.begins_at) / self.span for moment in (opens_at, closes_at))
        edges = np.linspace(first, last, n_slices + 1)
        return np.diff(np.interp(edges, np.linspace(0.0, 1.0, len(passed)), passed))


@dataclass(frozen=True, slots=True, eq=False)
class Stage:
    """A recorded session of one symbol that orders are worked in, in windows of it."""

    kind: str
    recording: Recording
    tape: RecordedTape
    grid: Grid
    asset_class: AssetClass
    known: Known
    windows: tuple[tuple[datetime, datetime], ...]

    @property
    def tick(self) -> Decimal:
        """Of the price of one unit."""
        return self.grid.tick * self.grid.unit


@dataclass(frozen=True, slots=True)
class Programme:
    """Which sessions of a file are played, and in which windows of each hour from 10:00 on."""

    kind: str
    file: str
    sessions: tuple[tuple[str, date], ...]
    window_minutes: int


MINUTES = "intraday/us_minute_trade_quote_2013.parquet"
"""Its three days also tell spreads and volume curves to the day after; the first is played by nobody."""
DAILY = "daily/etf_equity_daily_1998_2018.parquet"
FIRST, SECOND = date(2013, 10, 7), date(2013, 10, 8)
NAMES = ("AIG", "BAC", "IBM", "SPY")
PROGRAMME = (
    Programme("minute quotes", MINUTES, tuple((name, day) for day in (FIRST, SECOND) for name in NAMES), 60),
    Programme(
        "second quotes",
        "intraday/us_second_trade_quote_20131007.parquet",
        (*((name, FIRST) for name in NAMES), ("SPY", SECOND)),
        20,
    ),
    Programme("ticks", "intraday/us_tick_ibm_20131007.parquet", (("IBM", FIRST),), 20),
)
BOOKS = (("order book, future", "perp"), ("order book, spot", "spot"))
BOOK_GRIDS = {"perp": Grid(Decimal("0.1"), Decimal("0.001")), "spot": Grid(Decimal("0.01"), Decimal("0.001"))}
BOOK_WINDOW = timedelta(seconds=65)
LATE_OPEN = timedelta(minutes=30)
"""The first half hour is left out: a quote of the night may stand at the open, and arrival would be no price at all."""
HOUR = timedelta(hours=1)


def study_stages(folder: Path, settings: Settings, limits: Limits) -> Iterator[tuple[Stage, Scene]]:
    """Every recorded session of the study, each with the desk's scene of the close before it.

    Raises NothingRecorded where a file is missing or holds another session than the study is of.
    """
    for name in (DAILY, *(part.file for part in PROGRAMME)):
        if not (folder / name).is_file():
            raise NothingRecorded(f"{folder}: there is no {name}", remedy="Give the folder that holds it.")
    daily, minutes = load_data(str(folder / DAILY)), load_data(str(folder / MINUTES))
    days = daily.panel.sessions
    desk: Scene | None = None
    for part in PROGRAMME:
        for symbol, session in part.sessions:
            before: date = days[np.searchsorted(days, np.datetime64(session, "D")) - 1].item()
            if desk is None or desk.view.session != before:
                desk = scene_at(settings, limits, daily, before)
            yield _stock_stage(part, symbol, session, folder, desk, session_shape(minutes, symbol, before)), desk
    assert desk is not None, "the programme is not empty"
    for kind, market in BOOKS:
        yield _book_stage(kind, market, folder, desk), desk


def _stock_stage(part: Programme, symbol: str, session: date, folder: Path, desk: Scene, shape: SessionShape) -> Stage:
    """One symbol's session out of a file; `desk` and `shape` are of the session desk."""
    until = datetime.combine(session, time(23, 59), UTC)
    recording = read_recording(folder / part.file, symbol, until)
    if recording.session is None or utc_moment(recording.session[0]).date() != session:
        raise NothingRecorded(
            f"{part.file}: no session of {symbol} on {session}", remedy="Give the recordings of October 2013."
        )
    opens_at, closes_at = map(utc_moment, recording.session)
    vol = float(ewma_vol(desk.returns)[desk.symbols.index(symbol)])
    spread = shape.spread_mean_frac
    known = Known(
        daily_volume=desk.daily_volume[symbol],
        daily_vol_frac=vol,
        open_vol_frac=vol * (1.0 - OVERNIGHT_VARIANCE_SHARE) ** 0.5,
        half_spread_frac=desk.costs.half_spread_bps / 1e4 if spread is None else 0.5 * spread,
        curve=shape.volume_shares,
        begins_at=opens_at,
        span=closes_at - opens_at,
    )
    starts: list[datetime] = []
    while (start := opens_at + LATE_OPEN + len(starts) * HOUR) + HOUR <= closes_at:
        starts.append(start)
    windows = tuple((start, start + timedelta(minutes=part.window_minutes)) for start in starts)
    grid = Grid()
    kind = CLASSES.get(symbol, AssetClass.STOCK)
    return Stage(part.kind, recording, recorded_tape(recording, grid), grid, kind, known, windows)


def _book_stage(kind: str, market: str, folder: Path, desk: Scene) -> Stage:
    """A recorded book and its trades; volatility, spread and volume are those of its first moments."""
    files = [folder / f"orderbook/btcusdt_{market}_20240808_{part}.parquet" for part in ("l2_top10_100ms", "trades")]
    missing = [file.name for file in files if not file.is_file()]
    if missing:
        raise NothingRecorded(f"{folder}: there is no orderbook/{missing[0]}", remedy="Give the folder that holds it.")
    with TemporaryDirectory() as together:
        for file in files:
            (Path(together) / file.name).symlink_to(file.resolve())
        recording = read_recording(Path(together))
    grid = BOOK_GRIDS[market]
    tape = recorded_tape(recording, grid)
    begins_at, ends_at = tape.quotes[0].ts_event, tape.quotes[-1].ts_event
    known = _warm_up(recording, grid, begins_at)
    starts = [begins_at + WARM_UP]
    while (start := starts[-1] + BOOK_WINDOW) + BOOK_WINDOW <= ends_at:
        starts.append(start)
    windows = tuple((start, start + BOOK_WINDOW) for start in starts)
    return Stage(kind, recording, tape, grid, AssetClass.CRYPTO, known, windows)


def _warm_up(recording: Recording, grid: Grid, begins_at: datetime) -> Known:
    """The first moments, as if a whole day were like them."""
    books, trades = recording.books, recording.trades
    assert books is not None and trades is not None, "both files were read"
    until = books.ts[0] + np.timedelta64(int(WARM_UP.total_seconds() * NANOSECONDS), "ns")
    seen = books.ts < until
    bid, _, ask, _ = books.top
    seconds = np.arange(books.ts[0], until, np.timedelta64(NANOSECONDS, "ns"))
    moves = np.diff(np.log(books.mid[books.at(seconds)]))
    days = WARM_UP / DAY
    vol = float(moves.std() * (DAY.total_seconds()) ** 0.5)
    return Known(
        daily_volume=grid.size(float(trades.size[trades.ts < until].sum())) / days,
        daily_vol_frac=vol,
        open_vol_frac=vol,
        half_spread_frac=float(((ask - bid) / (ask + bid))[seen].mean()),
        curve=np.ones(1),
        begins_at=begins_at,
        span=DAY,
    )
