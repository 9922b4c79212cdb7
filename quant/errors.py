"""What can go wrong inside the quant core: bad samples, bad shapes, bad parameters and unsolved programs.

ParleyError
└── QuantError
    ├── SampleError      too few rows, a NaN or an infinity, or a sample without variance
    ├── ShapeError       arrays that do not fit together
    ├── ParameterError   a scalar outside the range its formula allows
    └── SolverError      an optimization that has no solution, or that no solver could finish
"""

from __future__ import annotations

from .. import ParleyError


class QuantError(ParleyError):
    """Anything the quant core refuses; the caller keeps what it holds."""

    code = "quant_error"


class SampleError(QuantError):
    """The numbers themselves are unusable: missing, infinite, too few or constant."""

    code = "quant_sample"


class ShapeError(QuantError):
    """Arrays whose dimensions do not fit together."""

    code = "quant_shape"


class ParameterError(QuantError):
    """A scalar outside the range in which the formula means something."""

    code = "quant_parameter"


class SolverError(QuantError):
    """An optimization without a solution, or one that both solvers gave up on."""

    code = "quant_solver"
