"""Errors of the tools.

ParleyError
└── ToolError
    ├── NotEnoughData     the history before `as_of` is too short or too broken for the figure asked for
    ├── EncoderUnusable   weights or a card of a text encoder that are missing, damaged or need an extra
    └── CovarianceUnsound a covariance matrix with a hole, or under which a book has a negative variance
"""

from .. import ParleyError


class ToolError(ParleyError):
    code = "tool_error"


class CovarianceUnsound(ToolError):
    code = "covariance_unsound"


class NotEnoughData(ToolError):
    code = "not_enough_data"


class EncoderUnusable(ToolError):
    code = "encoder_unusable"
