"""Errors of the evaluation floor.

ParleyError
└── EvalError
    ├── DataChanged     the data are not those the run was made with
    └── RunIncomplete   the run has not finished, so there is nothing to compare
"""

from .. import ParleyError


class EvalError(ParleyError):
    code = "eval_error"


class DataChanged(EvalError):
    code = "data_changed"


class RunIncomplete(EvalError):
    code = "run_incomplete"
