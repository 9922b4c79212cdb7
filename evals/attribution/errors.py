"""Errors of taking profits apart.

EvalError
└── AttributionError
    ├── BookDoesNotAdd  parts that do not come to what the book says: the log, or this code, is wrong
    └── NothingToSplit  a run without a session between two closes
"""

from ..errors import EvalError


class AttributionError(EvalError):
    code = "attribution_error"


class BookDoesNotAdd(AttributionError):
    code = "book_does_not_add"


class NothingToSplit(AttributionError):
    code = "nothing_to_split"
