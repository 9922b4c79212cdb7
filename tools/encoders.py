"""The sentiment encoder that ships with the desk, or one of your own by path: polarity of a text, with its card."""

import hashlib
import io
import json
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from ..quant.arrays import FloatArray
from ..quant.errors import QuantError
from ..quant.text_features import TextModel, class_probabilities
from .errors import EncoderUnusable

CLASSES = ("negative", "neutral", "positive")
SHIPPED = Path(__file__).with_name("models") / "sentiment.npz"
MAX_FILE_BYTES = 50_000_000
TRAIN = "Train one with `parley train-sentiment DIR --out FILE`."


class Encoder(Protocol):
    """Gives each text a probability of being negative, neutral and positive, in the order of CLASSES."""

    @property
    def name(self) -> str: ...

    @property
    def fingerprint(self) -> str:
        """Names the weights: part of the address of every score made with them."""
        ...

    @property
    def card(self) -> Mapping[str, Any]: ...

    def probabilities(self, texts: Sequence[str]) -> FloatArray: ...


@dataclass(frozen=True, slots=True)
class TermEncoder:
    """Words and word pairs with a logistic head; tens of microseconds a text."""

    model: TextModel
    card: Mapping[str, Any]
    fingerprint: str
    name: str = "TF-IDF with logistic head"

    def probabilities(self, texts: Sequence[str]) -> FloatArray:
        return class_probabilities(self.model, texts)


def polarity_of(probabilities: FloatArray) -> FloatArray:
    """(n,) from -1 to 1: the probability of positive less that of negative; what is likely neutral stays near zero."""
    return probabilities[:, 2] - probabilities[:, 0]


@cache
def shipped_encoder() -> TermEncoder:
    """The encoder inside the package."""
    return load_terms(SHIPPED)


def load_encoder(path: Path | None) -> Encoder:
    """The shipped encoder, a trained `.npz` file, or the folder of a BERT-family model with its trained head."""
    if path is None:
        return shipped_encoder()
    if path.is_dir():
        # Here, because it takes torch, which few installations have.
        from .bert_encoder import load_bert

        return load_bert(path)
    return load_terms(path)


def load_terms(path: Path) -> TermEncoder:
    """Weights and card of a word model; raises EncoderUnusable for a file that is not one."""
    arrays, fingerprint = read_arrays(path)
    try:
        model = TextModel(
            classes=CLASSES,
            terms=tuple(arrays["terms"].tobytes().decode("utf-8").split("\n")),
            idf=arrays["idf"].astype(np.float64),
            coef=arrays["coef"].astype(np.float64),
            intercept=arrays["intercept"].astype(np.float64),
        )
    except (KeyError, ValueError, QuantError) as error:
        raise EncoderUnusable(f"{path.name}: not the weights of a word model: {error}", remedy=TRAIN) from error
    return TermEncoder(model, read_card(path), fingerprint)


def terms_bytes(model: TextModel) -> bytes:
    """The weights as a file: float32, no pickle, the same bytes for the same weights."""
    return arrays_bytes(
        {
            "terms": np.frombuffer("\n".join(model.terms).encode("utf-8"), dtype=np.uint8),
            "idf": model.idf.astype(np.float32),
            "coef": model.coef.astype(np.float32),
            "intercept": model.intercept.astype(np.float32),
        }
    )


def arrays_bytes(arrays: Mapping[str, np.ndarray]) -> bytes:
    """Arrays as a compressed `.npz`; its members carry no time."""
    buffer = io.BytesIO()
    np.savez_compressed(buffer, allow_pickle=False, **arrays)
    return buffer.getvalue()


def read_arrays(path: Path) -> tuple[Mapping[str, np.ndarray], str]:
    """The arrays of a file and the hash of its bytes; nothing in it is ever executed."""
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise EncoderUnusable(f"{path.name}: over {MAX_FILE_BYTES:,} bytes, not an encoder of ours", remedy=TRAIN)
        content = path.read_bytes()
        with np.load(io.BytesIO(content), allow_pickle=False) as stored:
            return {name: stored[name] for name in stored.files}, hashlib.sha256(content).hexdigest()
    except (OSError, ValueError, EOFError, AttributeError, zipfile.BadZipFile) as error:
        raise EncoderUnusable(f"{path}: not readable as an encoder: {error}", remedy=TRAIN) from error


def read_card(path: Path) -> Mapping[str, Any]:
    """What the encoder was trained on and how well it does, from the JSON file beside the weights."""
    beside = path.with_suffix(".json")
    try:
        found = json.loads(beside.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise EncoderUnusable(f"{beside.name}: no card beside the weights: {error}", remedy=TRAIN) from error
    if not isinstance(found, dict):
        raise EncoderUnusable(f"{beside.name}: a card is a JSON object", remedy=TRAIN)
    return found
