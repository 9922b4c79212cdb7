"""The commands about texts: training, reading, judging sources, and runs with texts of one's choice."""

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from parley.desk.book import Book, open_log
from parley.domain.events import DecisionMade
from parley.domain.views import Source
from parley.service.cli import main
from parley.service.training_card import macro_f1
from parley.tools.encoders import arrays_bytes

WORDS = {"positive": "profit rises beats", "negative": "loss falls misses", "neutral": "meeting held board"}


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, Any]:
    with pytest.raises(SystemExit) as ended:
        main([*arguments, "--json"])
    return int(ended.value.code or 0), json.loads(capsys.readouterr().out)


@pytest.fixture
def labelled(tmp_path: Path) -> Path:
    """Two small sets in the form of the real ones, the second with a headline about two companies."""
    rng = np.random.default_rng(2)
    rows = [
        (" ".join(rng.permutation([*words.split(), f"w{chr(97 + n % 26)}{chr(97 + n // 26)}"])), label)
        for n in range(60)
        for label, words in WORDS.items()
    ]
    twitter = pd.DataFrame(rows[:90], columns=["text", "label"])
    headlines = pd.DataFrame(rows[90:], columns=["text", "label"]).assign(n_entities=1)
    several = pd.DataFrame([{"text": "secret words", "label": "neutral", "n_entities": 2}])
    twitter.to_parquet(tmp_path / "sentiment_twitter_fin_news_train.parquet")
    pd.concat([headlines, several]).to_parquet(tmp_path / "sentiment_sentfin_headlines.parquet")
    return tmp_path


def test_training_twice_gives_the_same_bytes_and_a_card_of_what_was_held_out(
    labelled: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    outs = [labelled / f"{name}.npz" for name in "ab"]

    results = [run(capsys, "train-sentiment", str(labelled), "--out", str(out)) for out in outs]

    assert [code for code, _ in results] == [0, 0]
    assert outs[0].read_bytes() == outs[1].read_bytes()
    card = results[0][1]["card"]
    assert card == json.loads(outs[0].with_suffix(".json").read_text())
    assert [row["domain"] for row in card["results"]] == ["SEntFiN", "Twitter Financial News"]
    assert all(item["trained_on"] + item["scored_on"] == 90 for item in card["data"])
    assert all(row["accuracy"] > row["majority_accuracy"] for row in card["results"])
    assert "| SEntFiN (held out) |" in outs[0].with_suffix(".md").read_text()


def test_an_own_encoder_reads_a_text(labelled: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = labelled / "own.npz"
    run(capsys, "train-sentiment", str(labelled), "--out", str(out))

    _, good = run(capsys, "sentiment", "profit rises", "--encoder", str(out))
    _, shipped = run(capsys, "sentiment", "profit rises")

    assert good["label"] == "positive" and good["fingerprint"] != shipped["fingerprint"]
    assert sum(good["probability"].values()) == pytest.approx(1.0, abs=1e-5)


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("train-sentiment", "."), "settings_invalid"),
        (("sentiment",), "settings_invalid"),
        (("sentiment", "x", "--sources"), "settings_invalid"),
        (("sentiment", "--sources"), "settings_invalid"),
        (("sentiment", "x", "--encoder", "nowhere.npz"), "encoder_unusable"),
        (("sentiment", "--file", "nowhere.parquet"), "data_file_error"),
        (("run", "--data", "us20", "--text", "nowhere.parquet"), "data_file_error"),
    ],
)
def test_what_cannot_be_done_as_asked_says_what_to_do(
    arguments: tuple[str, ...],
    code: str,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)

    status, said = run(capsys, *arguments)

    assert status == 2 and said["error"]["code"] == code
    assert said["error"]["remedy"]


def test_an_empty_text_and_a_huge_one_are_read(capsys: pytest.CaptureFixture[str]) -> None:
    for text in ("", "\u202e\x00", "profit " * 100_000):
        status, said = run(capsys, "sentiment", text)

        assert status == 0 and -1.0 <= said["score"] <= 1.0


def test_a_file_of_texts_is_looked_at_with_its_faults(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "words.parquet"
    stamps = pd.to_datetime(["2020-01-02T15:00:00Z", None, "2020-01-03T15:00:00Z"])
    pd.DataFrame({"ts": stamps, "symbol": "AAA", "text": ["one\x07", "two", ""], "source": "[/b]"}).to_parquet(path)

    status, said = run(capsys, "sentiment", "--file", str(path))

    assert status == 0 and said["items"] == 1 and said["sources"] == {"[/b]": 1}
    assert [item["code"] for item in said["findings"]] == ["control", "missing_text", "missing_time"]


def test_sources_are_listed_with_their_record_even_when_a_name_is_hostile(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    prices, texts = prices_and_texts(tmp_path, "[/red] \x1b[31mx")

    status, said = run(capsys, "sentiment", "--sources", "--data", str(prices), "--text", str(texts))
    with pytest.raises(SystemExit) as ended:
        main(["sentiment", "--sources", "--data", str(prices), "--text", str(texts)])

    assert status == 0 and not ended.value.code
    (row,) = said["sources"]
    assert (row["calls"], row["hits"], row["texts"]) == (1, 1, 1)
    assert "\x1b" not in row["source"] + capsys.readouterr().out


def prices_and_texts(folder: Path, source: str = "wire") -> tuple[Path, Path]:
    """Two names over thirty sessions, of which one rises, and a good word on it."""
    days = pd.bdate_range("2020-02-18", periods=30)
    rows = [
        {"symbol": symbol, "date": day, "close": 100.0 * (1.01**n if symbol == "AAA" else 1.0)}
        for n, day in enumerate(days)
        for symbol in ("AAA", "BBB")
    ]
    prices, texts = folder / "rows.parquet", folder / "words.parquet"
    pd.DataFrame(rows).to_parquet(prices)
    stamp = pd.to_datetime(["2020-02-20T15:00:00Z"])
    pd.DataFrame({"ts": stamp, "symbol": "AAA", "text": ["Profit beats estimates"], "source": source}).to_parquet(texts)
    return prices, texts


def test_macro_f1_is_the_mean_over_the_classes() -> None:
    # As scikit-learn's f1_score([0, 0, 1, 2], [0, 1, 1, 1], average="macro"); class 2 is never guessed.
    labels, guessed = np.array([0, 0, 1, 2]), np.array([0, 1, 1, 1])

    assert macro_f1(guessed, labels) == pytest.approx((2 / 3 + 0.5 + 0.0) / 3)


def test_a_name_with_texts_loads_them_and_none_leaves_them_out(tmp_path: Path) -> None:
    from parley.market.datasets import load_data, load_to_decide
    from parley.market.texted import texted_name

    prices, texts = prices_and_texts(tmp_path)
    name = texted_name(str(prices), str(texts))

    named, data = load_to_decide(name)
    assert named == name and [item.headline for item in data.texts] == ["Profit beats estimates"]
    assert "1 items of 1 sources" in data.card.notes[-1]
    assert load_data(texted_name(name, "none")).texts == ()


@pytest.mark.slow
def test_a_run_with_texts_is_replayed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path, where = tmp_path / "words.parquet", ("--book", str(tmp_path / "book"))
    stamps = pd.to_datetime(["2020-01-02T15:00:00Z", "2020-01-03T15:00:00Z"])
    pd.DataFrame({"ts": stamps, "symbol": "AAPL", "text": ["Profit beats", "Shares plunge on loss"]}).to_parquet(path)
    span = ("--start", "2020-01-02", "--end", "2020-01-03", "--reports", "none")

    status, _ = run(capsys, "run", "--data", "us20", "--text", str(path), *span, *where)

    assert status == 0
    assert run(capsys, "replay", *where)[0] == 0
    with open_log(Book(tmp_path / "book").latest(), readonly=True) as (log, _):
        made = [event.decoded() for event in log.read(types=(DecisionMade,))]
    views = [view for item in made if isinstance(item, DecisionMade) for view in item.decision.views]
    first, second = (view.scores["AAPL"] for view in views if view.source is Source.SENTIMENT)
    assert first > 0.2 > 0.0 > second


def test_without_torch_a_bert_is_refused_with_what_to_install(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "sentiment_head.npz").write_bytes(arrays_bytes({"coef": np.ones((4, 3)), "intercept": np.ones(3)}))
    monkeypatch.setitem(sys.modules, "torch", None)

    status, said = run(capsys, "sentiment", "profit", "--encoder", str(tmp_path))

    assert status == 2 and said["error"]["code"] == "encoder_unusable"
    assert "parley[ml]" in said["error"]["remedy"]
