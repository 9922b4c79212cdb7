"""Whoever stands by a running desk: what it knows of is left alone, what blocks it is broken into."""

from pathlib import Path
from threading import Event

import pytest
from parley.desk.errors import DeskHalted
from parley.desk.watchman import BREAK_IN_S, LOOK_S, Watchman
from parley.storage.flag import FlagNote, KillFlag

NOTE = FlagNote(by="ada", reason="a look first", at="")
BLOCKED_S = BREAK_IN_S + 2 * LOOK_S


def block() -> None:
    """A loop that looks at nothing."""
    Event().wait(BLOCKED_S)


def test_a_desk_that_begins_under_a_raised_flag_is_left_to_begin(tmp_path: Path) -> None:
    flag = KillFlag(tmp_path / "kill")
    flag.hoist(NOTE)

    with Watchman(flag, None):
        block()


def test_a_second_halt_breaks_in_as_the_first_does(tmp_path: Path) -> None:
    flag = KillFlag(tmp_path / "kill")
    with pytest.raises(DeskHalted), Watchman(flag, None) as watchman:
        flag.hoist(NOTE)
        watchman.notice()
        block()
        flag.lower()
        block()
        flag.hoist(NOTE)
        block()
        pytest.fail("nobody broke in")
