"""The desk's settings and limits as files: read once at a start, changed under a running desk, put back by a person."""

import re
from pathlib import Path

from ...desk.settings import Settings, load_settings
from ...gate.limits import DEFAULT_LIMITS_PATH, Limits, load_limits
from .faults import Fault, Schedule
from .world import SETTINGS_TEXT

KINDS = ("limits_loosened", "limits_tightened", "limits_nan", "settings_unknown", "settings_cut")
CUTS = 16
"""Places at which a settings file is cut off; some leave a file that can be read and says something else."""

_MAX_GROSS = re.compile(r"^max_gross = .*$", re.MULTILINE)
_LIMITS = {"limits_loosened": "max_gross = 3.0", "limits_tightened": "max_gross = 0.5", "limits_nan": "max_gross = nan"}


class ConfigFiles:
    """Two files in a folder. Whoever changes them tells nobody."""

    def __init__(self, folder: Path, settings_text: str = SETTINGS_TEXT) -> None:
        self._text = settings_text
        self._settings, self._limits = folder / "parley.toml", folder / "limits.toml"
        self.wrong = ""
        """What was done to them and must keep the desk from starting, until they are put back."""
        self.put_back()

    def load(self) -> tuple[Settings, Limits]:
        """What a desk that starts now finds; the tree's own errors where that can't be used."""
        settings = load_settings(self._settings, environ={})
        return settings, load_limits(settings.limits_file)

    def change(self, fault: Fault) -> None:
        text = self._settings.read_text(encoding="utf-8")
        match fault.kind:
            case "settings_unknown":
                self._settings.write_text("max_leverage = 3.0\n" + text, encoding="utf-8")
            case "settings_cut":
                self._settings.write_text(text[: len(text) * (fault.which % CUTS) // CUTS], encoding="utf-8")
            case kind:
                limits, count = _MAX_GROSS.subn(_LIMITS[kind], self._limits.read_text(encoding="utf-8"))
                assert count == 1, "the limits file states the largest gross once"
                self._limits.write_text(limits, encoding="utf-8")
        self.wrong = fault.kind

    def put_back(self) -> None:
        """A person has read the refusal and restores what the run was begun with."""
        self._limits.write_text(DEFAULT_LIMITS_PATH.read_text(encoding="utf-8"), encoding="utf-8")
        self._settings.write_text(f'limits_file = "{self._limits}"\n{self._text}', encoding="utf-8")
        self.wrong = ""


def due_change(schedule: Schedule, moment: int) -> Fault | None:
    """The change of the files that is made at this moment."""
    return next((fault for kind in KINDS if (fault := schedule.at(kind, moment))), None)
