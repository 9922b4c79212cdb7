"""Errors of the evaluation floor.

ParleyError
└── EvalError
    └── RunIncomplete   the run has not finished, so there is nothing to sum up
"""

from .. import ParleyError


class EvalError(ParleyError):
    code = "eval_error"


class RunIncomplete(EvalError):
    code = "run_incomplete"
