"""Errors of the prompt shelf.

ParleyError
└── PromptError     a prompt file is missing, malformed, or rendered without one of its inputs
"""

from .. import ParleyError


class PromptError(ParleyError):
    code = "prompt_error"
