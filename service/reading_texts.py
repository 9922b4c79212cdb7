"""The `sentiment` command: how a text reads, what is in a file of texts, and how far its sources can be believed."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..desk.book import Book
from ..desk.errors import SettingsInvalid
from ..market.texted import text_facts, texted_name
from ..market.texts import read_text_file
from ..tools.encoders import CLASSES, Encoder, load_encoder, polarity_of
from ..tools.text_record import HORIZON_DAYS, TextRecord
from .console import Console
from .deciding import session_at

SHOWN = 20
MAX_SHOWN_CHARS = 100


@dataclass(frozen=True, slots=True)
class SentimentRequest:
    """The options of `sentiment`: a text to read, a file to look at, or a data set whose sources to judge."""

    text: str | None
    encoder: Path | None
    file: Path | None
    sources: bool
    data: str | None
    texts: str | None
    as_of: str | None
    book: Path


def perform_sentiment(request: SentimentRequest, console: Console) -> None:
    asked = [request.text is not None, request.file is not None, request.sources]
    if sum(asked) != 1:
        raise SettingsInvalid(
            f"found {sum(asked)} of a text, --file and --sources, expected one",
            remedy='Write `parley sentiment "TEXT"`, `--file FILE`, or `--sources --data DATA`.',
        )
    if request.file is not None:
        _look_at(request.file, console)
    elif request.text is not None:
        _read(request.text, load_encoder(request.encoder), console)
    else:
        _judge(request, load_encoder(request.encoder), console)


def _read(text: str, encoder: Encoder, console: Console) -> None:
    probabilities = encoder.probabilities([text])
    rows = dict(zip(CLASSES, probabilities[0].tolist(), strict=True))
    label, score = max(rows, key=rows.__getitem__), float(polarity_of(probabilities)[0])
    console.result(
        {
            "label": label,
            "probability": {name: round(value, 6) for name, value in rows.items()},
            "score": round(score, 6),
            "encoder": encoder.name,
            "fingerprint": encoder.fingerprint,
            "card": dict(encoder.card),
        }
    )
    said = ", ".join(f"{name} {value:.3f}" for name, value in rows.items())
    console.say(f"{label}, with probability {rows[label]:.3f} ({said}); score {score:+.3f}")
    _print_card(encoder, console)


def _print_card(encoder: Encoder, console: Console) -> None:
    table = [
        (
            f"{row['domain']} ({row['kind']})",
            f"{row['texts']:,}",
            f"{row['accuracy']:.3f}",
            f"{row['macro_f1']:.3f}",
            f"{row['majority_accuracy']:.3f}",
            f"{row['majority_macro_f1']:.3f}",
        )
        for row in encoder.card["results"]
    ]
    header = ("domain", "texts", "accuracy", "macro-F1", "commonest: acc.", "macro-F1")
    console.table(f"Encoder: {encoder.name}, {encoder.fingerprint[:12]}", header, table)
    console.say(str(encoder.card["meaning"]))


def _look_at(path: Path, console: Console) -> None:
    found = read_text_file(path)
    counts = Counter(item.code for item in found.findings)
    sources = Counter(item.source for item in found.items)
    console.result(
        {
            "file": path.name,
            "rows": found.rows,
            "items": len(found.items),
            "sources": dict(sources.most_common()),
            "findings": [{"code": item.code, "row": item.row, "text": item.text} for item in found.findings],
        }
    )
    console.say(text_facts(path, found))
    console.say(f"  {found.rows} rows; sources: {', '.join(f'{name} {n}' for name, n in sources.most_common(SHOWN))}")
    for code, count in sorted(counts.items()):
        console.say(f"  {code:<16} {count}")
    for item in found.findings[:SHOWN]:
        console.say(f"  {item.text[:MAX_SHOWN_CHARS]}")
    if len(found.findings) > SHOWN:
        console.say(f"  ... and {len(found.findings) - SHOWN} more; --json lists all")


def _judge(request: SentimentRequest, encoder: Encoder, console: Console) -> None:
    if request.data is None:
        raise SettingsInvalid("--sources needs prices", remedy="Name a data set or a file with --data.")
    data = Book(request.book).load(texted_name(request.data, request.texts))
    history = data.history()
    history.require_daily("the record of a source")
    session = session_at(history, request.as_of) if request.as_of else history.last_session
    view = history.as_of(history.close_time(session))
    sent = Counter(item.source for item in view.texts())
    rows: list[Mapping[str, Any]] = [
        {
            "source": name,
            "texts": sent[name],
            "calls": record.calls,
            "hits": record.hits,
            "rate": round(record.rate, 6),
            "weight": round(record.weight, 6),
        }
        for name, record in sorted(TextRecord(encoder).sources(view).items(), key=lambda part: -part[1].calls)
    ]
    from rich.markup import escape

    console.result({"as_of": view.as_of.isoformat(), "data": data.card.name, "sources": rows})
    console.table(
        f"Sources of texts about {data.card.name}, as of the close of {session}",
        ("source", "texts", "calls", "came true", "believed", "weight"),
        [
            (
                escape(row["source"]),  # a stranger's word: brackets in it are no markup
                f"{row['texts']:,}",
                f"{row['calls']:,}",
                f"{row['hits'] / row['calls']:.1%}" if row["calls"] else "-",
                f"{row['rate']:.1%}",
                f"{row['weight']:.2f}",
            )
            for row in rows
        ],
    )
    for note in data.card.notes:
        console.say(note)
    console.say(
        f"A call is the mean polarity of a source's texts on a name up to a close; it came true when the name beat the "
        f"others over the next {HORIZON_DAYS} sessions, or fell behind where the call was bad. Neighboring calls share "
        f"days and are not independent; near 50 % is what a coin gets."
    )
