"""Errors of the tools.

ParleyError
└── ToolError
    └── NotEnoughData     the history before `as_of` is too short or too broken for the figure asked for
"""

from .. import ParleyError


class ToolError(ParleyError):
    code = "tool_error"


class NotEnoughData(ToolError):
    code = "not_enough_data"
