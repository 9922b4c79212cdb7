"""What holds a session back whose bar comes in the evening: a halt all of it, anything else from its moment on."""

from datetime import timedelta
from pathlib import Path

from parley.desk.operator import book_post
from parley.domain.control_events import OperatorAsked, TradingStateChanged
from parley.domain.events import ChildSubmitted
from parley.storage.flag import FlagNote

from .conftest import LIMITS
from .test_asked_while_growing import Act, asks, fills, lived
from .test_growing import Source, begin, no_settling, source

__all__ = ["no_settling", "source"]  # fixtures


def test_a_cancel_takes_back_what_is_sent_from_then_on(tmp_path: Path, source: Source) -> None:
    begun = begin(tmp_path, source)
    period = lived(begun, source, [(90, asks(begun, "cancel"))])

    (asked,) = period.events(OperatorAsked)
    assert period.payloads(OperatorAsked)[0].detail["symbols"] == [f"N{place}" for place in range(6)]
    sent = [event.event_time for event in period.events(ChildSubmitted)]
    opens_at = period.terms.prepared.data.history().opening_time(source.last)
    assert {at - opens_at for at in sent} == {timedelta(0), timedelta(hours=1)}, "and nothing at 11:30 and later"
    assert max(sent) < asked.event_time
    assert period.is_sound()


def test_a_halt_keeps_the_whole_session_from_being_sent_and_its_end_counts_from_then(
    tmp_path: Path, source: Source
) -> None:
    begun = begin(tmp_path, source)
    flag, note = book_post(begun.book).flag, FlagNote(by="ada", reason="a look first", at="")
    period = lived(
        begun, source, [(90, lambda: flag.hoist(note)), (150, lambda: flag.lower(note)), (155, asks(begun, "resume"))]
    )

    halted, freed = period.events(TradingStateChanged)
    opens_at = period.terms.prepared.data.history().opening_time(source.last)
    assert not fills(period)
    assert timedelta(minutes=90) <= halted.event_time - opens_at < timedelta(minutes=100)
    assert timedelta(minutes=155) <= freed.event_time - opens_at < timedelta(minutes=165)
    assert period.is_sound()


def test_what_a_refused_pre_flight_forbids_is_free_from_when_it_passes(tmp_path: Path, source: Source) -> None:
    begun, limits = begin(tmp_path, source), tmp_path / "limits.toml"
    acts: list[tuple[int, Act]] = [(100, lambda: limits.write_text(LIMITS))]
    changed = LIMITS.replace("max_gross = 1.0", "max_gross = 0.9", 1)
    assert changed != LIMITS
    limits.write_text(changed)
    period = lived(begun, source, acts)

    refused, freed = period.events(TradingStateChanged)
    opens_at = period.terms.prepared.data.history().opening_time(source.last)
    assert refused.event_time < opens_at
    assert timedelta(minutes=100) <= freed.event_time - opens_at < timedelta(minutes=120)
    assert fills(period)
    assert min(fill.ts_event for fill in fills(period)) > freed.event_time
    assert period.is_sound()
