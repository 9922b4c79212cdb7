"""Errors of building and keeping a desk.

ParleyError
└── DeskError
    ├── SettingsInvalid     a settings file, variable or option that cannot be used
    ├── BookError           a book directory that cannot be read, written or used for this
    ├── RunUnknown          no run of this name in the book, or none to go on with
    ├── WeightsInvalid      a file of weights that cannot be used
    ├── AlertUnknown        no alert of this name in the book
    └── RunChanged          settings, limits, data or program are not those the run was begun with
"""

from .. import ParleyError


class DeskError(ParleyError):
    code = "desk_error"


class SettingsInvalid(DeskError):
    code = "settings_invalid"


class BookError(DeskError):
    code = "book_error"


class RunUnknown(DeskError):
    code = "run_unknown"


class RunChanged(DeskError):
    code = "run_changed"


class WeightsInvalid(DeskError):
    code = "weights_invalid"


class DeskHalted(DeskError):
    code = "desk_halted"


class AlertUnknown(DeskError):
    code = "alert_unknown"
