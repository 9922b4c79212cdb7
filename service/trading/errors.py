"""Errors of a desk on a schedule.

ParleyError
└── TradingError
    ├── JobInvalid       a job that is not in the table, or due at a time that it cannot have
    ├── PaceInvalid      a speed of the clock that is none
    ├── DesksInvalid     a file of desks that is none, or two desks in one book
    ├── FaultsInvalid    a file of faults that is none, or that places one outside of the run
    ├── NoLiveData       the live clock, and no data of the session that closed last
    ├── DeskGaveUp       a worker that died again and again, however often it was started
    ├── DeskUnable       nothing can be written: a new start may do better
    ├── ClockLeapt       the machine slept, or its clock was set: a new start is told how long nobody was there
    └── OutageFailed     a drill could not make the outage it was to make
"""

from datetime import datetime

from ... import ParleyError


class TradingError(ParleyError):
    code = "trading_error"


class JobInvalid(TradingError):
    code = "job_invalid"


class PaceInvalid(TradingError):
    code = "pace_invalid"


class DesksInvalid(TradingError):
    code = "desks_invalid"


class FaultsInvalid(TradingError):
    code = "faults_invalid"


class NoLiveData(TradingError):
    code = "no_live_data"


class DeskGaveUp(TradingError):
    code = "desk_gave_up"


class DeskUnable(TradingError):
    code = "desk_unable"

    def __init__(self, message: str, *, market: datetime, was_able: bool, remedy: str = "") -> None:
        """`market` is where the market's clock stood, which no book may hold; before, the desk `was_able` or not."""
        super().__init__(message, remedy=remedy)
        self.market, self.was_able = market, was_able


class ClockLeapt(TradingError):
    code = "clock_leapt"

    def __init__(self, message: str, *, market: datetime) -> None:
        super().__init__(message, remedy="Nothing: the desk goes on from there as after a restart.")
        self.market = market


class OutageFailed(TradingError):
    code = "outage_failed"
