"""Errors of the evaluation floor.

ParleyError
└── EvalError
    ├── RunIncomplete   the run has not finished, so there is nothing to sum up
    ├── DrillUnknown    a drill that is not in the table
    ├── SuiteUnknown    an evaluation suite that is not in the table
    ├── FaultUnknown    a fault or scenario that the laboratory does not have
    ├── AttackSetInvalid a file of attacks that cannot be read, or a case that names what there is not
    ├── CaseUnreadable  a file that is no counter-example of the fault laboratory
    └── NothingRecorded a recording without any book or quote to trade against
"""

from .. import ParleyError


class EvalError(ParleyError):
    code = "eval_error"


class RunIncomplete(EvalError):
    code = "run_incomplete"


class SuiteUnknown(EvalError):
    code = "suite_unknown"


class FaultUnknown(EvalError):
    code = "fault_unknown"


class AttackSetInvalid(EvalError):
    code = "attack_set_invalid"


class CaseUnreadable(EvalError):
    code = "case_unreadable"


class DrillUnknown(EvalError):
    code = "drill_unknown"


class NothingRecorded(EvalError):
    code = "nothing_recorded"
