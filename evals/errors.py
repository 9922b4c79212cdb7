"""Errors of the evaluation floor.

ParleyError
└── EvalError
    ├── RunIncomplete   the run has not finished, so there is nothing to sum up
    ├── DrillUnknown    a drill that is not in the table
    ├── SuiteUnknown    an evaluation suite that is not in the table
    ├── FaultUnknown    a fault or scenario that the laboratory does not have
    ├── AttackSetInvalid a file of attacks that cannot be read, or a case that names what there is not
    ├── CaseUnreadable  a file that is no counter-example of the fault laboratory
    ├── NothingRecorded a recording without any book or quote to trade against
    ├── SuiteInvalid    a suite's file that is none, or that lacks a number its task needs
    ├── GatesInvalid    a file of gates that is none, or that names no figure
    ├── EvalUnknown     an evaluation that is not in the book
    ├── EvalChanged     a record that was made by other code, data, settings or options than are there now
    ├── NothingToDecide a span of days on which the desk cannot decide even once
    ├── TrialsInvalid   a register of trials that cannot be read or written
    ├── NotComparable   two evaluations without a score that both have
    └── RecordError
        ├── RecordBusy        another process writes to it
        ├── RecordUnreadable  a file of it is missing or is no longer what was written
        └── RecordUnwritable  a full disk, or no permission; what is there stays readable
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


class SuiteInvalid(EvalError):
    code = "suite_invalid"


class GatesInvalid(EvalError):
    code = "gates_invalid"


class EvalUnknown(EvalError):
    code = "eval_unknown"


class EvalChanged(EvalError):
    code = "eval_changed"


class NothingToDecide(EvalError):
    code = "nothing_to_decide"


class TrialsInvalid(EvalError):
    code = "trials_invalid"


class NotComparable(EvalError):
    code = "eval_not_comparable"


class RecordError(EvalError):
    code = "eval_record"


class RecordBusy(RecordError):
    code = "eval_record_busy"


class RecordUnreadable(RecordError):
    code = "eval_record_unreadable"


class RecordUnwritable(RecordError):
    code = "eval_record_unwritable"
