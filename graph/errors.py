"""Errors of the decision graph.

ParleyError
└── GraphError
    └── UndecidedRun     a pass of the graph ended without a decision: a wiring fault, never a business no
"""

from .. import ParleyError


class GraphError(ParleyError):
    code = "graph_error"


class UndecidedRun(GraphError):
    code = "undecided_run"
