"""Errors of a desk on a schedule.

ParleyError
└── TradingError
    ├── JobInvalid       a job that is not in the table, or due at a time that it cannot have
    ├── PaceInvalid      a speed of the clock that is none
    ├── DesksInvalid     a file of desks that is none, or two desks in one book
    ├── FaultsInvalid    a file of faults that is none, or that places one outside of the run
    ├── NoLiveData       the live clock, and no data of the session that closed last
    └── DeskGaveUp       a worker that died again and again, however often it was started
"""

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
