"""Who reads polarity in texts is a setting: not set it leaves no trace, set it belongs to the run and reads for it."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from parley.desk.settings import Settings, load_settings, settings_of_run
from parley.graph.text_source import TextSource
from parley.memory.log import EventLog
from parley.storage.sql import open_in_memory
from parley.tools.encoders import SHIPPED, load_terms, terms_bytes
from parley.tools.errors import EncoderUnusable


@pytest.fixture
def gloomy(tmp_path: Path) -> Path:
    """The shipped weights, but everything is negative."""
    path = tmp_path / "gloomy.npz"
    model = load_terms(SHIPPED).model
    path.write_bytes(terms_bytes(replace(model, intercept=np.array([50.0, 0.0, 0.0]))))
    path.with_suffix(".json").write_text(json.dumps({}))
    return path


def test_a_run_remembers_its_encoder_and_the_default_leaves_no_trace() -> None:
    settings = load_settings(None, {"PARLEY_LLM__ENCODER": "models/mine"})

    assert Settings().public()["llm"] == {"max_tokens": 2000}
    assert settings.hash() != Settings().hash()
    assert settings_of_run(settings.public()).llm.encoder == Path("models/mine")


def test_the_node_reads_with_the_encoder_it_was_given(gloomy: Path) -> None:
    log = EventLog(open_in_memory())
    texts = ["Profit rose sharply and the dividend was raised."]

    usual, other = (TextSource(log, path).record.encoder for path in (None, gloomy))

    assert usual.probabilities(texts)[0].argmax() == 2
    assert other.probabilities(texts)[0].argmax() == 0


def test_an_encoder_that_is_not_there_is_a_typed_refusal(tmp_path: Path) -> None:
    source = TextSource(EventLog(open_in_memory()), tmp_path / "none.npz")

    with pytest.raises(EncoderUnusable, match="not readable"):
        assert source.record
