"""The word model: the same figures as scikit-learn's pipeline, whatever the text."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from parley.quant.errors import SampleError, ShapeError
from parley.quant.text_features import TextModel, class_probabilities, normal_text, text_terms

WORDS = ("profit", "rises", "falls", "loss", "court", "sales", "beat", "miss", "shares", "the")
LABELS = ("negative", "neutral", "positive")
lines = st.lists(st.sampled_from([*WORDS, "unknown", "Ärger", "12", "$AAA"]), max_size=12).map(" ".join)


def corpus() -> tuple[list[str], list[str]]:
    rng = np.random.default_rng(5)
    texts = [" ".join(rng.choice(WORDS, rng.integers(2, 9))) for _ in range(90)]
    return texts, [LABELS[place % 3] for place in range(90)]


@pytest.fixture(scope="module")
def fitted() -> tuple[TextModel, Any]:
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline

    texts, labels = corpus()
    analyzer: Any = text_terms
    features: Any = TfidfVectorizer(analyzer=analyzer, min_df=2, sublinear_tf=True)
    head: Any = LogisticRegression(C=4.0)
    pipeline = make_pipeline(features, head).fit(texts, labels)
    model = TextModel(LABELS, tuple(features.get_feature_names_out()), features.idf_, head.coef_.T, head.intercept_)
    return model, pipeline


@settings(max_examples=40, deadline=None)
@given(texts=st.lists(lines, min_size=1, max_size=5))
def test_probabilities_are_those_of_the_pipeline_the_weights_come_from(
    fitted: tuple[TextModel, Any], texts: list[str]
) -> None:
    model, pipeline = fitted

    # Independent implementation: scikit-learn's TfidfVectorizer and LogisticRegression.
    assert class_probabilities(model, texts) == pytest.approx(pipeline.predict_proba(texts), abs=1e-12)


@settings(max_examples=40, deadline=None)
@given(texts=st.lists(st.text(max_size=80) | lines, max_size=5))
def test_rows_sum_to_one_and_stand_for_themselves(fitted: tuple[TextModel, Any], texts: Sequence[str]) -> None:
    model, _ = fitted

    together = class_probabilities(model, texts)

    assert together.shape == (len(texts), 3)
    assert together.sum(axis=1) == pytest.approx(np.ones(len(texts)), abs=1e-12)
    alone = [class_probabilities(model, [text])[0] for text in texts]
    assert all((one == other).all() for one, other in zip(together, alone, strict=True))


def test_amounts_names_and_addresses_do_not_count() -> None:
    assert normal_text("RT @Jo Profit 12.5% https://t.co/x ｆｕｌｌ").split() == ["profit", "0.0%", "full"]
    assert text_terms("Profit rises at A") == ["profit", "rises", "at", "profit rises", "rises at"]


def test_weights_that_do_not_fit_are_refused() -> None:
    one = np.ones(2)

    with pytest.raises(ShapeError, match="shapes"):
        TextModel(LABELS, ("a", "b"), one, np.ones((2, 2)), np.ones(3))
    with pytest.raises(SampleError, match="finite"):
        TextModel(LABELS, ("a", "b"), one * np.nan, np.ones((2, 3)), np.ones(3))
