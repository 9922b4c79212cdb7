"""What can go wrong while a report is assembled, rendered or written.

ParleyError
└── ReportError          a value that a page cannot show (not a number, digits without a source)
    ├── UnknownRecord    no event of the log has this decision, order or run
    ├── SeriesMismatch   a baseline or price history that does not fit the run's sessions
    └── ReportUnwritable the folder cannot take the report's files
"""

from ... import ParleyError


class ReportError(ParleyError):
    code = "report_error"


class UnknownRecord(ReportError):
    code = "report_unknown_record"


class SeriesMismatch(ReportError):
    code = "report_series_mismatch"


class ReportUnwritable(ReportError):
    code = "report_unwritable"
