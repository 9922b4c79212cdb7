"""Errors of the arms.

EvalError
└── ArmError
    ├── ArmUnknown      an arm that is not in the table
    ├── ArmImpossible   an arm that cannot be played on these data
    └── ArmUnpriced     a model that somebody bills for, and nobody wrote down at what price
"""

from ..errors import EvalError


class ArmError(EvalError):
    code = "arm_error"


class ArmUnknown(ArmError):
    code = "arm_unknown"


class ArmImpossible(ArmError):
    code = "arm_impossible"


class ArmUnpriced(ArmError):
    code = "arm_unpriced"
