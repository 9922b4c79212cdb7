"""The `train-sentiment` command: a sentiment encoder from two labelled sets, with a card of what it can and can't."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..desk.errors import SettingsInvalid
from ..quant.arrays import FloatArray
from ..quant.text_features import TextModel, class_probabilities, normal_text, text_terms
from ..tools.encoders import CLASSES, arrays_bytes, terms_bytes
from .console import Console
from .training_card import card_document, card_text, scored

if TYPE_CHECKING:
    from pandas import DataFrame

DEFAULT_OUT = "sentiment.npz"
SEED = 7
HELD_OUT = 5
"""One text in so many is never trained on; which ones, its own hash says, so that repeats stay on one side."""
MIN_COUNT = 2
PENALTY_C = 4.0
MAX_STEPS = 400


@dataclass(frozen=True, slots=True)
class LabelledSet:
    """One labelled file: what it may be used for is a matter of its licence."""

    name: str
    file: str
    license: str
    is_trained_on: bool


SETS = (
    LabelledSet("SEntFiN", "sentiment_sentfin_headlines.parquet", "MIT", True),
    LabelledSet("Twitter Financial News", "sentiment_twitter_fin_news_train.parquet", "MIT", True),
    LabelledSet("Financial PhraseBank", "sentiment_financial_phrasebank_dev.parquet", "CC BY-NC-SA 3.0", False),
)


@dataclass(frozen=True, slots=True)
class Samples:
    """The texts of a set with the places of their labels in CLASSES, and which are held out."""

    source: LabelledSet
    sha256: str
    texts: tuple[str, ...]
    labels: np.ndarray
    held_out: np.ndarray


def perform_train_sentiment(folder: Path, out: Path | None, encoder: Path | None, console: Console) -> None:
    samples = [found for item in SETS if (found := load_samples(folder, item)) is not None]
    texts, labels = _together([(item, ~item.held_out) for item in samples if item.source.is_trained_on])
    console.say(f"Training on {len(texts):,} texts.")
    if encoder is None:
        target, model = out or Path(DEFAULT_OUT), train_terms(texts, labels)
        content, name, size = terms_bytes(model), "TF-IDF(1,2) with logistic head", len(model.terms)
        results = scored(samples, lambda given: class_probabilities(model, given))
    else:
        # Here, because it takes torch, which few installations have.
        from ..tools.bert_encoder import HEAD, Bert, head_probabilities

        bert, target = Bert(encoder), out or encoder / HEAD
        head = _fit(bert.embeddings(texts), labels)
        content, name, size = (
            arrays_bytes({"coef": head[0], "intercept": head[1]}),
            f"{bert.kind} with logistic head",
            bert.width,
        )
        results = scored(samples, lambda given: head_probabilities(bert.embeddings(given), *head))
    card = card_document(name, size, samples, results, hashlib.sha256(content).hexdigest())
    _write(target, content, card)
    console.result({"encoder": str(target), "bytes": len(content), "card": card})
    console.say(card_text(card))
    console.say(f"Written: {target} ({len(content):,} bytes), and its card beside it.")


def load_samples(folder: Path, source: LabelledSet) -> Samples | None:
    """A set from its file; None for one that is only scored and is not there.

    Headlines about several companies are left out: their labels belong to one of them, not to the text.
    """
    path = folder / source.file
    if not path.is_file():
        if source.is_trained_on:
            raise SettingsInvalid(
                f"{folder} has no {source.file}", remedy="Give the folder that holds the two labelled sets."
            )
        return None
    frame = _read(path)
    if "n_entities" in frame.columns:
        frame = frame[frame["n_entities"] == 1]
    texts = tuple(str(text) for text in frame["text"])
    labels = [str(label) for label in frame["label"]]
    unknown = sorted(set(labels) - set(CLASSES))
    if unknown or not texts:
        raise SettingsInvalid(
            f"{path.name}: labels {', '.join(unknown) or 'none'}", remedy=f"Use {', '.join(CLASSES)} as labels."
        )
    return Samples(
        source=source,
        sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
        texts=texts,
        labels=np.array([CLASSES.index(label) for label in labels]),
        held_out=np.array([_is_held_out(text) for text in texts])
        if source.is_trained_on
        else np.ones(len(texts), bool),
    )


def train_terms(texts: Sequence[str], labels: np.ndarray) -> TextModel:
    """Words and pairs that occur in two texts and more, their weights, and the head."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    analyzer: Any = text_terms
    features = TfidfVectorizer(analyzer=analyzer, min_df=MIN_COUNT, sublinear_tf=True)
    matrix: Any = features.fit_transform(texts)
    coef, intercept = _fit(matrix, labels)
    names: Sequence[str] = features.get_feature_names_out().tolist()
    return TextModel(CLASSES, tuple(names), np.asarray(features.idf_, dtype=np.float64), coef, intercept)


def _fit(features: Any, labels: np.ndarray) -> tuple[FloatArray, FloatArray]:
    """(n_features, n_classes) weights and (n_classes,) intercepts of a multinomial logistic regression."""
    from sklearn.linear_model import LogisticRegression

    head = LogisticRegression(C=PENALTY_C, max_iter=MAX_STEPS).fit(features, labels)
    if len(head.classes_) != len(CLASSES):
        raise SettingsInvalid("the sets hold fewer than three labels", remedy="Give the whole files.")
    return np.asarray(head.coef_, dtype=np.float64).T, np.asarray(head.intercept_, dtype=np.float64)


def _together(parts: list[tuple[Samples, np.ndarray]]) -> tuple[list[str], np.ndarray]:
    texts = [text for item, chosen in parts for text, is_in in zip(item.texts, chosen.tolist(), strict=True) if is_in]
    return texts, np.concatenate([item.labels[chosen] for item, chosen in parts])


def _is_held_out(text: str) -> bool:
    digest = hashlib.sha256(f"{SEED}/{' '.join(normal_text(text).split())}".encode()).digest()
    return digest[0] % HELD_OUT == 0


def _read(path: Path) -> "DataFrame":
    import pandas as pd

    try:
        frame = pd.read_parquet(path)
    except (OSError, ValueError) as error:
        raise SettingsInvalid(
            f"{path.name}: not a readable Parquet file", remedy="Give the file as it came."
        ) from error
    if not {"text", "label"} <= set(frame.columns):
        raise SettingsInvalid(f"{path.name}: no columns text and label", remedy="Give the file as it came.")
    return frame


def _write(target: Path, content: bytes, card: dict[str, Any]) -> None:
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
        text = json.dumps(card, indent=2, ensure_ascii=False) + "\n"
        target.with_suffix(".json").write_text(text, encoding="utf-8")
        target.with_suffix(".md").write_text(card_text(card), encoding="utf-8")
    except OSError as error:
        raise SettingsInvalid(
            f"{target}: cannot be written ({error.strerror or error})", remedy="Choose a file with --out."
        ) from error
