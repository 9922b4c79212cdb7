"""The shipped encoder and its card, and files that are none."""

import json
from pathlib import Path

import numpy as np
import pytest
from parley.quant.text_features import TextModel, class_probabilities
from parley.tools.encoders import (
    CLASSES,
    SHIPPED,
    arrays_bytes,
    load_encoder,
    load_terms,
    polarity_of,
    shipped_encoder,
    terms_bytes,
)
from parley.tools.errors import EncoderUnusable

MODEL = TextModel(CLASSES, ("profit", "profit up"), np.array([1.5, 2.5]), np.arange(6.0).reshape(2, 3), np.zeros(3))


def test_the_shipped_weights_are_those_of_the_card_and_small() -> None:
    encoder = shipped_encoder()

    assert encoder.card["sha256"] == encoder.fingerprint
    assert SHIPPED.stat().st_size < 1_500_000
    assert encoder.card["features"] == len(encoder.model.terms)
    assert SHIPPED.with_suffix(".md").read_text().count("macro-F1") == 2


def test_the_card_tells_licence_and_majority_beside_every_domain_and_never_trains_on_what_it_may_not() -> None:
    card = shipped_encoder().card

    assert {row["kind"] for row in card["results"]} == {"held out", "out of domain"}
    assert len(card["results"]) == 3
    for row in card["results"]:
        assert row["accuracy"] > row["majority_accuracy"] and row["macro_f1"] > row["majority_macro_f1"]
    assert {item["license"] for item in card["data"] if item["trained_on"]} == {"MIT"}


def test_plain_headlines_read_as_a_person_would() -> None:
    texts = ["Profit rises, beats estimates", "Shares plunge after profit warning", "Company to hold annual meeting"]

    scores = polarity_of(shipped_encoder().probabilities(texts)).tolist()

    assert scores[0] > 0.5 and scores[1] < -0.5 and abs(scores[2]) < 0.3


def test_weights_written_and_read_again_give_the_same_probabilities(tmp_path: Path) -> None:
    path = tmp_path / "own.npz"
    path.write_bytes(terms_bytes(MODEL))
    path.with_suffix(".json").write_text("{}")

    texts = ["profit up", "", "profit"]
    assert load_encoder(path).probabilities(texts) == pytest.approx(class_probabilities(MODEL, texts), abs=1e-6)
    assert terms_bytes(MODEL) == terms_bytes(MODEL)


@pytest.mark.parametrize(
    ("content", "card", "says"),
    [
        (b"", "{}", "not readable"),
        (b"PK\x03\x04 broken", "{}", "not readable"),
        (arrays_bytes({"idf": np.ones(2)}), "{}", "not the weights"),
        (b"\x80\x04pickle", "{}", "not readable"),
        (terms_bytes(MODEL), "[]", "JSON object"),
        (terms_bytes(MODEL), "{", "no card"),
    ],
)
def test_a_file_that_is_no_encoder_is_refused(content: bytes, card: str, says: str, tmp_path: Path) -> None:
    path = tmp_path / "bad.npz"
    path.write_bytes(content)
    path.with_suffix(".json").write_text(card)

    with pytest.raises(EncoderUnusable, match=says) as caught:
        load_terms(path)

    assert "train-sentiment" in caught.value.remedy


def test_a_pickle_inside_the_file_is_never_loaded(tmp_path: Path) -> None:
    path = tmp_path / "bad.npz"
    np.savez(path, terms=np.array([{"a": 1}], dtype=object))

    with pytest.raises(EncoderUnusable):
        load_terms(path)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(EncoderUnusable):
        load_encoder(tmp_path / "none.npz")


def test_a_card_is_plain_json() -> None:
    assert json.loads(SHIPPED.with_suffix(".json").read_text()) == shipped_encoder().card
