"""A BERT-family encoder from a folder: a head is trained for it, and texts are read with it."""

import importlib
import importlib.util
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from parley.service.console import Console
from parley.service.training_text import perform_train_sentiment
from parley.tools.encoders import load_encoder, polarity_of
from parley.tools.errors import EncoderUnusable

WORDS = {"positive": "profit rises beats", "negative": "loss falls misses", "neutral": "meeting held board"}


@pytest.fixture
def labelled(tmp_path: Path) -> Path:
    rng = np.random.default_rng(2)
    rows = [
        (f"{' '.join(rng.permutation(words.split()))} w{n}", label) for n in range(30) for label, words in WORDS.items()
    ]
    frame = pd.DataFrame(rows, columns=["text", "label"])
    for name in ("sentiment_twitter_fin_news_train", "sentiment_sentfin_headlines"):
        frame.to_parquet(tmp_path / f"{name}.parquet")
    return tmp_path


@pytest.fixture(scope="module")
def tiny_bert(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A BERT of one small layer with random weights, made on the spot: the wiring, not the wisdom."""
    for name in ("torch", "transformers"):
        if importlib.util.find_spec(name) is None:
            reason = f"no {name} installed, which the extra [ml] brings"
            pytest.skip(reason)
    torch: Any = importlib.import_module("torch")
    made: Any = importlib.import_module("transformers")

    folder = tmp_path_factory.mktemp("bert")
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *" ".join(WORDS.values()).split()]
    torch.manual_seed(1)
    size = made.BertConfig(
        vocab_size=len(words), hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16
    )
    made.BertModel(size).save_pretrained(folder)
    made.BertTokenizer(vocab={word: place for place, word in enumerate(words)}).save_pretrained(folder)
    return folder


@pytest.mark.slow
def test_a_head_is_trained_for_a_bert_in_a_folder_and_reads_with_it(
    labelled: Path, tiny_bert: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(EncoderUnusable, match="no trained head"):
        load_encoder(tiny_bert)

    perform_train_sentiment(labelled, None, tiny_bert, Console(as_json=True))

    assert json.loads(capsys.readouterr().out)["card"]["name"] == "BERT with logistic head"
    encoder = load_encoder(tiny_bert)
    texts = ["profit rises beats", "loss falls misses", ""]
    found = encoder.probabilities(texts)
    assert found.sum(axis=1) == pytest.approx(np.ones(3))
    assert polarity_of(found)[0] > polarity_of(found)[1]
    # Beside longer texts or alone: the padding does not count.
    assert encoder.probabilities(texts[:1])[0] == pytest.approx(found[0], abs=1e-6)
