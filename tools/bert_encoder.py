"""A BERT-family encoder from a local folder: its mean embedding of a text, and a head trained on labelled texts.

Nothing is ever downloaded: the folder holds the model's own files, as `transformers` saves them.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from ..quant.arrays import FloatArray
from .encoders import read_arrays, read_card
from .errors import EncoderUnusable

HEAD = "sentiment_head.npz"
MAX_TOKENS = 128
BATCH = 32
N_CLASSES = 3
EXTRA = 'Install it with: pip install "parley[ml]"'


class Bert:
    """The model in a folder; reading a text takes tens of milliseconds, so it stays outside of the fast loop."""

    def __init__(self, folder: Path) -> None:
        try:
            torch: Any = import_module("torch")
            transformers: Any = import_module("transformers")
        except ImportError as error:
            raise EncoderUnusable(
                f"{folder}: a BERT-family encoder needs torch and transformers", remedy=EXTRA
            ) from error
        try:
            self._tokenizer: Any = transformers.AutoTokenizer.from_pretrained(str(folder), local_files_only=True)
            self._model: Any = transformers.AutoModel.from_pretrained(str(folder), local_files_only=True).eval()
        except (OSError, ValueError) as error:
            raise EncoderUnusable(
                f"{folder}: no model that transformers can read",
                remedy="Give the folder with config.json, the tokenizer and the weights.",
            ) from error
        self._torch = torch
        self.kind = str(self._model.config.model_type).upper()
        self.width = int(self._model.config.hidden_size)

    def embeddings(self, texts: Sequence[str]) -> FloatArray:
        """(n, width) unit vectors: the mean over a text's tokens, as sentence-transformers takes it."""
        parts = [np.zeros((0, self.width))]
        with self._torch.no_grad():
            for start in range(0, len(texts), BATCH):
                given = self._tokenizer(
                    [text or " " for text in texts[start : start + BATCH]],
                    padding=True,
                    truncation=True,
                    max_length=MAX_TOKENS,
                    return_tensors="pt",
                )
                hidden = self._model(**given).last_hidden_state
                mask = given["attention_mask"].unsqueeze(-1)
                mean = (hidden * mask).sum(1) / mask.sum(1)
                parts.append(self._torch.nn.functional.normalize(mean).numpy().astype(np.float64))
        return np.concatenate(parts)


@dataclass(frozen=True, slots=True)
class BertEncoder:
    """The model with its head."""

    bert: Bert
    coef: FloatArray
    intercept: FloatArray
    card: Mapping[str, Any]
    fingerprint: str
    name: str

    def probabilities(self, texts: Sequence[str]) -> FloatArray:
        return head_probabilities(self.bert.embeddings(texts), self.coef, self.intercept)


def head_probabilities(embeddings: FloatArray, coef: FloatArray, intercept: FloatArray) -> FloatArray:
    """(n, n_classes) of a logistic head on (n, width) embeddings."""
    logits = embeddings @ coef + intercept
    powers = np.exp(logits - logits.max(axis=1, keepdims=True, initial=-np.inf))
    return powers / powers.sum(axis=1, keepdims=True)


def load_bert(folder: Path) -> BertEncoder:
    """The model in a folder and the head beside it; raises EncoderUnusable where either is missing or unfit."""
    path = folder / HEAD
    remedy = f"Train it with `parley train-sentiment DIR --encoder {folder}`."
    if not path.is_file():
        raise EncoderUnusable(f"{folder}: no trained head, {HEAD}, in it", remedy=remedy)
    arrays, head_hash = read_arrays(path)
    bert = Bert(folder)
    shapes = {"coef": (bert.width, N_CLASSES), "intercept": (N_CLASSES,)}
    found = {name: arrays[name].shape for name in shapes if name in arrays}
    if found != shapes or not all(np.isfinite(arrays[name]).all() for name in shapes):
        raise EncoderUnusable(f"{path}: its arrays are {found}, expected finite ones of {shapes}", remedy=remedy)
    config = json.dumps(json.loads((folder / "config.json").read_text(encoding="utf-8")), sort_keys=True)
    fingerprint = hashlib.sha256(f"{head_hash}/{config}".encode()).hexdigest()
    coef, intercept = (arrays[name].astype(np.float64) for name in ("coef", "intercept"))
    return BertEncoder(bert, coef, intercept, read_card(path), fingerprint, f"{bert.kind} with logistic head")
