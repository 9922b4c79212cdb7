"""Errors of the desk's memory.

ParleyError
├── RecallError
│   ├── IndexLost          the index of lessons can't be read or written; it can be made again from the log
│   └── NothingToSearch    a question has no word that a lesson is made of
└── LogError
    ├── ConcurrentWrite    a stream is not at the version the writer decided on
    ├── BrokenChain        a stored event does not hash to what it says
    ├── DivergedLog        a re-walk made another event than the one recorded at that place
    ├── EmptyLog           there is no log, or it lacks the event that everything starts from
    ├── UnknownPosition    a position that the log does not have
    └── BatchLost          an append of an open batch failed and took the whole batch with it
"""

from .. import ParleyError


class LogError(ParleyError):
    code = "log_error"


class ConcurrentWrite(LogError):
    code = "concurrent_write"


class BrokenChain(LogError):
    code = "broken_chain"


class DivergedLog(LogError):
    code = "diverged_log"


class EmptyLog(LogError):
    code = "empty_log"


class UnknownPosition(LogError):
    code = "unknown_position"


class BatchLost(LogError):
    code = "batch_lost"


class RecallError(ParleyError):
    code = "recall_error"


class IndexLost(RecallError):
    code = "index_lost"


class NothingToSearch(RecallError):
    code = "nothing_to_search"
