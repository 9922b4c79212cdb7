"""Errors of market data.

ParleyError
└── MarketError
    ├── UnknownDataSet     a name that is neither in the catalog, nor imported, nor a file
    ├── NameTaken          a name for an import that a built-in data set has
    ├── DataFileError      a file that cannot be trusted: what, in which row, and what to do
    ├── NoSessions         a date range, or a moment, without any session to read
    ├── NoCalendar         an exchange calendar nobody publishes
    ├── PanelError         arrays that do not form one data set (shapes, order, symbols)
    ├── UnknownSymbol      a symbol the data set does not hold
    ├── NaiveMoment        a time without a zone
    ├── JobTimeInvalid     a phrase that says no time of a session
    ├── IntervalRefused    a span between decisions that the data or the session cannot give
    └── PathInputError     a day from which no intraday path can be drawn
"""

import zlib

from .. import ParleyError

CANNOT_READ = (OSError, EOFError, ValueError, zlib.error)
"""What a reader raises on a file that is missing, cut off, damaged or of another kind, packed or not."""


class MarketError(ParleyError):
    code = "market_error"


class UnknownDataSet(MarketError):
    code = "unknown_data_set"


class NameTaken(MarketError):
    code = "name_taken"


class DataFileError(MarketError):
    """A refused file; `reason` is the finding code, `row` the 1-based data row when one is to blame."""

    code = "data_file_error"

    def __init__(self, message: str, *, remedy: str, reason: str, row: int | None = None) -> None:
        super().__init__(message, remedy=remedy)
        self.reason = reason
        self.row = row


class NoSessions(MarketError):
    code = "no_sessions"


class NoCalendar(MarketError):
    code = "no_calendar"


class PanelError(MarketError):
    code = "panel_error"


class UnknownSymbol(MarketError):
    code = "unknown_symbol"


class NaiveMoment(MarketError):
    code = "naive_moment"


class JobTimeInvalid(MarketError):
    code = "job_time_invalid"


class IntervalRefused(MarketError):
    code = "interval_refused"


class PathInputError(MarketError):
    code = "path_input_error"
