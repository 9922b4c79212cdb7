"""Reads untrusted texts with one tool-less model call per batch: enums, an integer percent and known ids come back."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Literal, cast

from pydantic import ConfigDict, Field, JsonValue, create_model

from ..domain.canonical import content_hash
from ..domain.decisions import ModelCall
from ..domain.market import TextItem
from ..domain.model import Model, Percent
from ..domain.views import Abstention
from ..prompts.loader import load_prompt
from ..tools.text_sentiment import ModelReading, unrepeated
from .ask import Asking, Question, ask
from .budget import Budget
from .llm.rules import FALLBACK_MODEL
from .quarantine import defused
from .replies import MAX_ENTRIES, SentimentReply

NODE = "sentiment"
PROMPT = "sentiment/read"
MAX_ITEMS = 60
READING_TOKENS = 60
"""What one reading takes of a reply, its id of sixteen hexadecimal digits included. More texts than fit are not asked
about: the reply would be cut off, and all of it lost."""
MAX_HEADLINE_CHARS = 200
POLARITY = {"POSITIVE": 1.0, "NEGATIVE": -1.0, "NEUTRAL": 0.0}
NOVELTY = {"new": 1.0, "update": 0.7, "repeat": 0.3}
HALF_LIFE_DAYS = {"day": 0.5, "week": 1.0, "month": 2.0}

FIELDS: list[JsonValue] = ["id", "symbol", "event", "polarity", "horizon", "novelty", "confidence"]


class TextReading(Model):
    """What a model may say of one text. What it leaves out has the plainest value."""

    # Servers that hold a reply to its schema want every field asked for.
    model_config = ConfigDict(json_schema_extra={"required": FIELDS})

    id: Annotated[str, Field(max_length=80)]
    symbol: Annotated[str, Field(max_length=24)]
    event: Literal["earnings", "guidance", "merger", "legal", "product", "management", "macro", "analyst", "other"] = (
        "other"
    )
    polarity: Literal["POSITIVE", "NEGATIVE", "NEUTRAL"]
    horizon: Literal["day", "week", "month"] = "week"
    novelty: Literal["new", "update", "repeat"] = "new"
    confidence: Percent


Answers = Mapping[str, Mapping[str, str | int] | None]
"""By item id, what was read in it and the hash of what was shown; None where there was nothing to say."""


@dataclass(frozen=True, slots=True)
class TextsRead:
    """What a model read; `abstention` is set where it was asked and gave no usable answer."""

    answers: Answers
    abstention: Abstention | None
    calls: tuple[ModelCall, ...]


async def read_texts(
    asking: Asking, budget: Budget, as_of: datetime, symbols: Sequence[str], items: Sequence[TextItem]
) -> TextsRead:
    """What the model reads in the newest texts; nothing, and no call, where there are none."""
    newest = newest_items(as_of, symbols, items)[-(asking.max_tokens // READING_TOKENS) :]
    if not newest:
        return TextsRead({}, None, ())
    question = Question(NODE, PROMPT, _facts(symbols, newest), _closed_to(newest))
    answer = await ask(asking, budget, question)
    if answer.value is None:
        return TextsRead({}, answer.abstention, answer.calls)
    if answer.calls[-1].model == FALLBACK_MODEL:
        # The rules read no prose: these texts are still to be read.
        return TextsRead({}, None, answer.calls)
    readings = [item for item in answer.value.readings if isinstance(item, TextReading)]
    return TextsRead(kept_answers(readings, newest), None, answer.calls)


def prompt_hash() -> str:
    """Names the question that texts are read under."""
    return load_prompt(PROMPT).hash


def newest_items(as_of: datetime, symbols: Sequence[str], items: Sequence[TextItem]) -> list[TextItem]:
    """The latest texts about these instruments that had arrived, oldest first, without repeats, at most MAX_ITEMS."""
    known = set(symbols)
    return unrepeated([item for item in items if item.symbol in known and item.available_at <= as_of])[-MAX_ITEMS:]


def kept_answers(readings: Sequence[TextReading], items: Sequence[TextItem]) -> Answers:
    """An answer per item asked about, None where there is no good one.

    A reading of an unknown id or of another symbol than the item's is void, and so are two of one item.
    """
    times = Counter(reading.id for reading in readings)
    good = {reading.id: reading for reading in readings if times[reading.id] == 1}
    answers: dict[str, Mapping[str, str | int] | None] = {}
    for item in items:
        reading = good.get(item.id)
        if reading is None or reading.symbol != item.symbol:
            answers[item.id] = None
        else:
            answers[item.id] = {
                **cast(dict[str, str | int], reading.model_dump(mode="json", exclude={"id"})),
                "quote": content_hash(_shown(item))[:16],
            }
    return answers


def model_readings(answers: Answers) -> dict[str, ModelReading]:
    """The answers as figures; one without confidence says nothing."""
    return {
        ident: ModelReading(
            polarity=POLARITY[str(answer["polarity"])],
            trust=int(answer["confidence"]) / 100,
            novelty=NOVELTY[str(answer["novelty"])],
            half_life_days=HALF_LIFE_DAYS[str(answer["horizon"])],
        )
        for ident, answer in answers.items()
        if answer is not None and int(answer["confidence"]) > 0
    }


def _facts(symbols: Sequence[str], newest: Sequence[TextItem]) -> dict[str, object]:
    """Only the instruments that have a text: the others would cost tokens and invite a guess."""
    told = {item.symbol for item in newest}
    return {
        "symbols": [symbol for symbol in symbols if symbol in told],
        "items": [{"id": item.id, "symbol": item.symbol, "text": _shown(item)} for item in newest],
    }


def _shown(item: TextItem) -> str:
    return defused(item.headline[:MAX_HEADLINE_CHARS])


def _closed_to(items: Sequence[TextItem]) -> type[SentimentReply]:
    """The reply's type with the batch's own ids and instruments as the only ones its schema offers.

    A server that keeps to the schema can't name another; of one that doesn't, each reading is checked by itself.
    """
    ids, symbols = [item.id for item in items], sorted({item.symbol for item in items})
    row: Any = create_model(
        TextReading.__name__,
        __base__=TextReading,
        id=(Annotated[str, Field(max_length=80, json_schema_extra={"enum": [*ids]})], ...),
        symbol=(Annotated[str, Field(max_length=24, json_schema_extra={"enum": [*symbols]})], ...),
    )
    fields: dict[str, Any] = {"readings": (tuple[row, ...], Field(max_length=MAX_ENTRIES))}
    return create_model(SentimentReply.__name__, __base__=SentimentReply, **fields)
