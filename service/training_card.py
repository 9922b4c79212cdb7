"""The card of a sentiment encoder: its data, and its scores per domain beside what guessing the commonest gives."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..quant.arrays import FloatArray
from ..tools.encoders import CLASSES

if TYPE_CHECKING:
    from .training_text import Samples

HOLDS = (
    "The figures hold for texts like those of each row and for no other; far from its training texts it is little "
    "better than guessing the commonest label."
)
MEANING = f"A linear model of what is in its name: it knows words, not meaning. {HOLDS}"
MEANING_OF_BERT = (
    f"A linear head on what a language model makes of a whole text; the model itself was not trained. {HOLDS}"
)
"""By whether the features are terms or a model's embedding."""
TERMS = "TF-IDF"
DIGITS = 4


def scored(samples: Sequence["Samples"], encode: Callable[[Sequence[str]], FloatArray]) -> list[dict[str, Any]]:
    """One row per set: how the encoder does on the texts it was not trained on."""
    rows: list[dict[str, Any]] = []
    for item in samples:
        texts = [text for text, is_out in zip(item.texts, item.held_out.tolist(), strict=True) if is_out]
        labels, probabilities = item.labels[item.held_out], encode(texts)
        commonest = np.full(len(labels), np.bincount(labels, minlength=len(CLASSES)).argmax())
        guessed = probabilities.argmax(axis=1)
        said = np.maximum(probabilities[np.arange(len(labels)), labels], 1e-12)
        rows.append(
            {
                "domain": item.source.name,
                "kind": "held out" if item.source.is_trained_on else "out of domain",
                "texts": len(labels),
                "accuracy": _rounded((guessed == labels).mean()),
                "macro_f1": _rounded(macro_f1(guessed, labels)),
                "log_loss": _rounded(-np.log(said).mean()),
                "majority_accuracy": _rounded((commonest == labels).mean()),
                "majority_macro_f1": _rounded(macro_f1(commonest, labels)),
            }
        )
    return rows


def macro_f1(guessed: np.ndarray, labels: np.ndarray) -> float:
    """The plain mean over the classes of 2 TP / (2 TP + FP + FN); a class that nobody has or guesses counts zero."""
    found: list[float] = []
    for place in range(len(CLASSES)):
        hits = float(((guessed == place) & (labels == place)).sum())
        named = float((guessed == place).sum() + (labels == place).sum())
        found.append(2.0 * hits / named if named else 0.0)
    return sum(found) / len(found)


def card_document(
    name: str, size: int, samples: Sequence["Samples"], results: list[dict[str, Any]], sha256: str
) -> dict[str, Any]:
    """Everything a reader of a score must know about the encoder behind it."""
    from sklearn import __version__ as sklearn_version

    return {
        "version": 1,
        "name": name,
        "sha256": sha256,
        "features": size,
        "classes": list(CLASSES),
        "trained_with": f"scikit-learn {sklearn_version}",
        "split": "one text in five held out by the hash of its normal form, so that repeats stay on one side",
        "data": [
            {
                "name": item.source.name,
                "file": item.source.file,
                "license": item.source.license,
                "sha256": item.sha256,
                "trained_on": int((~item.held_out).sum()),
                "scored_on": int(item.held_out.sum()),
            }
            for item in samples
        ],
        "results": results,
        "meaning": MEANING if name.startswith(TERMS) else MEANING_OF_BERT,
    }


def card_text(card: dict[str, Any]) -> str:
    """The card for people, as Markdown."""
    lines = [f"# Sentiment encoder: {card['name']}", "", card["meaning"], ""]
    lines += ["| domain | texts | accuracy | macro-F1 | log loss | commonest label: accuracy | macro-F1 |"]
    lines += ["|---|---|---|---|---|---|---|"]
    for row in card["results"]:
        lines.append(
            f"| {row['domain']} ({row['kind']}) | {row['texts']:,} | {row['accuracy']:.3f} | {row['macro_f1']:.3f} "
            f"| {row['log_loss']:.3f} | {row['majority_accuracy']:.3f} | {row['majority_macro_f1']:.3f} |"
        )
    lines += ["", f"{card['features']:,} features; {card['split']}; {card['trained_with']}.", ""]
    for item in card["data"]:
        use = f"trained on {item['trained_on']:,}" if item["trained_on"] else "never trained on"
        lines.append(
            f"- {item['name']} ({item['license']}): {use}, scored on {item['scored_on']:,}; "
            f"`{item['file']}`, SHA-256 `{item['sha256'][:16]}`"
        )
    return "\n".join([*lines, f"- weights: SHA-256 `{card['sha256'][:16]}`", ""])


def _rounded(value: float) -> float:
    return round(float(value), DIGITS)
