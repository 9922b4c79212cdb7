"""Parley: a trading desk of agents that argue in words and answer to a hard-coded risk gate."""

from importlib import import_module
from typing import Any

__version__ = "0.1.0"


class ParleyError(Exception):
    """Root of every error this project raises on purpose; each folder's `errors.py` draws its own branch.

    `code` is stable and machine-readable; `remedy` says what the person should do next.
    """

    code = "parley_error"

    def __init__(self, message: str, *, remedy: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy


def __getattr__(name: str) -> Any:
    """`parley.open(book)` for notebooks. By name and when it is asked for: every floor imports this module."""
    if name == "open":
        return import_module(".service.notebook", __name__).open_book
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
