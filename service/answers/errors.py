"""What can be wrong with a question.

ParleyError
└── AnswerError
    ├── UnknownQuestion  no askable has this name
    └── BadArguments     an argument that is missing, unknown, out of its bounds or of another form
"""

from ... import ParleyError


class AnswerError(ParleyError):
    code = "answer_error"


class UnknownQuestion(AnswerError):
    code = "unknown_question"


class BadArguments(AnswerError):
    code = "bad_arguments"
