"""What can be wrong with telling people.

ParleyError
└── AlertingError
    ├── AlertsMissing    the package that sends messages is not installed
    ├── ChannelInvalid   an address that it can't read; the address itself is never repeated
    ├── WatchTaken       another process watches this book
    └── WatchBroken      a log that is not what was written
"""

from ... import ParleyError


class AlertingError(ParleyError):
    code = "alerting_error"


class AlertsMissing(AlertingError):
    code = "alerts_missing"


class ChannelInvalid(AlertingError):
    code = "channel_invalid"


class WatchTaken(AlertingError):
    code = "watch_taken"


class WatchBroken(AlertingError):
    code = "watch_broken"
