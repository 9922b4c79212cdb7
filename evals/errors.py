"""Errors of the evaluation floor.

ParleyError
└── EvalError
    ├── RunIncomplete   the run has not finished, so there is nothing to sum up
    ├── DrillUnknown    a drill that is not in the table
    ├── FaultUnknown    a fault, scenario or suite that the laboratory does not have
    ├── CaseUnreadable  a file that is no counter-example of the fault laboratory
    └── NothingRecorded a recording without any book or quote to trade against
"""

from .. import ParleyError


class EvalError(ParleyError):
    code = "eval_error"


class RunIncomplete(EvalError):
    code = "run_incomplete"


class FaultUnknown(EvalError):
    code = "fault_unknown"


class CaseUnreadable(EvalError):
    code = "case_unreadable"


class DrillUnknown(EvalError):
    code = "drill_unknown"


class NothingRecorded(EvalError):
    code = "nothing_recorded"
