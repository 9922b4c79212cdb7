"""Errors of watching.

ParleyError
└── WatchError
    └── RuleUnknown    a rule that the table does not have, or a bound that it can't be held to
"""

from .. import ParleyError


class WatchError(ParleyError):
    code = "watch_error"


class RuleUnknown(WatchError):
    code = "rule_unknown"
