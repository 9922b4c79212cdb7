"""The memory's clock: lessons are found by what was known at a moment, whatever the log already holds."""

from collections.abc import Callable
from contextlib import closing
from datetime import datetime, timedelta

from ...domain.events import Actor, NewEvent, ReflectionWritten
from ...domain.orders import Side
from ...domain.reflections import Level, Oscillator, Outlook, Reading, Reflection, Setup, Trend, lesson_id
from ...domain.views import Regime
from ...memory.log import EventLog
from ...memory.recall import LessonSource, Recall
from ...storage.sql import open_in_memory
from .finding import Finding, Ground, caught, clean
from .playing import Rig

HORIZON = timedelta(days=30)
STEP = timedelta(days=3)
N_LESSONS = 24
RecallOf = Callable[[LessonSource], Recall]


def memory_probe(here: Ground, rig: Rig) -> Finding:
    """Lessons become known one after the other around the cut; every one is asked for before, at and after its time."""
    at = here.data.history().close_time(here.cut)
    lessons = [_lesson(at + (place - N_LESSONS // 2) * STEP, place) for place in range(N_LESSONS)]
    setup = lessons[0].setup
    looked = 0
    with closing(open_in_memory()) as database:
        log = EventLog(database)
        log.append([_event(lesson, at) for lesson in lessons])
        recall = (rig.recall_of or Recall)(log)
        for lesson in lessons:
            for moment in (lesson.available_at + step for step in (-timedelta(microseconds=1), timedelta(0), HORIZON)):
                looked += 1
                due = {item.reflection_id for item in lessons if item.available_at <= moment}
                known = {item.reflection_id for item in recall.known(as_of=moment)}
                near = recall.similar({"AAA": setup}, as_of=moment, limit=N_LESSONS).get("AAA", ())
                for found, how in ((known, "known"), ({item.reflection_id for item in near}, "recalled")):
                    if found - due:
                        early = min(item.available_at for item in lessons if item.reflection_id in found - due)
                        return caught(f"at {moment.isoformat()} a lesson of {early.isoformat()} was {how}", looked)
                if due - known:
                    return caught(f"at {moment.isoformat()} a lesson that was due is not known", looked)
    return clean("no lesson was known or recalled before its time, and none was lost", looked)


def _lesson(available_at: datetime, place: int) -> Reflection:
    setup = Setup(
        regime=Regime.CALM,
        trend=Trend.UP,
        outlook=Outlook.GAIN,
        oscillator=Oscillator.MIDDLE,
        level=Level.FIRM,
        sentiment=Reading.SILENT,
        flow=Reading.SILENT,
        macro=Reading.MIXED,
    )
    decision_id = f"dec-{place:016x}"
    return Reflection(
        reflection_id=lesson_id(decision_id, "AAA"),
        decision_id=decision_id,
        symbol="AAA",
        decided_at=available_at - HORIZON,
        available_at=available_at,
        horizon_bars=21,
        setup=setup,
        action=Side.BUY,
        said=None,
        return_frac=0.01,
        relative_return=0.01,
        cost_bps=3.0,
    )


def _event(lesson: Reflection, at: datetime) -> NewEvent:
    """All of them stand in the log from the start: the clock that counts is the lesson's."""
    actor = Actor(kind="desk", name="memory")
    return NewEvent(
        stream="memory", event_time=at, actor=actor, payload=ReflectionWritten(reflection=lesson), run_id="run-probe"
    )
