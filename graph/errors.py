"""Errors of the decision graph.

ParleyError
└── GraphError
    ├── UndecidedRun           a pass of the graph ended without a decision: a wiring fault, never a business no
    └── CheckpointUnreadable   a checkpoint file that is damaged, or no database at all
"""

from .. import ParleyError


class GraphError(ParleyError):
    code = "graph_error"


class UndecidedRun(GraphError):
    code = "undecided_run"


class CheckpointUnreadable(GraphError):
    code = "checkpoint_unreadable"
