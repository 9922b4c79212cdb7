"""Runs the real desk through one world and its faults: it works, dies, starts again from its log, until it is done."""

from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from ... import ParleyError
from ...execution.errors import SessionRefused
from ...memory.log import EventLog
from ...memory.views import ReadModels
from ...storage.sql import open_sqlite
from .disk import FaultyDisk, leave_torn
from .faults import Crash, Fault
from .life import Life
from .recall import index_violations
from .stage import Stage
from .witness import Violation
from .world import World

LIVES_BESIDE_FAULTS = 3
LOG = "log.db"


@dataclass(slots=True)
class Outcome:
    """What one run came to, and what the invariants are judged on besides the log."""

    stage: Stage
    lives: int = 0
    errors: list[str] = field(default_factory=list[str])
    """Typed errors that ended a process, in order."""
    violations: list[Violation] = field(default_factory=list[Violation])


def play(world: World, faults: Iterable[Fault], folder: Path) -> Outcome:
    """One world and its faults, from an empty folder."""
    return live_through(Stage(world, faults, folder / LOG))


def live_through(stage: Stage) -> Outcome:
    """Lives until the last session is marked or the account is halted; an endless row of lives is a violation."""
    outcome = Outcome(stage)
    bound = LIVES_BESIDE_FAULTS + sum(2 + fault.size for fault in stage.schedule.faults)
    is_done = False
    while not is_done and outcome.lives < bound:
        outcome.lives += 1
        is_done = _live(stage, outcome)
    if not is_done:
        text = f"not done after {outcome.lives} starts; the last error was {outcome.errors[-1:]}"
        outcome.violations.append(Violation("I7", text))
    outcome.violations += stage.witness.violations
    if stage.world.settings.memory == "on":
        outcome.violations += index_violations(stage.recall_path, stage.path)
    return outcome


def _live(stage: Stage, outcome: Outcome) -> bool:
    """One process from its start; False when it ended early and has to be started again."""
    must_refuse = stage.starts()
    disk = FaultyDisk(open_sqlite(stage.path), stage.schedule, stage.counters)
    is_done = False
    try:
        with closing(Life(stage, disk, EventLog(disk, ReadModels(disk)))) as life:
            if must_refuse:
                outcome.violations.append(Violation("I3", f"a process started over {must_refuse}"))
            is_done = life.run()
    except Crash:
        pass
    except MemoryError:
        outcome.errors.append("out_of_memory: as good as a crash")
    except SessionRefused as error:
        # Quotes that can't be worked: when the desk is back, the feed has gone on.
        stage.venue.away_until = max(stage.venue.moment, stage.venue.away_until) + 2
        outcome.errors.append(f"{error.code}: {error.message}")
    except ParleyError as error:
        outcome.errors.append(f"{error.code}: {error.message}")
        if must_refuse and not error.remedy:
            outcome.violations.append(Violation("I7", f"{error.code} says nothing of what to do about {must_refuse}"))
        stage.refused()
    except Exception as error:  # The outermost edge of a process: what ends it untyped, nobody can act on.
        outcome.errors.append(f"{type(error).__name__}: {error}")
        outcome.violations.append(Violation("I7", f"a process ended with {type(error).__name__}: {error}"))
    finally:
        if disk.torn_bytes:
            leave_torn(stage.path, disk.torn_bytes, disk)
        disk.close()
        if not is_done:
            stage.counters.touched()
    return is_done
