"""The sentiment tool: what a text, a source and a model can move, and what they cannot."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import cast

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from parley.domain.decisions import Evidence
from parley.domain.market import TextItem
from parley.tools.ledger import Ledger
from parley.tools.text_readings import readings_in, text_readings
from parley.tools.text_record import SourceRecord
from parley.tools.text_sentiment import SOURCE_CAP, ModelReading, TextFigures, source_key, text_sentiment, unrepeated

AS_OF = datetime(2024, 3, 4, 21, tzinfo=UTC)
polarity = st.floats(-1, 1)


def text(ident: str, source: str = "wire", symbol: str = "AAA", hours: float = 0.0, headline: str = "") -> TextItem:
    arrived = AS_OF - timedelta(hours=hours)
    letters = headline or " ".join(chr(97 + int(digit)) * 2 for digit in ident if digit.isdigit())
    return TextItem(
        id=ident, symbol=symbol, source=source, ts_event=arrived, available_at=arrived, headline=letters or ident
    )


def scored(
    items: list[TextItem],
    polarities: Mapping[str, float],
    sources: Mapping[str, SourceRecord] | None = None,
    readings: Mapping[str, ModelReading] | None = None,
) -> Mapping[str, float]:
    ledger = Ledger(AS_OF, "f" * 64)
    found = text_sentiment(ledger, AS_OF, items, TextFigures("enc", polarities, sources or {}, readings or {}))
    assert found is not None and ledger.entries[0].id == found[0]
    return found[1]


def test_one_source_has_half_of_a_score_and_a_day_old_text_half_the_weight() -> None:
    items = [text("t1"), text("t2", hours=24)]

    # (1 * 1 + 0.5 * -0.5) / 1.5 = 0.5 within the source, and a source alone has half of the score.
    assert scored(items, {"t1": 1.0, "t2": -0.5}) == {"AAA": pytest.approx(0.25)}


def test_a_source_with_a_better_record_counts_more() -> None:
    items = [text("t1", "good"), text("t2", "bad"), text("t3", "other")]
    records = {"good": SourceRecord(90, 70, 0.75), "bad": SourceRecord(90, 20, 0.25)}

    # Strengths 1.5, 0.5 and, unknown, 1: shares 1/2, 1/6, 1/3.
    found = scored(items, {"t1": 1.0, "t2": -1.0, "t3": 0.0}, records)
    assert found == {"AAA": pytest.approx(1 / 2 - 1 / 6)}


def test_a_model_moves_a_text_by_half_its_trust_at_most() -> None:
    reading = ModelReading(-1.0, 1.0, 1.0, 1.0)

    assert scored([text("t1")], {"t1": 1.0}, readings={"t1": reading}) == {"AAA": pytest.approx(0.0)}


@settings(max_examples=50, deadline=None)
@given(st.lists(polarity, min_size=1, max_size=4), st.lists(polarity, min_size=1, max_size=40), st.floats(0, 1))
def test_no_source_moves_a_score_past_the_cap_however_much_it_sends(
    others: list[float], flood: list[float], rate: float
) -> None:
    honest = [text(f"o{place}", f"source {place}") for place in range(len(others))]
    sent = [text(f"f{place}", "flood", headline=f"{'x' * (place + 2)} up") for place in range(len(flood))]
    said = {item.id: value for item, value in zip([*honest, *sent], [*others, *flood], strict=True)}
    silent = said | dict.fromkeys((item.id for item in sent), 0.0)
    records = {"flood": SourceRecord(10, 5, rate)}

    with_words, without = (scored([*honest, *sent], values, records)["AAA"] for values in (said, silent))

    assert abs(with_words - without) <= SOURCE_CAP + 1e-9
    assert -1.0 <= with_words <= 1.0


@settings(max_examples=50, deadline=None)
@given(st.lists(polarity, min_size=2, max_size=2), st.integers(1, 50))
def test_sending_more_of_the_same_mood_changes_nothing(values: list[float], times: int) -> None:
    items = [text("a1", "a"), *(text(f"b{n}", "b", headline=f"{'y' * (n + 2)} now") for n in range(times))]
    said = {item.id: values[0] if item.source == "a" else values[1] for item in items}

    assert scored(items, said)["AAA"] == pytest.approx(scored(items[:2], said)["AAA"], abs=1e-9)


def test_of_texts_alike_the_first_to_arrive_stays_once_per_instrument() -> None:
    alike = ("RT @jo: Sales up 5% https://x.y", "sales UP 7%", "Sales up 5%")
    items = [text(f"t{n}", hours=9 - n, headline=line) for n, line in enumerate(alike)]
    items[0] = items[0].model_copy(update={"headline": "Sales up 5% https://x.y"})

    kept = unrepeated([*reversed(items), text("b", symbol="BBB", headline="Sales up 5%")])

    assert [item.id for item in kept] == ["t0", "b"]


def test_without_texts_there_is_no_score() -> None:
    assert text_sentiment(Ledger(AS_OF, "f"), AS_OF, [], TextFigures("enc", {}, {}, {})) is None


@settings(max_examples=30, deadline=None)
@given(st.text(min_size=1, max_size=30))
def test_the_ledger_holds_no_word_of_a_stranger(words: str) -> None:
    ledger, marked = Ledger(AS_OF, "f" * 64), f"§{words}"
    item = text("t1", marked, headline=marked)

    text_sentiment(ledger, AS_OF, [item], TextFigures("enc", {"t1": 0.4}, {}, {}))

    assert "§" not in ledger.entries[0].model_dump_json()
    output = cast(Mapping[str, Mapping[str, float]], ledger.entries[0].output)
    assert output["source_weight"] == {source_key(marked): 1.0}


def test_readings_are_found_again_under_their_prompt_only() -> None:
    ledger = Ledger(AS_OF, "f" * 64)
    answers: Mapping[str, Mapping[str, str | int] | None] = {
        "t1": {"polarity": "POSITIVE", "confidence": 80},
        "t2": None,
    }
    text_readings(ledger, "p1", answers)
    text_sentiment(ledger, AS_OF, [text("t1")], TextFigures("enc", {"t1": 0.0}, {}, {}))

    # As the log gives it back.
    entries = [Evidence.model_validate_json(entry.model_dump_json()) for entry in ledger.entries]
    assert [readings_in(entry, "p1") for entry in entries] == [answers, {}]
    assert [readings_in(entry, "p2") for entry in entries] == [{}, {}]


def test_scores_stay_within_bounds_for_random_texts() -> None:
    rng = np.random.default_rng(3)
    items = [text(f"t{n}", f"s{n % 3}", hours=float(n), headline=f"{'z' * (n + 2)} up") for n in range(30)]
    said = {item.id: float(rng.uniform(-1, 1)) for item in items}

    assert abs(scored(items, said)["AAA"]) <= 1.0
