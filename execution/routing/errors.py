"""Errors of the router; a venue that refuses or does not answer is no error of it.

ExecutionError
└── RoutingRefused    venues, terms or records that do not fit together
"""

from ..errors import ExecutionError


class RoutingRefused(ExecutionError):
    code = "routing_refused"
